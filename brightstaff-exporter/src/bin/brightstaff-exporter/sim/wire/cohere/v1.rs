//! Version 1 of Chat, whose streams are lines of JSON.

use serde_json::{Value, json};

use super::meta;
use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script},
    wire::{Ask, plain, text, words},
};

const LINES: &str = "application/stream+json";

pub(super) fn chat(ask: &Ask, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let response = json!({"response_id": "simulated", "generation_id": "simulated", "text": text(content.words),
        "chat_history": [], "finish_reason": "COMPLETE", "meta": meta(content)});
    if !ask.streamed() {
        return Script::whole(&response, Some(plain(content)), behaviour.fault);
    }
    let line = |kind: &str, mut data: Value| {
        data["event_type"] = json!(kind);
        data["is_finished"] = json!(kind == "stream-end");
        Frame::line(&data)
    };
    let mut lines = vec![line("stream-start", json!({"generation_id": "simulated"}))];
    lines.extend(
        words(content.words).map(|word| line("text-generation", json!({"text": word})).tokens(1)),
    );
    let end = json!({"finish_reason": "COMPLETE", "response": response});
    lines.push(line("stream-end", end).terminal().settles(plain(content)));
    let error = line(
        "stream-end",
        json!({"finish_reason": "ERROR", "response": {}}),
    );
    Script::stream(lines, behaviour, error).typed(LINES)
}
