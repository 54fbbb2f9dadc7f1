//! The demo: the gateway as it ships between simulated providers and a paced load, and at its end
//! what happened beside what `/metrics` says.

mod card;
mod client;
mod deal;
mod deck;
mod live;
mod load;
mod measured;
mod options;
mod order;
mod past;
mod record;
mod report;
mod scrape;
mod setup;
mod table;
mod truth;

use std::{
    io::Write,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use brightstaff_metrics_core::catalogue::{HTTP_IN_FLIGHT, UPSTREAM_IN_FLIGHT};
use tokio::task::JoinSet;

pub(crate) use self::options::Demo;
use self::{
    live::Live,
    load::Load,
    measured::Measured,
    past::{Counts, Past},
    record::Clocks,
    report::Report,
    scrape::Scrape,
    setup::World,
    table::Table,
};
use crate::{address::served, say::say, sim::Book};

/// How long the gateway may take to come to rest after the last response.
const REST: Duration = Duration::from_secs(10);

/// How long the last numbers may take to be pushed.
const LAST_PUSH: Duration = Duration::from_secs(10);

/// `demo`: runs it all, and fails where truth and metrics differ.
pub(crate) fn demo(options: &Demo) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run(options))
}

async fn run(options: &Demo) -> Result<()> {
    let book = Arc::new(Book::default());
    let mut world = World::new(&book).await?;
    options.configure(&mut world.config);
    let mut servers = JoinSet::new();
    let mut measured = Measured::start(options, &world.config, &mut servers).await?;
    // Before the load: nobody should wait for what cannot be written down.
    let mut truth_file = options.truth_file()?;
    let load = options.load();
    let Load {
        rate, lasts, seed, ..
    } = load;
    say!("{rate} requests/s for {lasts:?}, seed {seed}: simulated OpenAI and Anthropic, real HTTP");
    say!("gateway listening on http://{}", measured.gateway);
    say!(
        "{}",
        served("http", measured.metrics, cfg!(feature = "page"))
    );
    if let Some((_, to)) = &measured.pushing {
        say!("{to}");
    }

    let clocks = Clocks::read();
    let outcome = Outcome::of(load, &measured, &book, stop()).await?;
    let report = outcome.report();
    say!("\n{}\n", outcome.summary());
    let table = Table {
        report: &report,
        verbose: options.verbose,
    };
    say!("{table}");
    if let (Some(file), Some(path)) = (&mut truth_file, &options.truth_json) {
        let text = record::json(load, &clocks, &outcome, &report).to_string();
        let written = file.write_all(text.as_bytes());
        written.with_context(|| format!("--truth-json {}", path.display()))?;
    }
    let verdict = verdict(&report);
    if let Some(hold) = options.hold {
        say!("the metrics stay for {hold:?}, or until Ctrl-C");
        tokio::select! {
            () = tokio::time::sleep(hold) => {}
            () = stop() => {}
        }
    }
    if let Some((pushing, _)) = measured.pushing.take() {
        let last = pushing.shutdown(LAST_PUSH).await;
        say!("the last export over OTLP: {last}");
    }
    verdict
}

/// Ctrl-C: what was begun is still brought to its end, and compared.
async fn stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler for it there is no stopping early.
        std::future::pending::<()>().await;
    }
}

fn verdict(report: &Report) -> Result<()> {
    let (series, differ) = report.series();
    let differ = differ + report.strangers.len();
    if !report.agrees() {
        bail!("truth and metrics differ in {differ} of {series} series");
    }
    let (tolerance, loose) = (report::TOLERANCE, report.loose());
    if loose > 0 {
        say!(
            "{loose} means are loosely bound, since the machine was busy: a lower --rate says more"
        );
    }
    say!("truth and metrics agree in all {series} series; a mean may lie {tolerance}");
    Ok(())
}

/// What came of a load, and what was measured.
#[derive(Debug)]
pub(crate) struct Outcome {
    past: Past,
    scrape: Scrape,
}

impl Outcome {
    /// Runs the load, and waits until the gateway is at rest.
    async fn of(
        load: Load,
        measured: &Measured,
        book: &Arc<Book>,
        stop: impl Future<Output = ()>,
    ) -> Result<Self> {
        let live = Arc::new(Live::new(load.lasts));
        let mut past = {
            let mut run = pin!(load.run(load.via.unwrap_or(measured.gateway), book, &live, stop));
            tokio::select! {
                past = &mut run => past,
                () = live.show(book) => bail!("the live line never ends by itself"),
            }
        };
        let scrape = at_rest(measured.metrics, book).await?;
        past.fold(book, Instant::now());
        Ok(Self { past, scrape })
    }

    /// Compares what happened with what was measured.
    fn report(&self) -> Report {
        Report::of(&self.past.truth(), &self.scrape)
    }

    /// What the load was, in one line.
    fn summary(&self) -> String {
        let Counts {
            requests,
            calls,
            streamed,
            broken,
            hung_up,
        } = self.past.counts();
        format!(
            "{requests} requests, {calls} calls that reached a provider; {streamed} responses streamed, {broken} broke off, {hung_up} clients hung up"
        )
    }
}

/// The first scrape that finds nothing in flight, and that the next one repeats. Where that never
/// comes, the last one, which the report will not agree with.
async fn at_rest(metrics: SocketAddr, book: &Book) -> Result<Scrape> {
    let in_flight = |scrape: &Scrape| {
        [HTTP_IN_FLIGHT.name, UPSTREAM_IN_FLIGHT.name]
            .iter()
            .any(|name| scrape.samples(name).any(|(_, open)| open != 0.0))
    };
    let give_up = tokio::time::Instant::now() + REST;
    let mut last = None;
    loop {
        let scrape = Scrape::get(metrics).await?.without_process();
        let busy = book.open() > 0 || in_flight(&scrape);
        let again = last.as_ref() == Some(&scrape);
        if (!busy && again) || tokio::time::Instant::now() > give_up {
            return Ok(scrape);
        }
        last = Some(scrape);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests;
