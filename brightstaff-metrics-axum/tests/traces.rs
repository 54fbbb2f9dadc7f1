//! A request's trace, from its header to the buckets that it and its handler's call fall into.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request},
    response::{IntoResponse, Response},
    routing::post,
};
use brightstaff_metrics_axum::{
    Metrics, MetricsLayer, TraceContext,
    brightstaff_metrics_core::{
        Clock,
        exposition::{Exposition, Format},
    },
    prometheus::Registry,
};
use bytes::Bytes;
use http_body_util::Full;
use tower::ServiceExt as _;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

#[derive(Clone)]
struct Gateway {
    metrics: Metrics,
    clock: Clock,
}

async fn chat(State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    let upstream = gateway.metrics.upstream("openai", "gpt-4o");
    let call = upstream.start().in_trace(TraceContext::of(&headers));
    gateway.clock.advance(Duration::from_millis(750));
    let response = http::Response::new(Full::<Bytes>::from("{}"));
    call.observe(response).map(Body::new).into_response()
}

/// The lines with exemplars, once a request with this header was served.
async fn exemplars(traceparent: Option<&str>) -> Vec<String> {
    let (registry, clock) = (Registry::new(), Clock::manual());
    let builder = Metrics::builder().process(false).clock(clock.clone());
    let metrics = builder.register(&registry).unwrap();
    let layer = MetricsLayer::new(metrics.clone());
    let app = Router::new()
        .route("/v1/chat/completions", post(chat))
        .with_state(Gateway { metrics, clock })
        .layer(layer);
    let mut request = Request::post("/v1/chat/completions");
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await;
    let body = axum::body::to_bytes(response.unwrap().into_body(), 100).await;
    assert_eq!(body.unwrap(), "{}");
    let mut text = Vec::new();
    let exposition = Exposition::of(&registry);
    exposition.write(Format::OpenMetrics, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines = text.lines().filter(|line| line.contains("trace_id"));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_trace_of_a_request_is_that_of_its_handlers_call() {
    let sampled = format!("00-{TRACE}-{SPAN}-01");
    let exemplar = format!(r#" # {{trace_id="{TRACE}",span_id="{SPAN}"}} 0.75 1700000000.750"#);
    assert_eq!(
        exemplars(Some(&sampled)).await,
        [
            format!(
                r#"brightstaff_http_request_duration_seconds_bucket{{handler="llm_chat",le="1"}} 1{exemplar}"#
            ),
            format!(
                r#"brightstaff_llm_upstream_duration_seconds_bucket{{model="gpt-4o",outcome="ok",provider="openai",le="1"}} 1{exemplar}"#
            ),
        ]
    );
}

#[tokio::test]
async fn without_a_sampled_trace_there_is_none() {
    let not_sampled = format!("00-{TRACE}-{SPAN}-00");
    for traceparent in [None, Some(not_sampled.as_str()), Some("00"), Some("")] {
        assert_eq!(exemplars(traceparent).await, [""; 0]);
    }
}
