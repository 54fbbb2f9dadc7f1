//! Cohere's API, versions 1 and 2.

mod v1;
mod v2;

use serde_json::{Value, json};

use super::{Ask, input_only, rerank, vector};
use crate::sim::{
    behaviour::{Behaviour, Content},
    script::Script,
    serve::Provider,
};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    Some(match (ask.method(), path) {
        ("POST", ["v2", "chat"]) => v2::chat(ask, behaviour),
        ("POST", ["v1", "chat"]) => v1::chat(ask, behaviour),
        ("POST", ["v1" | "v2", "embed"]) => embed(ask, path[0], behaviour),
        ("POST", ["v1" | "v2", "rerank"]) => rerank::cohere(ask, behaviour),
        ("POST", ["v1", "tokenize"]) => Script::document(
            &json!({"tokens": [101, 102], "token_strings": ["The", " gateway"], "meta": meta(behaviour.content)}),
        ),
        ("POST", ["v1", "detokenize"]) => {
            Script::document(&json!({"text": "The gateway", "meta": {}}))
        }
        ("POST", ["v1", "check-api-key"]) => {
            Script::document(&json!({"valid": true, "organization_id": "simulated"}))
        }
        ("GET", ["v1", "models"]) => {
            let models = Provider::Cohere.models().iter().map(|id| model(id));
            Script::document(&json!({"models": models.collect::<Vec<_>>()}))
        }
        ("GET", ["v1", "models", id]) => Script::document(&model(id)),
        _ => return None,
    })
}

fn embed(ask: &Ask, version: &str, behaviour: &Behaviour) -> Script {
    let texts = &ask.body["texts"];
    let vectors = vec![vector(); super::inputs(texts)];
    // The types are asked for, in version 2 always.
    let typed = version == "v2" || ask.body["embedding_types"].is_array();
    let (kind, embeddings) = if typed {
        ("embeddings_by_type", json!({"float": vectors}))
    } else {
        ("embeddings_floats", json!(vectors))
    };
    let prompt = behaviour.content.prompt;
    let document = json!({"response_type": kind, "id": "simulated", "texts": texts, "embeddings": embeddings,
        "meta": {"api_version": {"version": version}, "billed_units": {"input_tokens": prompt}}});
    Script::whole(
        &document,
        Some(input_only(behaviour.content)),
        behaviour.fault,
    )
}

/// What version 1 counts, and version 2 under another name.
fn meta(content: Content) -> Value {
    let tokens = json!({"input_tokens": content.prompt, "output_tokens": content.completion()});
    json!({"billed_units": tokens, "tokens": tokens})
}

fn model(id: &str) -> Value {
    json!({"name": id, "endpoints": ["chat"], "finetuned": false, "context_length": 256_000})
}
