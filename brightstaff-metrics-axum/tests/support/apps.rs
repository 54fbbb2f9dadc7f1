//! The same small gateway, bare and with layers, for the bench and the count of allocations.

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use brightstaff_metrics_axum::{Metrics, MetricsLayer, MetricsService};
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::{Layer, Service, util::MapResponseLayer};

/// A gateway with something around its router, or nothing.
pub(crate) enum App {
    Bare(Router),
    Around(MetricsService<Router>),
}

impl From<Router> for App {
    /// As `axum::serve` does: turns handlers into routes once, not at each request.
    fn from(router: Router) -> Self {
        Self::Bare(router.with_state(()))
    }
}

/// The gateway without metrics.
pub(crate) fn router() -> Router {
    Router::new()
        .route(
            "/v1/chat/completions",
            post(|| async { r#"{"model":"gpt-4o"}"# }),
        )
        .route("/v1/files/{id}", get(|| async { "a file" }))
}

/// The gateways to compare: bare, with a layer that wraps the body and does nothing (which costs axum's
/// boxing), and measured.
pub(crate) fn apps() -> Vec<(&'static str, App)> {
    let registry = prometheus::Registry::new();
    let layer = MetricsLayer::new(Metrics::builder().register(&registry).unwrap());
    let nothing = MapResponseLayer::new(|answer: Response<Body>| {
        answer.map(|body| body.map_err(|error| error))
    });
    vec![
        ("bare", router().into()),
        (
            "a body wrapped, in the router",
            router().layer(nothing).into(),
        ),
        (
            "metrics, in the router",
            router().layer(layer.clone()).into(),
        ),
        (
            "metrics, around the router",
            App::Around(layer.clone().layer(router().with_state(()))),
        ),
        (
            "metrics and implicit calls",
            router().layer(layer.implicit("openai")).into(),
        ),
    ]
}

pub(crate) fn request() -> Request<Body> {
    Request::post("/v1/chat/completions")
        .body(Body::empty())
        .unwrap()
}

/// Answers a request, and reads the response to its end.
pub(crate) fn send(app: &mut App, request: Request<Body>) -> StatusCode {
    const READY: &str = "nothing here waits";
    match app {
        App::Bare(app) => {
            let answer = app.call(request).now_or_never().expect(READY).unwrap();
            let status = answer.status();
            answer
                .into_body()
                .collect()
                .now_or_never()
                .expect(READY)
                .unwrap();
            status
        }
        App::Around(app) => {
            let answer = app.call(request).now_or_never().expect(READY).unwrap();
            let status = answer.status();
            answer
                .into_body()
                .collect()
                .now_or_never()
                .expect(READY)
                .unwrap();
            status
        }
    }
}
