//! A reverse proxy for LLM APIs that measures what passes through it.
//!
//! Requests whose model decides where they go, or is to be measured, are read to their end; all others pass as they come,
//! and so do responses, whatever they say. Nothing is translated between APIs: a request goes to the same path as it came
//! to, under the base of its destination, and only its model's name may change on the way.

mod access;
mod base;
mod body;
mod budget;
mod client;
mod credentials;
mod decode;
mod destination;
mod directory;
mod endpoint;
mod entrance;
mod error;
mod fields;
mod form;
mod forward;
mod front;
mod headers;
mod inbound;
mod leads;
mod metrics;
mod models;
mod pass;
mod passing;
mod patience;
mod reply;
mod request_id;
mod routing;
mod sessions;
mod tls;
mod unknown;
mod upload;

use std::{net::SocketAddr, sync::Arc};

use brightstaff_metrics_axum::{MetricsLayer, MetricsService};
use brightstaff_metrics_core::Metrics;
use serde_json::Value;
use tower_layer::Layer as _;

use self::{
    access::Access, directory::Directory, endpoint::handler, entrance::Entrance, front::Front,
    upload::Uploads,
};
pub(crate) use self::{
    metrics::{register, warn_of_open_models},
    sessions::Sessions,
};
use crate::{config::Config, serve::RequestBody};

/// A request as it comes from its connection.
type Request = axum::http::Request<RequestBody>;

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

    /// Where sessions are kept, which outlives the service.
    pub(crate) fn sessions(&self) -> Arc<Sessions> {
        Arc::clone(&self.shared.sessions)
    }

    /// Where requests lead, a line for each kind.
    pub(crate) fn leads(&self) -> Vec<String> {
        leads::of(&self.shared.directory)
    }

    /// What answers every request, guarded and measured, for a gateway that listens here.
    pub(crate) fn service(self, address: SocketAddr) -> Front<MetricsService<Entrance>> {
        let metrics = MetricsLayer::new(self.shared.metrics.clone());
        let named = Arc::clone(self.shared.directory.named());
        let entrance = Entrance::new(self.access.bound_to(address), self.shared);
        let metrics = metrics.handler_fn(move |request| handler(&named, request));
        Front::new(metrics.layer(entrance))
    }
}

/// Says that whoever reaches the gateway uses the operator's keys, where that is more than this machine.
pub(crate) fn warn_of_open_gateway(config: &Config, address: SocketAddr) {
    let tokens = config.client_tokens_env.is_some() || config.client_tokens_file.is_some();
    let keys = config.keys().next().is_some();
    if !tokens && !address.ip().to_canonical().is_loopback() && keys {
        tracing::warn!(
            "whoever reaches {address} uses the keys of api_key_env: set client_tokens_env or \
             client_tokens_file, or listen on 127.0.0.1"
        );
    }
}
