//! A reverse proxy for LLM APIs that measures what passes through it.
//!
//! Requests are read to their end, since their model decides where they go; answers pass as they come,
//! whatever they say. Nothing is translated between APIs: a request goes to the same path as it came
//! to, under the base of its destination, and only its model's name may change on the way.

mod body;
mod client;
mod destination;
mod directory;
mod error;
mod forward;
mod headers;
mod inbound;
mod metrics;
mod models;
mod patience;
mod routing;
mod sessions;
mod tls;
mod unknown;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use brightstaff_metrics_axum::MetricsLayer;
use brightstaff_metrics_core::{Metrics, labels::Route};
use serde_json::Value;

pub(crate) use self::metrics::{register, warn_of_open_models};
use self::{directory::Directory, error::Refusal, sessions::Sessions};
use crate::config::Config;

/// Where models are asked.
const LLM: [&str; 5] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
];

/// What has a form under `/agents` and one under `/routing`.
const CHAT: [&str; 3] = ["/v1/chat/completions", "/v1/messages", "/v1/responses"];

/// The gateway, ready to be served.
#[derive(Debug)]
pub(crate) struct Gateway {
    shared: Shared,
}

/// What every request is answered from.
#[derive(Debug)]
struct Shared {
    metrics: Metrics,
    directory: Directory,
    sessions: Sessions,
    max_request_bytes: usize,
    models: Value,
    agents: Value,
}

impl Gateway {
    /// Reads the keys from the environment, and prepares connections; makes none.
    pub(crate) fn new(config: &Config, metrics: Metrics) -> anyhow::Result<Self> {
        config.check()?;
        let shared = Shared {
            directory: Directory::new(config, metrics.clone())?,
            sessions: Sessions::new(&config.sessions, metrics.clone()),
            metrics,
            max_request_bytes: config.max_request_bytes,
            models: models::models(config),
            agents: models::agents(config),
        };
        Ok(Self { shared })
    }

    /// Every route, measured.
    pub(crate) fn router(self) -> Router {
        let mut router = Router::new()
            .route("/v1/models", get(list_models))
            .route("/agents/v1/models", get(list_agents));
        for path in LLM {
            router = router.route(path, post(ask_model));
        }
        for path in CHAT {
            router = router
                .route(&format!("/agents{path}"), post(ask_agent))
                .route(&format!("/routing{path}"), post(ask_routing));
        }
        router
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(MetricsLayer::new(self.shared.metrics.clone()))
            .with_state(Arc::new(self.shared))
    }
}

type Gate = State<Arc<Shared>>;

async fn ask_model(State(shared): Gate, request: Request) -> impl IntoResponse {
    forward::forward(&shared, Route::Llm, request).await
}

async fn ask_agent(State(shared): Gate, request: Request) -> impl IntoResponse {
    forward::forward(&shared, Route::Agent, request).await
}

async fn ask_routing(State(shared): Gate, request: Request) -> impl IntoResponse {
    routing::decide(&shared, request).await
}

async fn list_models(State(shared): Gate, request: Request) -> impl IntoResponse {
    models::list(shared.directory.only_provider(), &shared.models, request).await
}

async fn list_agents(State(shared): Gate, request: Request) -> impl IntoResponse {
    models::list(shared.directory.only_agent(), &shared.agents, request).await
}

async fn not_found() -> impl IntoResponse {
    Refusal::request("unknown_url", "there is nothing at this path")
        .with_status(StatusCode::NOT_FOUND)
}

async fn method_not_allowed() -> impl IntoResponse {
    Refusal::request("method_not_allowed", "this path takes another method")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
