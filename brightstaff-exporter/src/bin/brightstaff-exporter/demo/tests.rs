//! The whole of it, in process.

use brightstaff_metrics_core::catalogue::{
    HTTP_REQUESTS, ROUTER_CANDIDATE_SKIPS, SESSION_CACHE_OPERATION,
};
use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    demo: Demo,
}

fn options() -> Demo {
    let line = "demo --duration 4s --seed 7 --bind 127.0.0.1:0 --metrics-bind 127.0.0.1:0";
    Line::parse_from(line.split(' ')).demo
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truth_is_told_and_a_lie_is_not() -> Result<()> {
    let options = options();
    let book = Arc::new(Book::default());
    let world = World::new(&book).await?;
    let mut servers = JoinSet::new();
    let measured = Measured::start(&options, &world.config, &mut servers).await?;
    let never = std::future::pending();
    let mut outcome = Outcome::of(options.load(), &measured, &book, never).await?;
    let (report, verbose) = (&outcome.report(), false);
    assert!(report.agrees(), "{}", Table { report, verbose });
    // The load meets everything that there is to be met; its sessions are in memory, and its routes leave
    // nobody alone.
    let silent = report
        .families
        .iter()
        .filter(|family| family.lines.is_empty());
    let silent: Vec<_> = silent.map(|family| family.family.name).collect();
    assert_eq!(
        silent,
        [SESSION_CACHE_OPERATION.name, ROUTER_CANDIDATE_SKIPS.name]
    );

    // One token more, one call less, one request less: each is noticed.
    let mut told = outcome.past.calls.iter_mut();
    let told = told.find_map(|call| call.usage.prompt.as_mut());
    *told.expect("some call was answered") += 1;
    assert!(!outcome.report().agrees());
    let told = outcome.past.calls.iter_mut();
    let told = told.filter_map(|call| call.usage.prompt.as_mut()).next();
    *told.expect("some call was answered") -= 1;
    assert!(outcome.report().agrees());
    let call = outcome.past.calls.pop();
    assert!(!outcome.report().agrees());
    outcome.past.calls.extend(call);
    outcome.past.made.pop_last();
    assert!(!outcome.report().agrees());
    Ok(())
}

#[test]
fn what_is_long_over_is_told_and_not_kept() {
    let tell = |keep: bool, later: Duration| {
        let book = Book::default();
        let mut past = Past::new(keep);
        let mut dealer = deal::Dealer::new(3);
        let now = Instant::now();
        for _ in 0..100 {
            let order = dealer.deal();
            let seen = client::Seen::unanswered(now);
            past.push(truth::Made { order, seen });
        }
        past.fold(&book, now + later);
        past
    };
    let (kept, fresh) = (
        tell(true, Duration::from_secs(600)),
        tell(false, Duration::ZERO),
    );
    let over = tell(false, Duration::from_secs(600));
    assert_eq!(
        (kept.made.len(), fresh.made.len(), over.made.len()),
        (100, 100, 0)
    );
    assert_eq!(over.counts().requests, 100);
    let series = |past: &Past| {
        let truth = past.truth();
        let all = truth.series(HTTP_REQUESTS.name);
        all.map(|(labels, value)| (labels.clone(), value.count()))
            .collect::<Vec<_>>()
    };
    assert_eq!(series(&over), series(&kept));
    assert!(!series(&over).is_empty());
}
