//! Ollama's API, which streams unless told otherwise, and OpenAI's as Ollama speaks it.

mod generate;

use serde_json::{Value, json};

use super::{Ask, CREATED_AT, input_only, openai, vector};
use crate::sim::{behaviour::Behaviour, script::Script, serve::Provider};

pub(super) fn answer(ask: &Ask, path: &[&str], behaviour: &Behaviour) -> Option<Script> {
    let ["api", path @ ..] = path else {
        return openai::answer(ask, path, behaviour);
    };
    let inputs = super::inputs(&ask.body["input"]);
    let prompt = behaviour.content.prompt;
    Some(match (ask.method(), path) {
        ("POST", ["chat"]) => generate::answer(ask, "chat", behaviour),
        ("POST", ["generate"]) => generate::answer(ask, "generate", behaviour),
        ("POST", ["embed"]) => {
            let document = json!({"model": ask.model(), "embeddings": vec![vector(); inputs],
                "total_duration": 5, "load_duration": 1, "prompt_eval_count": prompt});
            let usage = input_only(behaviour.content);
            Script::whole(&document, Some(usage), behaviour.fault)
        }
        // The older one counts nothing.
        ("POST", ["embeddings"]) => {
            Script::whole(&json!({"embedding": vector()}), None, behaviour.fault)
        }
        ("GET", ["version"]) => Script::document(&json!({"version": "0.12.0"})),
        ("GET", ["tags" | "ps"]) => {
            let models = Provider::Ollama.models().iter().map(|name| model(name));
            Script::document(&json!({"models": models.collect::<Vec<_>>()}))
        }
        ("POST", ["show"]) => Script::document(
            &json!({"modified_at": CREATED_AT, "template": "", "modelfile": "",
            "details": details(), "model_info": {"general.architecture": "llama"}, "capabilities": ["completion"]}),
        ),
        ("POST", ["pull" | "push" | "create"]) => Script::document(&json!({"status": "success"})),
        ("POST", ["copy"]) | ("DELETE", ["delete"]) => Script::document(&json!({})),
        _ => return None,
    })
}

fn model(name: &str) -> Value {
    json!({"name": name, "model": name, "modified_at": CREATED_AT, "expires_at": CREATED_AT, "size": 1, "size_vram": 1,
        "digest": "51ecd5a5", "details": details(), "context_length": 4096})
}

fn details() -> Value {
    json!({"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
        "parameter_size": "3.2B", "quantization_level": "Q4_K_M"})
}
