//! The service: written as the crate's documentation says, with what such services have.

use std::{convert::Infallible, path::Path as Files, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    body::{Body, Bytes},
    extract::{Path, State, WebSocketUpgrade},
    http::StatusCode,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use brightstaff_metrics_axum::{ErrorClass, Metrics, MetricsLayer, NoUpstream};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::Notify;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, cors::CorsLayer,
    limit::RequestBodyLimitLayer, services::ServeDir, timeout::TimeoutLayer, trace::TraceLayer,
};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) metrics: Metrics,
    pub(crate) client: reqwest::Client,
    /// Where the provider is.
    pub(crate) provider: String,
    /// A handler that never answers has begun.
    pub(crate) entered: Arc<Notify>,
}

const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(50);

fn time_out(limit: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, limit)
}

pub(crate) fn app(gateway: Gateway, files: &Files) -> Router {
    let api = Router::new().route("/items/{id}", get(item));
    let pages = Router::new().route(
        "/about",
        get(|| async { "About this gateway. ".repeat(50) }),
    );
    let layers = ServiceBuilder::new()
        .layer(CompressionLayer::new())
        .layer(MetricsLayer::new(gateway.metrics.clone()).skip("/healthz"))
        .layer(TraceLayer::new_for_http())
        .layer(CorsLayer::permissive())
        .layer(CatchPanicLayer::new())
        .layer(RequestBodyLimitLayer::new(1024))
        .layer(time_out(MINUTE));
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/v1/chat/completions", post(chat))
        .route("/events", get(|| async { Sse::new(events().take(3)) }))
        .route("/events/endless", get(endless))
        .route("/ws", get(web_socket))
        .route("/panic", get(panics))
        .route("/hang", get(hang))
        .route(
            "/slow",
            get(std::future::pending::<()>).layer(time_out(SOON)),
        )
        .route(
            "/upload",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .nest("/api", api)
        .merge(pages)
        .fallback_service(ServeDir::new(files))
        .with_state(gateway)
        .layer(layers)
}

async fn item(Path(id): Path<u32>) -> Json<u32> {
    Json(id)
}

fn events() -> impl Stream<Item = Result<Event, Infallible>> {
    stream::repeat_with(|| Ok(Event::default().data("tick")))
}

async fn endless() -> impl IntoResponse {
    let tick = |event| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        event
    };
    Sse::new(events().then(tick)).keep_alive(KeepAlive::default())
}

async fn web_socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket| async move {
        let _ = socket.send("hello".into()).await;
    })
}

async fn panics() {
    panic!("as asked");
}

async fn hang(State(gateway): State<Gateway>) {
    gateway.entered.notify_one();
    std::future::pending::<()>().await;
}

/// Forwards to the provider, within a time of its own, which is shorter than that around all handlers.
async fn chat(State(gateway): State<Gateway>, body: Bytes) -> Response {
    let mut call = gateway.metrics.upstream("openai", "gpt-4o").start();
    // A test wants a provider that is not there.
    let url = match body.starts_with(b"nobody") {
        true => "http://127.0.0.1:1",
        false => &gateway.provider,
    };
    let limit = if body.starts_with(b"hang") {
        SOON
    } else {
        MINUTE
    };
    let sent = gateway.client.post(url).body(body).send();
    match call.within(limit, sent).await {
        Ok(Ok(response)) => {
            let (parts, body) = call.observe(response.into()).into_parts();
            let mut response = (parts.status, Body::new(body)).into_response();
            // What marks it as measured, and the only header that this gateway hands on.
            *response.extensions_mut() = parts.extensions;
            if let Some(value) = parts.headers.get("content-type") {
                response.headers_mut().insert("content-type", value.clone());
            }
            response
        }
        Ok(Err(error)) => {
            call.fail(ErrorClass::of(&error));
            (StatusCode::BAD_GATEWAY, Extension(NoUpstream)).into_response()
        }
        Err(_timed_out) => (StatusCode::GATEWAY_TIMEOUT, Extension(NoUpstream)).into_response(),
    }
}
