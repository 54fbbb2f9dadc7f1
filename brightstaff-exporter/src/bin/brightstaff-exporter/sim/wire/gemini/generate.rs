//! `generateContent`, and its streams: events, or the elements of an array.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::{Behaviour, Content},
    script::{Frame, Script, media},
    wire::{reported, text, words},
};

pub(super) fn whole(model: &str, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let document = response(model, content, &text(content.words), content.words, true);
    Script::whole(&document, Some(reported(content)), behaviour.fault)
}

/// Every element tells the tokens so far.
pub(super) fn stream(model: &str, events: bool, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let frames = (1..).zip(words(content.words)).map(|(nth, word)| {
        let last = nth == content.words;
        let element = response(model, content, word, nth, last);
        let frame = match (events, nth) {
            (true, _) => Frame::text(format!("data: {element}\r\n\r\n")),
            (false, 1) => Frame::text(format!("[{element}")),
            (false, _) => Frame::text(format!(",\r\n{element}")),
        };
        let frame = frame.tokens(1);
        if last {
            frame.terminal().settles(reported(content))
        } else {
            frame
        }
    });
    let error = json!({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}});
    if events {
        let error = Frame::text(format!("data: {error}\r\n\r\n"));
        return Script::stream(frames.collect(), behaviour, error);
    }
    let frames = frames.chain([Frame::text("]")]).collect();
    let error = Frame::text(format!(",\r\n{error}]"));
    Script::stream(frames, behaviour, error).typed(media::JSON)
}

/// A response, or an element of a stream, after so many words.
fn response(model: &str, content: Content, text: &str, words: u64, last: bool) -> Value {
    let mut candidate =
        json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    if last {
        candidate["finishReason"] = json!("STOP");
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": content.prompt,
            "candidatesTokenCount": words,
            "thoughtsTokenCount": content.reasoning,
            "cachedContentTokenCount": content.cache_read,
            "totalTokenCount": content.prompt + words + content.reasoning,
        },
        "modelVersion": model,
        "responseId": "simulated",
    })
}
