//! The small gateway where its response is a stream.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
    routing::post,
};
use brightstaff_metrics_axum::MetricsLayer;
use futures_util::stream;
use http::header::CONTENT_TYPE;

use crate::apps::{Apps, Floor, metrics, routed};

#[path = "../../tests/support/events.rs"]
mod events;

/// Those that stream 100 events.
pub(crate) fn streams() -> Apps {
    let metrics = metrics();
    let upstream = metrics.upstream("openai", "gpt-4o");
    let streaming = || post(|| async { stream().into_response() });
    let observed = post(|| async move { upstream.start().observe(stream()).into_response() });
    let router = |route| Router::new().route("/v1/chat/completions", route);
    vec![
        ("bare, 100 events", routed(router(streaming()))),
        (
            "floor, 100 events",
            routed(router(streaming()).layer(Floor)),
        ),
        (
            "request alone, 100 events",
            routed(router(streaming()).layer(MetricsLayer::new(metrics.clone()))),
        ),
        (
            "explicit call, 100 events",
            routed(router(observed).layer(MetricsLayer::new(metrics))),
        ),
    ]
}

fn stream() -> Response {
    let events = stream::iter(events::events().map(Ok::<_, Infallible>));
    let body = Body::from_stream(events);
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}
