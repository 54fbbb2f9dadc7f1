//! A gateway with a bug: its handler panics at some requests. What its metrics say of that.
//!
//! ```sh
//! OPENAI_BASE_URL=https://api.openai.com/v1 cargo run --package brightstaff-metrics-axum --example axum-panics
//! ```
//!
//! It listens on `BIND_ADDRESS` (127.0.0.1:12000); the metrics are on `METRICS_BIND_ADDRESS`. A message whose content is a
//! list of parts makes it panic. The client gets no response, so the request counts as
//! `brightstaff_http_requests_total{status_class="error"}`. The call has `error_class="other"` beside its status, and is no
//! fault of the provider's: `BrightstaffHttpErrorBudgetFastBurn` fires, and `BrightstaffUpstreamErrorBudgetFastBurn` does not.

use std::{env, error::Error};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use brightstaff_exporter::Exporter;
use brightstaff_metrics_axum::{
    ErrorClass, Metrics, MetricsLayer, NoUpstream, prometheus::Registry,
};
use serde_json::Value;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let metrics = Metrics::builder()
        .upstreams([("openai", "gpt-4o")])
        .register(&registry)?;
    tokio::spawn(Exporter::from_env(registry)?.bind().await?.serve());

    let _ = rustls::crypto::ring::default_provider().install_default(); // unless there is one
    let gateway = Gateway {
        metrics: metrics.clone(),
        client: reqwest::Client::new(),
        base: setting("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    };
    let app = Router::new()
        .route("/v1/chat/completions", post(chat))
        .with_state(gateway)
        .layer(MetricsLayer::new(metrics));

    let listener = TcpListener::bind(setting("BIND_ADDRESS", "127.0.0.1:12000")).await?;
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    axum::serve(listener, app).await?;
    Ok(())
}

#[derive(Clone)]
struct Gateway {
    metrics: Metrics,
    client: reqwest::Client,
    base: String,
}

async fn chat(State(gateway): State<Gateway>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let call = gateway.metrics.upstream("openai", "gpt-4o").start();
    let url = format!("{}/chat/completions", gateway.base);
    let mut sent = gateway.client.post(url).body(body);
    for name in ["authorization", "content-type"] {
        sent = sent.header(name, headers.get(name).map_or(&[][..], AsRef::as_ref));
    }
    let response = match sent.send().await {
        Ok(response) => call.observe(http::Response::from(response)),
        Err(error) => {
            call.fail(ErrorClass::of(&error));
            return (StatusCode::BAD_GATEWAY, Extension(NoUpstream)).into_response();
        }
    };
    let prompt = request["messages"][0]["content"].as_str();
    // The bug: it may as well be a list of parts.
    let prompt = prompt.expect("the content of a message is a text");
    println!(
        "{} for a prompt of {} bytes",
        response.status(),
        prompt.len()
    );
    response.into_response()
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
