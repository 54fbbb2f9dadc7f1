//! The shapes of the providers' responses: one module for each API. Objects that a provider would keep are the same
//! whatever was sent, under any id.

mod anthropic;
mod ask;
mod azure;
mod bedrock;
mod cohere;
mod gemini;
mod mistral;
mod ollama;
mod openai;
mod rerank;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub(super) use self::ask::Ask;
use super::{
    behaviour::{Behaviour, Content, Refusal},
    call::Usage,
    script::Script,
    serve::Provider,
};

/// The instant at which everything simulated was made: 2026-01-01T00:00:00Z.
const CREATED: u64 = 1_767_225_600;
/// The same in words.
const CREATED_AT: &str = "2026-01-01T00:00:00Z";

/// What a provider answers to a request.
pub(super) fn answer(provider: Provider, ask: &Ask, behaviour: &Behaviour) -> Script {
    if let Some(refusal) = behaviour.refusal {
        return match provider {
            Provider::Anthropic => anthropic::refusal(refusal),
            _ => openai_refusal(refusal),
        };
    }
    let segments = ask.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let answer = match provider {
        Provider::OpenAi => openai::answer(ask, &path, behaviour),
        Provider::Anthropic => anthropic::answer(ask, &path, behaviour),
        Provider::Gemini => gemini::answer(ask, &path, behaviour),
        Provider::Bedrock => bedrock::answer(ask, &path, behaviour),
        Provider::Azure => azure::answer(ask, &path, behaviour),
        Provider::Cohere => cohere::answer(ask, &path, behaviour),
        Provider::Ollama => ollama::answer(ask, &path, behaviour),
        Provider::Mistral => mistral::answer(ask, &path, behaviour),
    };
    answer.unwrap_or_else(|| nowhere(provider))
}

/// The answer to a path that the API does not have.
fn nowhere(provider: Provider) -> Script {
    let message = "There is no such path.";
    let error = match provider {
        Provider::OpenAi | Provider::Azure => {
            json!({"error": {"message": message, "type": "invalid_request_error",
            "param": null, "code": "unknown_url"}})
        }
        Provider::Anthropic => {
            json!({"type": "error", "error": {"type": "not_found_error", "message": message}})
        }
        Provider::Gemini => {
            json!({"error": {"code": 404, "message": message, "status": "NOT_FOUND"}})
        }
        Provider::Bedrock | Provider::Cohere => json!({"message": message}),
        Provider::Ollama => json!({"error": message}),
        Provider::Mistral => json!({"detail": message}),
    };
    Script::refusal(404, &error)
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

/// The model as responses name it: the dated one that stands behind the name that was asked for.
fn dated(ask: &Ask) -> String {
    format!("{}-2026-01-01", ask.model())
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

/// A vector of an embedding.
fn vector() -> Value {
    json!([0.125, 0.25, 0.5, 1.0])
}

/// How many inputs there are: a text alone is one.
fn inputs(input: &Value) -> usize {
    input.as_array().map_or(1, Vec::len)
}

/// What APIs report that know of no cache that was written, at their end.
fn reported(content: Content) -> Usage {
    Usage {
        prompt: Some(content.prompt),
        completion: Some(content.completion()),
        cache_read: Some(content.cache_read),
        cache_write: None,
        reasoning: Some(content.reasoning),
        reasoning_streamed: false,
    }
}

/// What APIs report that tell input and output alone.
fn plain(content: Content) -> Usage {
    Usage {
        prompt: Some(content.prompt),
        completion: Some(content.completion()),
        ..Usage::default()
    }
}

/// What calls report that have no output.
fn input_only(content: Content) -> Usage {
    Usage {
        prompt: Some(content.prompt),
        ..Usage::default()
    }
}
