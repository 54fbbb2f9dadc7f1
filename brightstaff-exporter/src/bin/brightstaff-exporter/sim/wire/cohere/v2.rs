//! Version 2 of Chat.

use serde_json::{Value, json};

use super::meta;
use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script},
    wire::{Ask, plain, text, words},
};

const ID: &str = "simulated";

pub(super) fn chat(ask: &Ask, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    if ask.streamed() {
        let error = json!({"type": "message-end", "id": ID, "delta": {"finish_reason": "ERROR",
            "error": "The model failed."}});
        return Script::stream(
            events(behaviour),
            behaviour,
            Frame::event("message-end", &error),
        );
    }
    let document = json!({"id": ID, "finish_reason": "COMPLETE", "usage": meta(content),
        "message": {"role": "assistant", "content": [{"type": "text", "text": text(content.words)}]}});
    Script::whole(&document, Some(plain(content)), behaviour.fault)
}

fn events(behaviour: &Behaviour) -> Vec<Frame> {
    let content = behaviour.content;
    let event = |kind: &str, mut data: Value| {
        data["type"] = json!(kind);
        Frame::event(kind, &data)
    };
    let message = |content: Value| json!({"index": 0, "delta": {"message": {"content": content}}});
    let start = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
    let mut events = vec![
        event(
            "message-start",
            json!({"id": ID, "delta": {"message": start}}),
        ),
        event(
            "content-start",
            message(json!({"type": "text", "text": ""})),
        ),
    ];
    events.extend(
        words(content.words)
            .map(|word| event("content-delta", message(json!({"text": word}))).tokens(1)),
    );
    events.push(event("content-end", json!({"index": 0})));
    let end = json!({"id": ID, "delta": {"finish_reason": "COMPLETE", "usage": meta(content)}});
    events.push(event("message-end", end).terminal().settles(plain(content)));
    events
}
