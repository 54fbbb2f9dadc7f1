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
mod failover;
mod fields;
mod form;
mod forward;
mod front;
mod headers;
mod hidden_usage;
mod inbound;
mod leads;
mod live;
mod metrics;
mod models;
mod pass;
mod passing;
mod patience;
mod probe;
mod reply;
mod request_id;
mod routing;
mod sessions;
mod sockets;
mod subprotocols;
mod tls;
mod tunnel;
mod unknown;
mod upgrade;
mod upload;

use std::{net::SocketAddr, sync::Arc};

use brightstaff_metrics_axum::{MetricsLayer, MetricsService};
use brightstaff_metrics_core::Metrics;
use serde_json::Value;
use tower_layer::Layer as _;

use self::{
    access::Access, directory::Directory, entrance::Entrance, front::Front, live::Live,
    upload::Uploads,
};
pub(crate) use self::{
    live::{Readiness, Reloader},
    metrics::{register, warn_of_open_models},
    sessions::Sessions,
};
use crate::{config::Config, serve::RequestBody};

/// A request as it comes from its connection.
type Request = axum::http::Request<RequestBody>;

/// The gateway, ready to be served.
#[derive(Debug)]
pub(crate) struct Gateway {
    config: Config,
    inside: Inside,
}

/// The gateway, as it listens.
#[derive(Debug)]
pub(crate) struct Listening {
    /// What answers every request, guarded and measured.
    pub(crate) service: Front<MetricsService<Entrance>>,
    pub(crate) reloader: Reloader,
    pub(crate) readiness: Readiness,
}

/// What every request is answered from, by one configuration.
#[derive(Debug)]
struct Inside {
    access: Access,
    shared: Shared,
}

/// The same, for what was let in.
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
        Ok(Self {
            config: config.clone(),
            inside: Inside::new(config, metrics, None)?,
        })
    }

    /// Where sessions are kept, which outlives the service.
    pub(crate) fn sessions(&self) -> Arc<Sessions> {
        Arc::clone(&self.inside.shared.sessions)
    }

    /// Where requests lead, a line for each kind.
    pub(crate) fn leads(&self) -> Vec<String> {
        leads::of(&self.inside.shared.directory)
    }

    /// For a gateway that listens here.
    pub(crate) fn listening(self, address: SocketAddr) -> Listening {
        let metrics = MetricsLayer::new(self.inside.shared.metrics.clone());
        let live = Live::new(self.inside.bound_to(address));
        let named = Arc::clone(&live);
        Listening {
            reloader: Reloader::new(&live, address, self.config),
            readiness: Readiness::new(&live),
            service: Front::new(
                metrics
                    .handler_fn(move |request| named.handler(request))
                    .layer(Entrance::new(live)),
            ),
        }
    }
}

impl Inside {
    /// `before` is what it takes the place of, which is left as it is where something is wrong.
    fn new(config: &Config, metrics: Metrics, before: Option<&Self>) -> anyhow::Result<Self> {
        config.check()?;
        let access = Access::new(config, before.map(|before| &before.access))?;
        let before = before.map(|before| &before.shared);
        let sessions = match before {
            Some(before) => before.sessions.named_by(&config.sessions),
            None => Sessions::new(&config.sessions, metrics.clone())?,
        };
        let directory = before.map(|before| &before.directory);
        let directory = Directory::new(config, metrics.clone(), directory)?;
        Ok(Self {
            access,
            shared: Shared {
                metrics,
                directory,
                sessions: Arc::new(sessions),
                uploads: Uploads::new(config, before.map(|before| &before.uploads)),
                models: models::models(config),
                agents: models::agents(config),
            },
        })
    }

    /// For a gateway that listens here.
    fn bound_to(self, address: SocketAddr) -> Self {
        Self {
            access: self.access.bound_to(address),
            ..self
        }
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
