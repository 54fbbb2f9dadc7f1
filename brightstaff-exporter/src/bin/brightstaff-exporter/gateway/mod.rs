//! A reverse proxy for LLM APIs that measures what passes through it.
//!
//! Requests are read to their end, since their model decides where they go; responses pass as they come,
//! whatever they say. Nothing is translated between APIs: a request goes to the same path as it came
//! to, under the base of its destination, and only its model's name may change on the way.

mod access;
mod body;
mod budget;
mod client;
mod credentials;
mod destination;
mod directory;
mod error;
mod fields;
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
mod upload;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
use brightstaff_metrics_axum::MetricsLayer;
use brightstaff_metrics_core::{Metrics, labels::RouteKind};
use serde_json::Value;

use self::{
    access::{Access, gate},
    directory::Directory,
    error::Refusal,
    upload::Uploads,
};
pub(crate) use self::{
    metrics::{builder, register, register_as, warn_of_open_models},
    sessions::Sessions,
};
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
    access: Access,
    shared: Shared,
}

/// What every request is answered from.
#[derive(Debug)]
struct Shared {
    metrics: Metrics,
    directory: Directory,
    sessions: Arc<Sessions>,
    uploads: Uploads,
    models: Value,
    agents: Value,
}

impl Gateway {
    /// Reads the keys from the environment, and the clients' tokens, and prepares connections; makes none.
    pub(crate) fn new(config: &Config, metrics: Metrics) -> anyhow::Result<Self> {
        config.check()?;
        let shared = Shared {
            directory: Directory::new(config, metrics.clone())?,
            sessions: Arc::new(Sessions::new(&config.sessions, metrics.clone())?),
            metrics,
            uploads: Uploads::new(config),
            models: models::models(config),
            agents: models::agents(config),
        };
        let access = Access::new(config)?;
        Ok(Self { access, shared })
    }

    /// Where sessions are kept, which outlives the router.
    pub(crate) fn sessions(&self) -> Arc<Sessions> {
        Arc::clone(&self.shared.sessions)
    }

    /// Every route, guarded and measured, for a gateway that listens here.
    pub(crate) fn router(self, address: SocketAddr) -> Router {
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
            .layer(middleware::from_fn_with_state(
                Arc::new(self.access.bound_to(address)),
                gate,
            ))
            .layer(MetricsLayer::new(self.shared.metrics.clone()))
            .with_state(Arc::new(self.shared))
    }
}

/// Says that whoever reaches the gateway uses the operator's keys, where that is more than this machine.
pub(crate) fn warn_of_open_gateway(config: &Config, address: SocketAddr) {
    let tokens = config.client_tokens_env.is_some() || config.client_tokens_file.is_some();
    let providers = config.providers.values().map(|p| &p.api_key_env);
    let mut keys = providers.chain(config.agents.values().map(|agent| &agent.api_key_env));
    if !tokens && !address.ip().to_canonical().is_loopback() && keys.any(Option::is_some) {
        tracing::warn!(
            "whoever reaches {address} uses the keys of api_key_env: set client_tokens_env or \
             client_tokens_file, or listen on 127.0.0.1"
        );
    }
}

type Gate = State<Arc<Shared>>;

async fn ask_model(State(shared): Gate, request: Request) -> impl IntoResponse {
    forward::forward(&shared, RouteKind::Llm, request).await
}

async fn ask_agent(State(shared): Gate, request: Request) -> impl IntoResponse {
    forward::forward(&shared, RouteKind::Agent, request).await
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
