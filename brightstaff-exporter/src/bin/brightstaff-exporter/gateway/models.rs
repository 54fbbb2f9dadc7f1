//! `GET /v1/models` and `GET /agents/v1/models`.
//!
//! The only destination of its kind answers for itself. Where there are several, or none, the gateway
//! lists what is configured, in OpenAI's form. Neither is a call to a model, so nothing is recorded.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Json,
    body::Body,
    http::{Method, Response},
};
use brightstaff_metrics_core::NoUpstream;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Request,
    destination::{Destination, Outgoing},
    entrance::{ResponseBody, whole},
    error::Refusal,
    forward::pass_on,
    headers::strip_request,
    inbound::forwarded_path,
};
use crate::config::{Config, Target};

/// Lets the only destination answer, or answers with this list.
pub(super) async fn list(
    only: Option<&Arc<Destination>>,
    listing: &Value,
    request: Request,
) -> Result<Response<ResponseBody>, Refusal> {
    let mut response = match only {
        None => whole(Json(listing)),
        Some(destination) => ask(destination, request).await?,
    };
    response.extensions_mut().insert(NoUpstream);
    Ok(response)
}

async fn ask(
    destination: &Destination,
    request: Request,
) -> Result<Response<ResponseBody>, Refusal> {
    let (mut parts, _) = request.into_parts();
    strip_request(&mut parts.headers);
    let out = || Outgoing {
        method: Method::GET,
        path: forwarded_path(parts.uri.path()),
        query: parts.uri.query().map(Cow::Borrowed),
        headers: parts.headers.clone(),
        body: Bytes::new(),
    };
    let mut response = destination
        .send(out(), || Some(out()))
        .await
        .map_err(|failure| Refusal::upstream(&destination.name, &failure))?;
    pass_on(&mut response);
    Ok(response.map(|body| ResponseBody::Whole(Body::new(body))))
}

/// The models that clients can name: those of the lists, and the aliases of models.
pub(super) fn models(config: &Config) -> Value {
    let listed = config.providers.iter().flat_map(|(name, provider)| {
        let models = provider.models.iter();
        models.map(move |model| entry(&format!("{name}/{model}"), name))
    });
    listing(listed.chain(aliases(config, |target| {
        matches!(target, Target::Model { .. })
    })))
}

/// The agents that clients can name, and the aliases of agents.
pub(super) fn agents(config: &Config) -> Value {
    let agents = config.agents.keys().map(|name| entry(name, name));
    listing(agents.chain(aliases(config, |target| matches!(target, Target::Agent(_)))))
}

fn aliases(config: &Config, kind: fn(&Target) -> bool) -> impl Iterator<Item = Value> {
    let routes = config.routes.iter();
    routes
        .filter(move |(_, route)| route.candidates.iter().all(kind))
        .map(|(alias, _)| entry(alias, "gateway"))
}

fn entry(id: &str, owner: &str) -> Value {
    json!({ "id": id, "object": "model", "created": 0, "owned_by": owner })
}

fn listing(entries: impl Iterator<Item = Value>) -> Value {
    json!({ "object": "list", "data": entries.collect::<Vec<_>>() })
}
