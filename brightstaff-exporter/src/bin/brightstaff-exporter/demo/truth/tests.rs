use std::time::{Duration, Instant};

use brightstaff_metrics_core::catalogue as c;

use super::*;
use crate::{
    demo::{
        client::Ending,
        order::{HangUp, Routing},
        setup::FAST,
    },
    sim::{Finish, Usage},
};

/// Instants, in milliseconds from one start.
struct Clock(Instant);

impl Clock {
    fn at(&self, millis: u64) -> Instant {
        self.0 + Duration::from_millis(millis)
    }

    /// A request that was sent at 0, had its head at 50, and ended at 100.
    fn made(&self, id: u64, routing: Routing) -> Made {
        Made {
            order: Order {
                id,
                routing,
                ..Order::default()
            },
            seen: Seen {
                sent: self.at(0),
                head: Some((200, self.at(50))),
                first_byte: Some(self.at(51)),
                first_token: Some(self.at(60)),
                terminal: Some(self.at(90)),
                ended: self.at(100),
                ending: Ending::Whole,
            },
        }
    }

    /// A streamed call that arrived at 10 and ended at 80.
    fn call(&self, plan: u64, model: &str) -> Call {
        Call {
            plan: Some(plan),
            attempt: 0,
            upstream: "openai".into(),
            model: model.to_owned(),
            streamed: true,
            arrived: self.at(10),
            answered: Some((200, self.at(40))),
            first_byte: Some(self.at(41)),
            first_token: Some(self.at(55)),
            terminal: Some(self.at(79)),
            usage: Usage {
                prompt: Some(7),
                completion: Some(14),
                reasoning: Some(3),
                ..Usage::default()
            },
            settled: true,
            finish: Finish::End,
            ended: self.at(80),
        }
    }
}

#[track_caller]
fn assert_times(truth: &Truth, family: &str, least: f64, most: f64) {
    let all: Vec<_> = truth.series(family).map(|(_, value)| value).collect();
    let [
        Value::Times {
            count: 1,
            least: low,
            most: high,
        },
    ] = all[..]
    else {
        panic!("{family}: {all:?}");
    };
    assert!(
        (low - least).abs() < 1e-9 && (high - most).abs() < 1e-9,
        "{family}: {low}..{high}"
    );
}

/// The truth of what was made, in this order, and of its calls.
fn truth_of(made: &[Made], calls: &[Call]) -> Truth {
    let mut teller = Teller::default();
    for made in made {
        let of_it = calls.iter().filter(|call| call.plan == Some(made.order.id));
        teller.tell(made, &of_it.collect::<Vec<_>>());
    }
    teller.truth
}

fn count(truth: &Truth, family: &str, label: (&str, &str)) -> u64 {
    let series = truth.series(family);
    let named = series.filter(|(labels, _)| labels.iter().any(|one| one == label));
    named.map(|(_, value)| value.count()).sum()
}

#[test]
fn durations_lie_between_what_both_sides_saw() {
    let clock = Clock(Instant::now());
    let made = [clock.made(1, Routing::Nothing)];
    let truth = truth_of(&made, &[clock.call(1, "gpt-4o")]);
    assert_times(&truth, c::HTTP_REQUEST_DURATION.name, 0.070, 0.100);
    assert_times(&truth, c::HTTP_TIME_TO_HEADERS.name, 0.030, 0.050);
    assert_times(&truth, c::UPSTREAM_DURATION.name, 0.070, 0.100);
    assert_times(&truth, c::TIME_TO_FIRST_BYTE.name, 0.031, 0.051);
    assert_times(&truth, c::TIME_TO_FIRST_TOKEN.name, 0.045, 0.060);
    // 14 tokens, of which 3 were hidden, so that 10 came after the first.
    assert_times(&truth, c::TIME_PER_OUTPUT_TOKEN.name, 0.0019, 0.0035);
}

