//! A complete gateway on axum: forwards to an OpenAI-compatible API, and serves its metrics on `:9092`.
//!
//! ```sh
//! OPENAI_BASE_URL=https://api.openai.com/v1 cargo run --package brightstaff-metrics-axum --example axum-gateway
//! ```
//!
//! It listens on `BIND_ADDRESS` (127.0.0.1:12000); the metrics are on `METRICS_BIND_ADDRESS`, and are pushed where
//! `OTEL_EXPORTER_OTLP_ENDPOINT` says so.

use std::{env, error::Error, time::Duration};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use brightstaff_exporter::{
    Exporter,
    otlp::{Otlp, Push},
};
use brightstaff_metrics_axum::{
    ErrorClass, Metrics, MetricsLayer, NoUpstream, TraceContext, prometheus::Registry,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let commit = option_env!("GIT_SHA").unwrap_or("unknown");
    let metrics = Metrics::builder()
        .version(env!("CARGO_PKG_VERSION"))
        .git_sha(commit)
        .upstreams([("openai", "gpt-4o")])
        .register(&registry)?;
    let pushing = Otlp::from_env(&registry)?.map(Push::start).transpose()?;
    tokio::spawn(Exporter::from_env(registry)?.bind().await?.serve());

    let gateway = Gateway::new(metrics.clone());
    let app = Router::new()
        .route("/v1/chat/completions", post(forward))
        .route("/v1/embeddings", post(forward))
        .route("/v1/responses", post(forward))
        .with_state(gateway)
        .layer(DefaultBodyLimit::max(32 << 20))
        .layer(MetricsLayer::new(metrics));

    let listener = TcpListener::bind(setting("BIND_ADDRESS", "127.0.0.1:12000")).await?;
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    if let Some(pushing) = pushing {
        pushing.shutdown(Duration::from_secs(5)).await;
    }
    Ok(())
}

/// How long the provider may take until its headers: less than whatever stands around the gateway, or a provider that
/// hangs looks like a client that left.
const HEADERS_WITHIN: Duration = Duration::from_secs(120);

/// A call to the provider: whatever becomes of it, it is recorded.
async fn forward(
    State(gateway): State<Gateway>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (model, body) = with_usage(uri.path(), body);
    let call = gateway.metrics.upstream("openai", &model).start();
    // The slowest calls lead to their traces, where the client sent a `traceparent`.
    let mut call = call.in_trace(TraceContext::of(&headers));
    let key = headers.get("authorization");
    let sent = gateway.send(uri.path(), key, body);
    match call.within(HEADERS_WITHIN, sent).await {
        Ok(Ok(response)) => call.observe(response).into_response(),
        Ok(Err(error)) => {
            call.fail(ErrorClass::of(&error));
            (StatusCode::BAD_GATEWAY, Extension(NoUpstream)).into_response()
        }
        Err(_timed_out) => (StatusCode::GATEWAY_TIMEOUT, Extension(NoUpstream)).into_response(),
    }
}

/// The model that a request names, and the request. One that is streamed asks for its usage as well: OpenAI, and most of
/// those whose APIs are like its own, tell it only where it is asked for. The client gets one more chunk then, without
/// choices (which the gateway of `brightstaff-exporter` takes out again behind the meter).
pub(crate) fn with_usage(path: &str, body: Bytes) -> (String, Bytes) {
    let mut request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let model = request["model"].as_str().unwrap_or("unknown").to_owned();
    let streamed = path == "/v1/chat/completions" && request["stream"] == true;
    if !streamed || request["stream_options"]["include_usage"].is_boolean() {
        return (model, body);
    }
    match &mut request["stream_options"] {
        Value::Object(options) => drop(options.insert("include_usage".to_owned(), true.into())),
        options => *options = json!({"include_usage": true}),
    }
    (model, request.to_string().into())
}

type Sent = reqwest::Result<http::Response<reqwest::Body>>;

#[derive(Clone)]
struct Gateway {
    metrics: Metrics,
    client: reqwest::Client,
    base: String,
}

impl Gateway {
    fn new(metrics: Metrics) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default(); // unless there is one
        Self {
            metrics,
            client: reqwest::Client::new(),
            base: setting("OPENAI_BASE_URL", "https://api.openai.com/v1"),
        }
    }

    /// Asks the provider.
    async fn send(&self, path: &str, key: Option<&impl AsRef<[u8]>>, body: Bytes) -> Sent {
        let url = format!("{}{}", self.base, path.trim_start_matches("/v1"));
        let request = self.client.post(url).body(body);
        let request = request.header("content-type", "application/json");
        let request = request.header("authorization", key.map_or(&[][..], AsRef::as_ref));
        let mut response = http::Response::from(request.send().await?);
        // They belong to the connection to the provider; beside chunks, a length is none (RFC 9112, 6.3).
        if response.headers_mut().remove("transfer-encoding").is_some() {
            response.headers_mut().remove("content-length");
        }
        for name in ["connection", "keep-alive"] {
            response.headers_mut().remove(name);
        }
        Ok(response)
    }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

#[cfg(test)]
#[path = "gateway/tests.rs"]
mod tests;
