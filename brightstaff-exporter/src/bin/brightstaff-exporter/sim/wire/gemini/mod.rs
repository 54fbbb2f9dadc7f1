//! Gemini's API: what is done with a model stands behind a colon.

mod generate;
mod objects;

use serde_json::{Value, json};

use super::{Ask, input_only, vector};
use crate::sim::{behaviour::Behaviour, script::Script, serve::Provider};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    if let ["upload", _version, "files"] = path {
        return Some(objects::upload(ask));
    }
    let [_version, path @ ..] = path else {
        return None;
    };
    Some(match (ask.method(), path) {
        ("GET", ["models"]) => {
            let models: Vec<_> = Provider::Gemini
                .models()
                .iter()
                .map(|id| model(id))
                .collect();
            Script::document(&json!({"models": models}))
        }
        ("GET", ["models", id]) => Script::document(&model(id)),
        ("POST", ["models", asked]) => {
            let (model, verb) = asked.split_once(':')?;
            verbs(ask, model, verb, behaviour)?
        }
        (method, path) => objects::answer(ask, method, path)?,
    })
}

fn verbs(ask: &Ask, model: &str, verb: &str, behaviour: &Behaviour) -> Option<Script> {
    let content = behaviour.content;
    let tokens = json!({"promptTokenCount": content.prompt, "totalTokenCount": content.prompt});
    let usage = Some(input_only(content));
    let embedding = json!({"values": vector()});
    Some(match verb {
        "generateContent" => generate::whole(model, behaviour),
        "streamGenerateContent" => {
            let events = ask.query("alt").is_some_and(|alt| alt == "sse");
            generate::stream(model, events, behaviour)
        }
        "countTokens" => Script::document(&json!({"totalTokens": content.prompt})),
        "embedContent" => {
            let document = json!({"embedding": embedding, "usageMetadata": tokens});
            Script::whole(&document, usage, behaviour.fault)
        }
        "batchEmbedContents" => {
            let inputs = super::inputs(&ask.body["requests"]);
            let document = json!({"embeddings": vec![embedding; inputs], "usageMetadata": tokens});
            Script::whole(&document, usage, behaviour.fault)
        }
        // Imagen's, which counts no tokens.
        "predict" => {
            let picture = json!({"mimeType": "image/png", "bytesBase64Encoded": "iVBORw0KGgo="});
            Script::whole(&json!({"predictions": [picture]}), None, behaviour.fault)
        }
        _ => return None,
    })
}

fn model(id: &str) -> Value {
    json!({"name": format!("models/{id}"), "version": "001", "displayName": id, "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536, "supportedGenerationMethods": ["generateContent", "countTokens"]})
}
