//! How many instructions one request takes: bare, through a layer by hand, and measured. Counts repeat where times do
//! not, so that `cargo xtask test instructions` holds them to committed figures.

#![allow(clippy::unwrap_used)] // No request of these fails.
#![allow(missing_docs)] // The macros make what has none.

#[path = "../../../brightstaff-metrics-axum/tests/support/floor.rs"]
mod floor;

use std::{convert::Infallible, hint::black_box, sync::LazyLock};

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use brightstaff_metrics_axum::{
    Metrics, MetricsLayer, brightstaff_metrics_core::Clock, prometheus::Registry,
};
use bytes::Bytes;
use floor::Floor;
use futures_util::FutureExt;
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, Service};

/// Answers a request, and reads the response to its end.
type Once = Box<dyn FnMut()>;

const CHAT: &str = "/v1/chat/completions";

#[library_benchmark]
#[bench::bare_per_100(send(router()))]
#[bench::floor_inside_per_100(send(router().layer(Floor)))]
#[bench::floor_around_per_100(send(Floor.layer(router())))]
#[bench::inside_per_100(send(router().layer(MetricsLayer::new(metrics()))))]
#[bench::innermost_per_100(send(router().layer(MetricsLayer::new(metrics()).innermost())))]
#[bench::around_per_100(send(MetricsLayer::new(metrics()).layer(router())))]
#[bench::explicit_per_100(send(explicit()))]
#[bench::implicit_per_100(send(json().layer(MetricsLayer::new(metrics()).implicit("openai"))))]
fn request(mut once: Once) -> Once {
    for _ in 0..100 {
        once();
    }
    once
}

library_benchmark_group!(name = counts, benchmarks = [request]);
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = [counts]
);

/// The gateway without metrics.
fn router() -> Router {
    Router::new()
        .route(CHAT, post(async || r#"{"model":"gpt-4o"}"#))
        .route("/v1/files/{id}", get(async || "a file"))
        .with_state(())
}

/// A gateway whose provider answers with 1 KB of JSON.
fn json() -> Router {
    Router::new().route(CHAT, post(async || answer()))
}

/// The same, that says so.
fn explicit() -> Router {
    let metrics = metrics();
    let upstream = metrics.upstream("openai", "gpt-4o");
    Router::new()
        .route(CHAT, post(async move || upstream.start().observe(answer())))
        .layer(MetricsLayer::new(metrics))
}

fn answer() -> Response<Body> {
    const TEXT: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do. ";
    static JSON: LazyLock<Bytes> = LazyLock::new(|| {
        format!(
            r#"{{"object":"chat.completion","model":"gpt-4o","choices":[{{"message":{{"content":"{}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":200}}}}"#,
            TEXT.repeat(13)
        )
        .into()
    });
    Response::builder()
        .header("content-type", "application/json")
        .body(Body::from(JSON.clone()))
        .unwrap()
}

/// On a clock that reads no counter: which one there is, and its price, is the kernel's.
fn metrics() -> Metrics {
    Metrics::builder()
        .process(false)
        .clock(Clock::manual())
        .upstreams([("openai", "gpt-4o")])
        .register(&Registry::new())
        .unwrap()
}

/// What sends to a service that has met such a request before.
fn send<S, B>(mut service: S) -> Once
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + 'static,
    B: http_body::Body<Data = Bytes>,
{
    const READY: &str = "nothing here waits";
    let mut once = move || {
        let request = Request::post(CHAT).body(Body::empty()).unwrap();
        let answer = service.call(request).now_or_never().expect(READY).unwrap();
        let body = answer.into_body().collect().now_or_never().expect(READY);
        assert!(black_box(body).is_ok());
    };
    for _ in 0..10 {
        once();
    }
    Box::new(once)
}
