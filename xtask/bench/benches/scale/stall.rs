//! How long a thread that records waits at worst, while 100,000 series are scraped and some are added.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use brightstaff_metrics_core::{
    Metrics,
    exposition::{Exposition, Format},
    labels::{Fallback, RouteKind},
    prometheus::{Encoder as _, IntCounterVec, Opts, Registry, TextEncoder},
};

use crate::{figure, median};

const SERIES: u32 = 100_000;
/// Series that one model has: three routes, with fallback and without.
const OF_A_MODEL: u32 = 6;
/// Series that are added during a round, one by one.
const ADDED: u32 = 20;
const ROUNDS: u32 = 5;
/// Records between two looks at the clock.
const RECORDS: u32 = 16;

pub(crate) fn report() {
    let (registry, metrics) = ours();
    let mut text = Vec::new();
    let stall = worst(
        |series| decide(&metrics, series),
        || {
            text.clear();
            let exposition = Exposition::of(&registry);
            exposition.write(Format::Text, &mut text).unwrap();
        },
    );
    figure("worst stall/ours", stall);
    let (registry, counters) = library();
    let stall = worst(
        |series| count(&counters, series),
        || {
            text.clear();
            let families = registry.gather();
            TextEncoder::new().encode(&families, &mut text).unwrap();
        },
    );
    figure("worst stall/with_label_values", stall);
}

/// With 100,000 counters.
pub(crate) fn ours() -> (Registry, Metrics) {
    let registry = Registry::new();
    let models = (SERIES + ADDED * ROUNDS).div_ceil(OF_A_MODEL);
    let metrics = Metrics::builder()
        .process(false)
        .selected_model_cap(models as usize)
        .register(&registry)
        .unwrap();
    (0..SERIES).for_each(|series| decide(&metrics, series));
    (registry, metrics)
}

fn decide(metrics: &Metrics, series: u32) {
    let route = [RouteKind::Agent, RouteKind::Routing, RouteKind::Llm][series as usize % 3];
    let fallback = [Fallback::No, Fallback::Yes][series as usize / 3 % 2];
    let routing = metrics.routing();
    routing.decision(route, &model(series), fallback, Duration::ZERO);
}

/// The same in the library's own type.
pub(crate) fn library() -> (Registry, IntCounterVec) {
    let registry = Registry::new();
    let labels = ["fallback", "route", "selected_model"];
    let opts = Opts::new("brightstaff_router_decisions_total", "help");
    let counters = IntCounterVec::new(opts, &labels).unwrap();
    registry.register(Box::new(counters.clone())).unwrap();
    (0..SERIES).for_each(|series| count(&counters, series));
    (registry, counters)
}

fn count(counters: &IntCounterVec, series: u32) {
    let route = ["agent", "routing", "llm"][series as usize % 3];
    let fallback = ["false", "true"][series as usize / 3 % 2];
    let labels = [fallback, route, &model(series)];
    counters.with_label_values(&labels).inc();
}

fn model(series: u32) -> String {
    format!("model-{:05}", series / OF_A_MODEL)
}

/// The longest in milliseconds that a few records took in a round, without the time for which the thread was ready to run and others
/// ran; the median of the rounds.
fn worst(record: impl Fn(u32) + Sync, mut scrape: impl FnMut() + Send) -> f64 {
    let next = AtomicU32::new(SERIES);
    let rounds = (0..ROUNDS).map(|_| {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let recording = scope.spawn(|| longest(&record, &done));
            let adding = scope.spawn(|| {
                for _ in 0..ADDED {
                    thread::sleep(Duration::from_millis(10));
                    record(next.fetch_add(1, Ordering::Relaxed));
                }
            });
            while !adding.is_finished() {
                scrape();
            }
            done.store(true, Ordering::Relaxed);
            adding.join().unwrap();
            recording.join().unwrap()
        })
    });
    median(rounds.collect())
}

fn longest(record: impl Fn(u32), done: &AtomicBool) -> f64 {
    let mut worst = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        // In this order: who has to wait while the kernel is asked for it has not been stalled by us.
        let before = Scheduled::now();
        let start = Instant::now();
        for at in 0..RECORDS {
            record(at * 6_007);
        }
        let elapsed = start.elapsed();
        let waited = before.until_now().waited;
        worst = worst.max(elapsed.saturating_sub(waited));
    }
    worst.as_secs_f64() * 1e3
}

/// What the kernel gave a thread: time to run, and time for which it was ready and others ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheduled {
    pub(crate) ran: Duration,
    pub(crate) waited: Duration,
}

impl Scheduled {
    pub(crate) fn now() -> Self {
        let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let mut nanos = text.split(' ').map(|word| word.trim().parse().unwrap());
        let mut next = || Duration::from_nanos(nanos.next().unwrap());
        Self {
            ran: next(),
            waited: next(),
        }
    }

    pub(crate) fn until_now(self) -> Self {
        let now = Self::now();
        Self {
            ran: now.ran - self.ran,
            waited: now.waited - self.waited,
        }
    }
}
