//! What is pushed, read by a decoder that is not ours.

#![cfg(feature = "otlp")]
#![allow(clippy::unwrap_used, unreachable_pub)] // Helpers of tests are tests.

mod model;

use std::time::Duration;

use brightstaff_metrics_core::{
    Clock, Head, Metrics, adapter,
    labels::{ErrorClass, RequestMethod},
    otlp::{Encoder, Resource},
};
use prometheus::Registry;

/// The clock on the wall of a manual clock begins at 1,700,000,000 s.
const EPOCH: u64 = 1_700_000_000_000_000_000;

#[test]
fn a_request_is_what_the_protocol_says() {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let builder = Metrics::builder().clock(clock.clone()).process(false);
    let metrics = builder
        .upstreams([("openai", "gpt \"4o\" \\")])
        .register(&registry)
        .unwrap();
    clock.advance(Duration::from_secs(1));
    let upstream = metrics.upstream("openai", "gpt \"4o\" \\");
    upstream.start().fail(ErrorClass::Connect);
    adapter::begin(&metrics, "llm_chat", RequestMethod::Post)
        .head(&Head::new(200).content_length(0));
    let resource = Resource::new([("service.name", "gateway")]).schema_url("https://a.b/1");
    let mut encoder = Encoder::new(resource).clock(clock);
    let export = encoder.encode(&registry);
    let request = model::decode(export.body());
    let [of_resource] = &request.resource_metrics[..] else {
        panic!("one resource")
    };
    assert_eq!(of_resource.schema_url, "https://a.b/1");
    assert_eq!(
        of_resource.scope_metrics[0].scope.as_ref().unwrap().name,
        "brightstaff"
    );
    assert_eq!(export.points(), 41);
    let _ = EPOCH;
}
