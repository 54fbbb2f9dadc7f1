//! `InvokeModel`, with and without a stream: each family of models in its own words.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::event_stream::{event, exception};
use crate::sim::{
    behaviour::{Behaviour, Content},
    script::{Frame, Script, media},
    wire::{Ask, anthropic::message, input_only, plain, text, vector, words},
};

pub(super) fn whole(ask: &Ask, model: &str, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let whole = text(content.words);
    let document = if model.contains("titan-embed") {
        let document = json!({"embedding": vector(), "inputTextTokenCount": content.prompt});
        return Script::whole(&document, Some(input_only(content)), behaviour.fault);
    } else if model.contains("anthropic.") {
        let asked = ask.with_body(json!({"model": model}));
        return message(&asked, behaviour);
    } else if model.contains("titan") {
        json!({"inputTextTokenCount": content.prompt, "results": [{"tokenCount": content.completion(),
            "outputText": whole, "completionReason": "FINISH"}]})
    } else {
        llama(content, &whole, content.completion(), true)
    };
    Script::whole(&document, Some(plain(content)), behaviour.fault)
}

pub(super) fn stream(model: &str, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let mut events: Vec<_> = (1..)
        .zip(words(content.words))
        .map(|(nth, word)| {
            let titan = json!({"outputText": word, "index": 0, "completionReason": null,
                "inputTextTokenCount": content.prompt, "totalOutputTextTokenCount": null});
            let piece = if model.contains("titan") {
                titan
            } else {
                llama(content, word, nth, false)
            };
            chunk(&piece).tokens(1)
        })
        .collect();
    let metrics = json!({"inputTokenCount": content.prompt, "outputTokenCount": content.completion(),
        "invocationLatency": 5, "firstByteLatency": 1});
    let mut last = if model.contains("titan") {
        json!({"outputText": "", "index": 0, "completionReason": "FINISH",
            "inputTextTokenCount": content.prompt, "totalOutputTextTokenCount": content.completion()})
    } else {
        llama(content, "", content.completion(), true)
    };
    last["amazon-bedrock-invocationMetrics"] = metrics;
    events.push(chunk(&last).terminal().settles(plain(content)));
    let error = exception("modelStreamErrorException", "The model failed.");
    Script::stream(events, behaviour, error).typed(media::EVENT_STREAM)
}

/// What the models of Meta say.
fn llama(content: Content, text: &str, tokens: u64, last: bool) -> Value {
    json!({"generation": text, "prompt_token_count": content.prompt, "generation_token_count": tokens,
        "stop_reason": if last { json!("stop") } else { Value::Null }})
}

/// The model's JSON, wrapped.
fn chunk(piece: &Value) -> Frame {
    let bytes = BASE64_STANDARD.encode(piece.to_string());
    event("chunk", &json!({"bytes": bytes, "p": "abcdefgh"}))
}