#[test]
fn a_hang_up_ends_between_the_client_and_the_provider() {
    let clock = Clock(Instant::now());
    let mut made = clock.made(1, Routing::Nothing);
    made.seen.ending = Ending::HungUp(HangUp::InBody);
    made.seen.ended = clock.at(60);
    let mut call = clock.call(1, "gpt-4o");
    (call.finish, call.terminal, call.settled) = (Finish::HungUp, None, false);
    let truth = truth_of(&[made], &[call]);
    assert_times(&truth, c::HTTP_REQUEST_DURATION.name, 0.050, 0.080);
    assert_times(&truth, c::UPSTREAM_DURATION.name, 0.050, 0.080);
    assert_eq!(count(&truth, c::HTTP_CANCELLED.name, ("phase", "body")), 1);
    assert_eq!(
        count(&truth, c::HTTP_CANCELLED.name, ("phase", "headers")),
        0
    );
    assert_eq!(
        count(
            &truth,
            c::UPSTREAM_REQUESTS.name,
            ("error_class", "cancelled")
        ),
        1
    );
    assert_eq!(
        count(&truth, c::USAGE_MISSING.name, ("reason", "interrupted")),
        1
    );
    assert_eq!(count(&truth, c::TOKENS.name, ("kind", "prompt")), 7);
    assert_eq!(count(&truth, c::REQUEST_TOKENS.name, ("kind", "prompt")), 0);
}

#[test]
fn a_response_that_breaks_off_is_interrupted_and_no_cancel() {
    let clock = Clock(Instant::now());
    let made = |ending| {
        let mut made = clock.made(1, Routing::Nothing);
        made.seen.ending = ending;
        made
    };
    let mut cut = clock.call(1, "gpt-4o");
    (cut.finish, cut.terminal) = (Finish::Cut, None);
    for (ending, interrupted) in [(Ending::Broken, 1), (Ending::Whole, 0)] {
        let truth = truth_of(&[made(ending)], std::slice::from_ref(&cut));
        let of = |reason| count(&truth, c::HTTP_INTERRUPTED.name, ("reason", reason));
        assert_eq!((of("error"), of("panic")), (interrupted, 0), "{ending:?}");
        assert_eq!(count(&truth, c::HTTP_CANCELLED.name, ("phase", "body")), 0);
    }
}

#[test]
fn the_first_class_that_fits_is_the_one() {
    let clock = Clock(Instant::now());
    let ended = Some(clock.at(79));
    for (status, terminal, finish, class) in [
        (None, None, Finish::HungUp, "cancelled"),
        (Some(429), None, Finish::End, "rate_limit"),
        (Some(500), None, Finish::HungUp, "status"),
        (Some(404), None, Finish::Cut, "status"),
        (Some(200), ended, Finish::Error, "stream"),
        (Some(200), None, Finish::Cut, "stream"),
        (Some(200), None, Finish::End, "stream"),
        (Some(200), None, Finish::HungUp, "cancelled"),
        (Some(200), ended, Finish::HungUp, "none"),
        (Some(200), ended, Finish::End, "none"),
    ] {
        let mut call = clock.call(1, "gpt-4o");
        call.answered = status.map(|status| (status, clock.at(40)));
        (call.terminal, call.finish) = (terminal, finish);
        let truth = truth_of(&[clock.made(1, Routing::Nothing)], &[call]);
        let label = ("error_class", class);
        assert_eq!(
            count(&truth, c::UPSTREAM_REQUESTS.name, label),
            1,
            "{status:?} {class}"
        );
    }
}

#[test]
fn a_session_stays_where_it_was_led() {
    let clock = Clock(Instant::now());
    let turn = |id| {
        let mut made = clock.made(id, Routing::Alias(&FAST));
        made.order.session = Some("session".to_owned());
        made
    };
    // The first candidate refuses, the second one answers; the next turn goes there at once.
    let mut refused = clock.call(1, "gpt-4o-mini");
    refused.answered = Some((429, clock.at(20)));
    let mut rescued = clock.call(1, "gpt-4o");
    rescued.attempt = 1;
    let calls = [refused, rescued, clock.call(2, "gpt-4o")];
    let truth = truth_of(&[turn(1), turn(2)], &calls);
    for (outcome, expected) in [("miss", 1), ("store", 1), ("hit", 1)] {
        let label = ("outcome", outcome);
        assert_eq!(
            count(&truth, c::SESSION_CACHE_EVENTS.name, label),
            expected,
            "{outcome}"
        );
    }
    for (fallback, expected) in [("true", 1), ("false", 1)] {
        let label = ("fallback", fallback);
        assert_eq!(
            count(&truth, c::ROUTER_DECISIONS.name, label),
            expected,
            "{fallback}"
        );
    }
    let label = ("selected_model", "gpt-4o");
    assert_eq!(count(&truth, c::ROUTER_DECISIONS.name, label), 2);
    for (outcome, expected) in [("recovered", 1), ("first_try", 1), ("exhausted", 0)] {
        let label = ("outcome", outcome);
        assert_eq!(
            count(&truth, c::FAILOVER_REQUESTS.name, label),
            expected,
            "{outcome}"
        );
    }
}
