//! The same small gateway, bare and with layers, for the bench and the count of allocations.

use std::{
    convert::Infallible,
    hint::black_box,
    pin::pin,
    sync::OnceLock,
    task::{Context, Poll, Waker},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use brightstaff_metrics_axum::{Metrics, MetricsLayer, Upstream};
use bytes::Bytes;
use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use tower::{Layer, Service};

#[path = "floor.rs"]
mod floor;

/// Answers a request, and reads the response to its end.
pub(crate) type App = Box<dyn FnMut(Request<Body>) -> StatusCode>;

/// What is compared with each other; the first is the gateway without metrics.
pub(crate) type Apps = Vec<(&'static str, App)>;

/// A layer by hand is the floor: it reads the clock at both ends of a request, and counts it.
pub(crate) use floor::Floor;

/// A response of a provider, 1 KB of JSON.
pub(crate) const ANSWER: &str = include_str!("answer.json");

/// The gateway without metrics.
pub(crate) fn router() -> Router {
    Router::new()
        .route(
            "/v1/chat/completions",
            post(|| async { r#"{"model":"gpt-4o"}"# }),
        )
        .route("/v1/files/{id}", get(|| async { "a file" }))
}

/// The gateway without metrics, which hands a provider's response on.
pub(crate) fn relay() -> Router {
    let handler = || async { answer().into_response() };
    Router::new().route("/v1/chat/completions", post(handler))
}

/// One whose handler tells of its call.
fn observed(upstream: Upstream) -> Router {
    async fn handler(State(upstream): State<Upstream>) -> Response {
        upstream.start().observe(answer()).into_response()
    }
    let router = Router::new().route("/v1/chat/completions", post(handler));
    router.with_state(upstream)
}

/// What a client gave.
pub(crate) fn answer() -> Response<Full<Bytes>> {
    let response = Response::builder().header(CONTENT_TYPE, "application/json");
    let body = Full::new(Bytes::from_static(ANSWER.as_bytes()));
    response.body(body).unwrap()
}

/// Those of a process that has one, for all that leave marks: the marks of the first take no memory.
pub(crate) fn metrics() -> Metrics {
    static ONE: OnceLock<Metrics> = OnceLock::new();
    ONE.get_or_init(more_metrics).clone()
}

/// Those of a layer that no other is beside of.
fn own_metrics() -> Metrics {
    metrics();
    more_metrics()
}

fn more_metrics() -> Metrics {
    let registry = prometheus::Registry::new();
    // The reading of the process does not run under valgrind, which counts instructions.
    let builder = Metrics::builder().process(false);
    builder
        .upstreams([("openai", "gpt-4o")])
        .register(&registry)
        .unwrap()
}

/// The gateways to compare inside of their router, where any layer costs axum's boxing.
pub(crate) fn inside() -> Apps {
    vec![
        ("bare", routed(router())),
        ("floor, in the router", routed(router().layer(Floor))),
        (
            "metrics, in the router",
            routed(router().layer(MetricsLayer::new(metrics()))),
        ),
        (
            "metrics, innermost",
            routed(router().layer(MetricsLayer::new(metrics()).innermost())),
        ),
    ]
}

/// Those around it.
pub(crate) fn around() -> Apps {
    let inner = || router().with_state::<()>(());
    vec![
        ("bare", app(inner())),
        ("floor, around the router", app(Floor.layer(inner()))),
        (
            "metrics, around the router",
            app(MetricsLayer::new(own_metrics()).layer(inner())),
        ),
    ]
}

/// Those that hand a provider's response on.
pub(crate) fn calls() -> Apps {
    let metrics = metrics();
    let observed = observed(metrics.upstream("openai", "gpt-4o"));
    // Of metrics of their own: where calls are implied, those that are told leave marks.
    let implicit = MetricsLayer::new(own_metrics()).implicit("openai");
    vec![
        ("bare, 1 KB JSON", routed(relay())),
        ("floor, 1 KB JSON", routed(relay().layer(Floor))),
        (
            "explicit call",
            routed(observed.layer(MetricsLayer::new(metrics))),
        ),
        (
            "implicit call, innermost",
            routed(relay().layer(implicit.innermost())),
        ),
    ]
}

/// As `axum::serve` does: turns handlers into routes once, not at each request.
pub(crate) fn routed(router: Router) -> App {
    app(router.with_state::<()>(()))
}

/// As a server does it: the future and the body stay where they are.
pub(crate) fn app<S, B>(mut service: S) -> App
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + 'static,
    B: http_body::Body<Data = Bytes>,
{
    const READY: &str = "nothing here waits";
    Box::new(move |request| {
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(answer)) = pin!(service.call(request)).poll(&mut context) else {
            panic!("{READY}");
        };
        let status = answer.status();
        let mut body = pin!(answer.into_body());
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
            black_box(frame.ok());
        }
        status
    })
}

pub(crate) fn request() -> Request<Body> {
    Request::post("/v1/chat/completions")
        .body(Body::empty())
        .unwrap()
}
