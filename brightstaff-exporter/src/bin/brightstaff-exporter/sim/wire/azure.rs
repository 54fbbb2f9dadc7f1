//! Azure's OpenAI: OpenAI's bodies under paths of its own, where the model is the name of a deployment.

use serde_json::{Value, json};

use super::{Ask, openai};
use crate::sim::{behaviour::Behaviour, script::Script};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    match path {
        ["openai", "deployments", deployment, rest @ ..] => {
            let mut body = match &ask.body {
                Value::Null => json!({}),
                body => body.clone(),
            };
            body["model"] = json!(deployment);
            openai(ask, rest, body, behaviour)
        }
        ["openai", "v1", rest @ ..] | ["openai", rest @ ..] => {
            openai(ask, rest, ask.body.clone(), behaviour)
        }
        _ => None,
    }
}

fn openai(ask: &Ask, path: &[&str], body: Value, behaviour: &Behaviour) -> Option<Script> {
    let path = [&["v1"], path].concat();
    openai::answer(&ask.with_body(body), &path, behaviour)
}
