//! Anthropic's API.

mod messages;
mod objects;

use serde_json::json;

pub(super) use self::messages::{answer as message, events, refusal};
use super::{Ask, CREATED_AT};
use crate::sim::{behaviour::Behaviour, script::Script, serve::Provider};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    let ["v1", path @ ..] = path else { return None };
    Some(match (ask.method(), path) {
        ("POST", ["messages"]) => messages::answer(ask, behaviour),
        ("POST", ["messages", "count_tokens"]) => {
            Script::document(&json!({"input_tokens": behaviour.content.prompt}))
        }
        ("GET", ["models"]) => models(),
        ("GET", ["models", id]) => Script::document(&model(id)),
        (method, path) => objects::answer(method, path)?,
    })
}

fn models() -> Script {
    let ids = Provider::Anthropic.models();
    let list: Vec<_> = ids.iter().map(|id| model(id)).collect();
    Script::document(
        &json!({"data": list, "has_more": false, "first_id": ids.first(), "last_id": ids.last()}),
    )
}

fn model(id: &str) -> serde_json::Value {
    json!({"type": "model", "id": id, "display_name": id, "created_at": CREATED_AT})
}
