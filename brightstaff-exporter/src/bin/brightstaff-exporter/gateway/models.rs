//! What the gateway answers to `GET /v1/models` and `GET /agents/v1/models` where no destination answers for itself: what
//! is configured, in OpenAI's form. It is no call to a model, so nothing is recorded.

use serde_json::{Value, json};

use crate::config::{Config, Target};

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
