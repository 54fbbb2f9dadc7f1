//! A complete gateway on actix-web: forwards to an OpenAI-compatible API, and serves its metrics on `:9092`.
//!
//! ```sh
//! OPENAI_BASE_URL=https://api.openai.com/v1 cargo run --package brightstaff-metrics-actix --example actix-gateway
//! ```
//!
//! It listens on `BIND_ADDRESS` (127.0.0.1:12000); the metrics are on `METRICS_BIND_ADDRESS`, and are pushed where
//! `OTEL_EXPORTER_OTLP_ENDPOINT` says so.

use std::{env, error::Error, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    rt,
    web::{self, Bytes, Data, PayloadConfig},
};
use brightstaff_exporter::{
    Exporter,
    otlp::{Otlp, Push},
};
use brightstaff_metrics_actix::{
    ErrorClass, Metrics, MetricsMiddleware, NoUpstream, prometheus::Registry, relay, trace_context,
};
use serde_json::{Value, json};

/// So long a provider may take to the head of its response.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// So long it may be silent: over HTTP/2, actix looks for a client that is gone only when there is something to
/// send.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(120);

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let commit = option_env!("GIT_SHA").unwrap_or("unknown");
    let metrics = Metrics::builder()
        .version(env!("CARGO_PKG_VERSION"))
        .git_sha(commit)
        .upstreams([("openai", "gpt-4o")])
        .register(&registry)?;
    let pushing = Otlp::from_env(&registry)?.map(Push::start).transpose()?;
    rt::spawn(Exporter::from_env(registry)?.bind().await?.serve());

    let gateway = Data::new(Gateway::new(metrics.clone())?);
    let app = move || {
        App::new()
            .route("/v1/chat/completions", web::post().to(forward))
            .route("/v1/embeddings", web::post().to(forward))
            .route("/v1/responses", web::post().to(forward))
            .app_data(gateway.clone())
            .app_data(PayloadConfig::new(32 << 20))
            .wrap(MetricsMiddleware::new(metrics.clone()))
    };

    let server = HttpServer::new(app).bind(setting("BIND_ADDRESS", "127.0.0.1:12000"))?;
    let server = server.h1_allow_half_closed(false).tcp_nodelay(true);
    server.run().await?;
    if let Some(pushing) = pushing {
        pushing.shutdown(Duration::from_secs(5)).await;
    }
    Ok(())
}

/// A call to the provider: whatever becomes of it, it is recorded.
async fn forward(gateway: Data<Gateway>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let mut asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let model = asked["model"].as_str().unwrap_or("unknown");
    let call = gateway.metrics.upstream("openai", model).start();
    // The slowest calls lead to their traces, where the client sent a `traceparent`.
    let mut call = call.in_trace(trace_context(request.headers()));
    let body = match ask_for_usage(request.path(), &mut asked) {
        true => asked.to_string().into(),
        false => body,
    };
    let key = request.headers().get("authorization");
    let answer = gateway.send(request.path(), key, body);
    match call.within(HEAD_TIMEOUT, answer).await {
        Ok(Ok(answer)) => relay(call.observe(answer)),
        Ok(Err(error)) => {
            call.fail(ErrorClass::of(&error));
            own_answer(StatusCode::BAD_GATEWAY)
        }
        Err(_timed_out) => own_answer(StatusCode::GATEWAY_TIMEOUT),
    }
}

/// The tokens of a stream are told only where the request asks for them. (A Responses stream always tells.) The client
/// gets one more chunk then, without choices, which the gateway of `brightstaff-exporter` takes out again behind the meter.
/// Whether the request has to be sent anew.
fn ask_for_usage(path: &str, asked: &mut Value) -> bool {
    let options = &asked["stream_options"];
    if path == "/v1/responses" || asked["stream"] != true || !options["include_usage"].is_null() {
        return false;
    }
    if !options.is_object() {
        asked["stream_options"] = json!({});
    }
    asked["stream_options"]["include_usage"] = true.into();
    true
}

/// A response of the gateway itself: no provider's.
fn own_answer(status: StatusCode) -> HttpResponse {
    let mut answer = HttpResponse::new(status);
    answer.extensions_mut().insert(NoUpstream);
    answer
}

type Answer = reqwest::Result<http::Response<reqwest::Body>>;

#[derive(Clone)]
struct Gateway {
    metrics: Metrics,
    client: reqwest::Client,
    base: String,
}

impl Gateway {
    fn new(metrics: Metrics) -> reqwest::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default(); // unless there is one
        let client = reqwest::Client::builder().read_timeout(SILENCE_TIMEOUT);
        Ok(Self {
            metrics,
            client: client.build()?,
            base: setting("OPENAI_BASE_URL", "https://api.openai.com/v1"),
        })
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
