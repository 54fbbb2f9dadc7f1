//! Exports to receivers of every kind.

mod intervals;
mod receiver;
mod responses;
mod sent;
mod tls;

use std::time::Instant as StdInstant;

use brightstaff_metrics_core::{Metrics, labels::ErrorClass};

use super::*;
use crate::otlp::Otlp;

/// As long as a test may wait for what comes.
const LONG: Duration = Duration::from_secs(60);

/// Too short for a receiver that takes nothing, and long enough for some tries.
const SHORT: Duration = Duration::from_millis(400);

/// Pushes as these settings say, and hardly waits between tries.
fn work(otlp: Otlp, registry: &Registry) -> Work {
    let push = otlp.push(registry).unwrap().unwrap();
    Work {
        patience: Patience::short(),
        ..Work::new(push)
    }
}

fn registry() -> Registry {
    let registry = Registry::new();
    let builder = Metrics::builder().process(false);
    let metrics = builder.upstreams([("p", "m")]).register(&registry).unwrap();
    metrics.upstream("p", "m").start().fail(ErrorClass::Connect);
    registry
}

/// What becomes of the last export, which has so long.
async fn last(otlp: Otlp, within: Duration) -> ExportOutcome {
    let work = work(otlp, &registry());
    let outcomes = work.outcomes.clone();
    let outcome = last_of(work, within).await;
    for one in ExportOutcome::ALL {
        let once = u64::from(*one == outcome);
        assert_eq!(outcomes.counted(*one), once, "{one} after {outcome}");
    }
    outcome
}

async fn last_of(work: Work, within: Duration) -> ExportOutcome {
    let (_stop, stopped) = watch::channel(Some(StdInstant::now() + within));
    work.run(stopped).await.unwrap()
}

/// The exports that were counted: ok, rejected, failed.
fn exports(outcomes: &Outcomes) -> [u64; 3] {
    use ExportOutcome::{Failed, Ok, Rejected};
    [Ok, Rejected, Failed].map(|outcome| outcomes.counted(outcome))
}

/// A family that has changed since the start.
const CALL: &[u8] = b"brightstaff_llm_upstream_requests_total";

const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
