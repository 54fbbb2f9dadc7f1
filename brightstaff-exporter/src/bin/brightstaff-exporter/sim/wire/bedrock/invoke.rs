//! `InvokeModel`, with and without a stream: each family of models in its own words.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::event_stream::{event, exception};
use crate::sim::{
    behaviour::{Behaviour, Content},
    script::{Frame, Script, media},
    wire::{
        Ask,
        anthropic::{events, message},
        input_only, plain, text, vector, words,
    },
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

pub(super) fn stream(ask: &Ask, model: &str, behaviour: &Behaviour) -> Script {
    let events = if model.contains("anthropic.") {
        anthropic(&ask.with_body(json!({"model": model})), behaviour)
    } else {
        pieces(model, behaviour.content)
    };
    let error = exception("modelStreamErrorException", "The model failed.");
    Script::stream(events, behaviour, error).typed(media::EVENT_STREAM)
}

/// The events that Anthropic sends, in those of Bedrock.
fn anthropic(ask: &Ask, behaviour: &Behaviour) -> Vec<Frame> {
    let wrapped = events(ask, behaviour).into_iter().map(|frame| {
        let mut lines = frame.bytes.split(|byte| *byte == b'\n');
        let data = lines.find_map(|line| line.strip_prefix(b"data: "));
        let mut data: Value = serde_json::from_slice(data.unwrap_or_default()).unwrap_or_default();
        if data["type"] == "message_stop" {
            data[METRICS] = metrics(behaviour.content);
        }
        Frame {
            bytes: chunk(&data).bytes,
            ..frame
        }
    });
    wrapped.collect()
}

fn pieces(model: &str, content: Content) -> Vec<Frame> {
    let titan = model.contains("titan");
    let piece = |text: &str, tokens: u64, last: bool| match titan {
        true => json!({"outputText": text, "index": 0, "inputTextTokenCount": content.prompt,
            "completionReason": if last { json!("FINISH") } else { Value::Null },
            "totalOutputTextTokenCount": if last { json!(tokens) } else { Value::Null }}),
        false => llama(content, text, tokens, last),
    };
    let mut events: Vec<_> = (1..)
        .zip(words(content.words))
        .map(|(nth, word)| chunk(&piece(word, nth, false)).tokens(1))
        .collect();
    let mut last = piece("", content.completion(), true);
    last[METRICS] = metrics(content);
    events.push(chunk(&last).terminal().settles(plain(content)));
    events
}

/// What Bedrock adds to the last piece of a stream.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

fn metrics(content: Content) -> Value {
    json!({"inputTokenCount": content.prompt, "outputTokenCount": content.completion(),
        "invocationLatency": 5, "firstByteLatency": 1})
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
