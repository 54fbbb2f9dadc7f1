//! Bedrock's runtime.

mod converse;
mod event_stream;
mod invoke;

use serde_json::json;

use super::Ask;
use crate::sim::{behaviour::Behaviour, script::Script};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    let ["model", model, what] = path else {
        return None;
    };
    Some(match (ask.method(), *what) {
        ("POST", "converse") => converse::whole(behaviour),
        ("POST", "converse-stream") => converse::stream(behaviour),
        ("POST", "invoke") => invoke::whole(ask, model, behaviour),
        ("POST", "invoke-with-response-stream") => invoke::stream(ask, model, behaviour),
        ("POST", "count-tokens") => {
            Script::document(&json!({"inputTokens": behaviour.content.prompt}))
        }
        _ => return None,
    })
}
