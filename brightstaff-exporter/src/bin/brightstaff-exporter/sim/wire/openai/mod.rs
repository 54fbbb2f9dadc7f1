//! OpenAI's API.

mod audio;
mod chat;
mod images;
mod legacy;
mod objects;
mod responses;

use serde_json::{Value, json};

pub(super) use self::{chat::usage, legacy::embeddings, objects::answer as objects};
use super::{Ask, CREATED};
use crate::sim::{behaviour::Behaviour, script::Script, serve::Provider};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    let ["v1", path @ ..] = path else { return None };
    Some(match (ask.method(), path) {
        ("POST", ["chat", "completions"]) => chat::answer(ask, behaviour),
        ("POST", ["completions"]) => legacy::completion(ask, behaviour),
        ("POST", ["embeddings"]) => embeddings(ask, behaviour),
        ("POST", ["responses"]) => responses::answer(ask, behaviour),
        ("POST", ["responses", "compact"]) => responses::compacted(behaviour),
        ("POST", ["responses", "input_tokens"]) => Script::document(
            &json!({"object": "response.input_tokens", "input_tokens": behaviour.content.prompt}),
        ),
        ("GET", ["responses", id]) => responses::kept(id, ask, behaviour),
        ("POST", ["responses", id, "cancel"]) => responses::kept(id, ask, behaviour),
        ("POST", ["images", "generations" | "edits" | "variations"]) => {
            images::answer(ask, path[1], behaviour)
        }
        ("POST", ["audio", "transcriptions"]) => audio::transcription(ask, behaviour),
        ("POST", ["audio", "translations"]) => audio::translation(behaviour),
        ("POST", ["audio", "speech"]) => audio::speech(ask, behaviour),
        ("POST", ["moderations"]) => moderations(ask),
        ("GET", ["models"]) => models(Provider::OpenAi),
        ("GET", ["models", id]) => Script::document(&model(id)),
        ("POST", ["rerank"]) => super::rerank::jina(ask, behaviour),
        (method, path) => objects(method, path)?,
    })
}

/// The list of a provider's models.
pub(super) fn models(provider: Provider) -> Script {
    let models: Vec<_> = provider.models().iter().map(|id| model(id)).collect();
    Script::document(&json!({"object": "list", "data": models}))
}

pub(super) fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": "simulated"})
}

/// The same of every text.
pub(super) fn moderations(ask: &Ask) -> Script {
    let input = &ask.body["input"];
    let one = json!({
        "flagged": false,
        "categories": {"violence": false, "sexual": false},
        "category_scores": {"violence": 0.01, "sexual": 0.01},
        "category_applied_input_types": {"violence": ["text"], "sexual": ["text"]},
    });
    let results: Vec<_> = (0..super::inputs(input)).map(|_| one.clone()).collect();
    Script::document(&json!({"id": "modr-simulated", "model": ask.model(), "results": results}))
}
