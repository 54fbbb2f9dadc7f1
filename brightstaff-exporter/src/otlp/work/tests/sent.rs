//! What is sent, and what is not.

use std::io::Read as _;

use flate2::read::GzDecoder;
use prometheus::core::{Collector, Desc};

use super::{
    super::Work,
    CALL, LONG, exports, last, last_of,
    receiver::{Receiver, ok},
    registry, work,
};
use crate::otlp::{ExportOutcome, Otlp};

#[tokio::test]
async fn an_export_says_what_it_is() {
    for gzip in [false, true] {
        let receiver = Receiver::new([ok()]).await;
        let otlp = Otlp::new().endpoint(&receiver.url()).gzip(gzip);
        let otlp = otlp.headers("Authorization=Bearer%20token,user-agent=mine");
        assert_eq!(last(otlp, LONG).await, ExportOutcome::Ok);
        let received = receiver.received().remove(0);
        let has = |line: &str| received.head.contains(&format!("\r\n{line}\r\n"));
        assert!(received.head.starts_with("POST /v1/metrics HTTP/1.1\r\n"));
        for line in [
            "content-type: application/x-protobuf",
            "authorization: Bearer token",
            "user-agent: mine",
            &format!("host: {}", receiver.address),
        ] {
            assert!(has(line), "{line}: {}", received.head);
        }
        assert_eq!(has("content-encoding: gzip"), gzip);
        let mut body = received.body;
        if gzip {
            let mut inflated = Vec::new();
            GzDecoder::new(&body[..])
                .read_to_end(&mut inflated)
                .unwrap();
            body = inflated;
        }
        // ExportMetricsServiceRequest.resource_metrics, and the name of a family.
        assert_eq!(body[0], 0x0a);
        assert!(body.windows(CALL.len()).any(|bytes| bytes == CALL));
    }
}

#[tokio::test]
async fn what_is_too_long_is_not_sent() {
    let receiver = Receiver::new([ok()]).await;
    let work = Work {
        max_body_bytes: 100,
        ..work(Otlp::new().endpoint(&receiver.url()), &registry())
    };
    assert_eq!(last_of(work, LONG).await, ExportOutcome::Failed);
    assert_eq!(receiver.received().len(), 0);
}

/// A collector that is not ours.
struct Panics;

impl Collector for Panics {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<prometheus::proto::MetricFamily> {
        panic!("as collectors may");
    }
}

#[tokio::test]
async fn a_collector_that_panics_ends_nothing_else() {
    let receiver = Receiver::new([ok()]).await;
    let registry = registry();
    registry.register(Box::new(Panics)).unwrap();
    let otlp = Otlp::new().endpoint(&receiver.url());
    let push = otlp.push(&registry).unwrap().unwrap();
    let outcomes = push.outcomes.clone();
    assert_eq!(last_of(Work::new(push), LONG).await, ExportOutcome::Failed);
    assert_eq!(receiver.received().len(), 0);
    assert_eq!(exports(&outcomes), [0, 0, 1]);
}
