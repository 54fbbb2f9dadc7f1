//! The shapes of the providers' responses.

mod chat;
mod legacy;
mod messages;
mod responses;

use serde_json::{Value, json};

use super::{
    behaviour::{Behaviour, Refusal},
    call::Usage,
    script::Script,
    serve::Provider,
};

/// The instant at which every simulated response was made: 2026-01-01T00:00:00Z.
const CREATED: u64 = 1_767_225_600;

/// What a provider answers to a request on this path.
pub(super) fn answer(
    provider: Provider,
    path: &str,
    request: &Value,
    behaviour: &Behaviour,
) -> Script {
    if let Some(refusal) = behaviour.refusal {
        return match provider {
            Provider::OpenAi => openai_refusal(refusal),
            Provider::Anthropic => messages::refusal(refusal),
        };
    }
    match (provider, path) {
        (Provider::Anthropic, _) => messages::answer(request, behaviour),
        (Provider::OpenAi, "/v1/responses") => responses::answer(request, behaviour),
        (Provider::OpenAi, "/v1/completions") => legacy::completion(request, behaviour),
        (Provider::OpenAi, "/v1/embeddings") => legacy::embeddings(request, behaviour),
        (Provider::OpenAi, _) => chat::answer(request, behaviour),
    }
}

/// The list of models.
pub(super) fn models(provider: Provider) -> Value {
    let models = provider.models().iter();
    match provider {
        Provider::OpenAi => {
            let models = models.map(
                |id| json!({"id": id, "object": "model", "created": CREATED, "owned_by": "openai"}),
            );
            json!({"object": "list", "data": models.collect::<Vec<_>>()})
        }
        Provider::Anthropic => {
            let list: Vec<_> = models
                .map(|id| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"}))
                .collect();
            let ends = provider.models();
            json!({"data": list, "has_more": false, "first_id": ends.first(), "last_id": ends.last()})
        }
    }
}

fn openai_refusal(refusal: Refusal) -> Script {
    let (status, kind, code, message) = match refusal {
        Refusal::RateLimit => (
            429,
            "requests",
            json!("rate_limit_exceeded"),
            "Rate limit reached for requests.",
        ),
        Refusal::Failure => (500, "server_error", json!(null), "The server had an error."),
        Refusal::Overload => (
            503,
            "server_error",
            json!(null),
            "The engine is overloaded.",
        ),
    };
    let error = json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
    Script::refusal(status, &error)
}

/// Whether the request asks for a stream.
fn streamed(request: &Value) -> bool {
    request["stream"] == true
}

/// The model as responses name it: the dated one that stands behind the name that was asked for.
fn dated(request: &Value) -> String {
    format!(
        "{}-2026-01-01",
        request["model"].as_str().unwrap_or("unknown")
    )
}

/// The words of a response, each one token.
fn words(count: u64) -> impl Iterator<Item = &'static str> {
    const TEXT: [&str; 12] = [
        "The", " gateway", " counts", " what", " it", " sees", ",", " and", " sees", " all",
        " there", " is",
    ];
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    TEXT.into_iter().cycle().take(count)
}

fn text(count: u64) -> String {
    words(count).collect()
}

/// The arguments of a tool call in so many pieces, at least two.
fn arguments(pieces: u64) -> impl Iterator<Item = String> {
    let place = (2..pieces).map(|_| "La ".to_owned());
    ["{\"city\":\"".to_owned()]
        .into_iter()
        .chain(place)
        .chain(["Paz\"}".to_owned()])
}

/// All that OpenAI's APIs report, at their end.
fn openai_usage(behaviour: &Behaviour) -> Usage {
    let content = behaviour.content;
    Usage {
        prompt: Some(content.prompt),
        completion: Some(content.completion()),
        cache_read: Some(content.cache_read),
        cache_write: None,
        reasoning: Some(content.reasoning),
        reasoning_streamed: false,
    }
}
