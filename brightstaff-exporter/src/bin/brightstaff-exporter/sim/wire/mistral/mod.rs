//! Mistral's API: much of OpenAI's, and what is its own.

mod chat;
mod files;

use serde_json::{Value, json};

use super::{Ask, CREATED, openai, plain, text};
use crate::sim::{behaviour::Behaviour, script::Script, serve::Provider};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    let ["v1", path @ ..] = path else { return None };
    Some(match (ask.method(), path) {
        ("POST", ["chat" | "fim" | "agents", "completions"]) => chat::answer(ask, behaviour),
        ("POST", ["embeddings"]) => openai::embeddings(ask, behaviour),
        ("POST", ["moderations"] | ["chat", "moderations"]) => openai::moderations(ask),
        ("POST", ["classifications"] | ["chat", "classifications"]) => Script::document(&json!({
            "id": "simulated", "model": ask.model(), "results": [{"topic": {"scores": {"metrics": 0.9}}}]})),
        ("POST", ["ocr"]) => ocr(ask, behaviour),
        ("POST", ["audio", "transcriptions"]) => transcription(ask, behaviour),
        ("GET", ["models"]) => {
            let models = Provider::Mistral.models().iter().map(|id| model(id));
            Script::document(&json!({"object": "list", "data": models.collect::<Vec<_>>()}))
        }
        ("GET", ["models", id]) => Script::document(&model(id)),
        (method, path) => return files::answer(method, path),
    })
}

fn model(id: &str) -> Value {
    let mut model = openai::model(id);
    model["type"] = json!("base");
    model["capabilities"] = json!({"completion_chat": true, "function_calling": true, "completion_fim": true,
        "fine_tuning": false, "vision": false});
    model
}

/// Counted in pages.
fn ocr(ask: &Ask, behaviour: &Behaviour) -> Script {
    let page = json!({"index": 0, "markdown": text(behaviour.content.words), "images": [],
        "dimensions": {"dpi": 200, "height": 2200, "width": 1700}});
    let document = json!({"model": ask.model(), "pages": [page],
        "usage_info": {"pages_processed": 1, "doc_size_bytes": 9}});
    Script::whole(&document, None, behaviour.fault)
}

fn transcription(ask: &Ask, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let document = json!({"model": ask.model(), "text": text(content.words), "language": "en", "segments": [],
        "created": CREATED, "usage": openai::usage(behaviour)});
    Script::whole(&document, Some(plain(content)), behaviour.fault)
}
