//! A complete gateway on axum: forwards to an OpenAI-compatible API, and serves its metrics on `:9092`.
//!
//! ```sh
//! OPENAI_BASE_URL=https://api.openai.com/v1 cargo run --package brightstaff-metrics-axum --example axum-gateway
//! ```
//!
//! It listens on `BIND_ADDRESS` (127.0.0.1:12000); the metrics are on `METRICS_BIND_ADDRESS`.

use std::{env, error::Error};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use brightstaff_exporter::Exporter;
use brightstaff_metrics_axum::{
    Metrics, MetricsLayer, NoUpstream, brightstaff_metrics_core::labels::ErrorClass,
};
use prometheus::Registry;
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
    axum::serve(listener, app).await?;
    Ok(())
}

/// A call to the provider: whatever becomes of it, it is recorded.
async fn forward(
    State(gateway): State<Gateway>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = gateway.metrics.upstream("openai", &model(&body)).start();
    let key = headers.get("authorization");
    match gateway.send(uri.path(), key, body).await {
        Ok(answer) => call.observe(answer).into_response(),
        Err(error) => {
            call.fail(ErrorClass::from(&error));
            (StatusCode::BAD_GATEWAY, Extension(NoUpstream)).into_response()
        }
    }
}

type Answer = reqwest::Result<http::Response<reqwest::Body>>;

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
    async fn send(&self, path: &str, key: Option<&impl AsRef<[u8]>>, body: Bytes) -> Answer {
        let url = format!("{}{}", self.base, path.trim_start_matches("/v1"));
        let request = self.client.post(url).body(body);
        let request = request.header("content-type", "application/json");
        let request = request.header("authorization", key.map_or(&[][..], AsRef::as_ref));
        let mut answer = http::Response::from(request.send().await?);
        // They belong to the connection to the provider; beside chunks, a length is none (RFC 9112, 6.3).
        if answer.headers_mut().remove("transfer-encoding").is_some() {
            answer.headers_mut().remove("content-length");
        }
        for name in ["connection", "keep-alive"] {
            answer.headers_mut().remove(name);
        }
        Ok(answer)
    }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// The model that a request names.
fn model(body: &[u8]) -> String {
    let request: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    request["model"].as_str().unwrap_or("unknown").to_owned()
}
