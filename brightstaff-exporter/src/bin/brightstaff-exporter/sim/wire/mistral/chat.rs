//! Chat, code between two texts, and agents: OpenAI's chunks, whose last one has the usage without being asked.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script},
    wire::{Ask, CREATED, openai::usage, reported, text, words},
};

pub(super) fn answer(ask: &Ask, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    // Of an agent the request names no model.
    let model = ask.body["model"].as_str().unwrap_or("mistral-small-latest");
    let document = |object: &str, choice: Value| json!({"id": "simulated", "object": object, "created": CREATED, "model": model, "choices": [choice]});
    if !ask.streamed() {
        let message =
            json!({"role": "assistant", "content": text(content.words), "tool_calls": null});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        let mut document = document("chat.completion", choice);
        document["usage"] = usage(behaviour);
        return Script::whole(&document, Some(reported(content)), behaviour.fault);
    }
    let chunk = |text: &str, finish: Value| {
        let choice = json!({"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish});
        document("chat.completion.chunk", choice)
    };
    let mut events: Vec<_> = words(content.words)
        .map(|word| Frame::data(&chunk(word, Value::Null)).tokens(1))
        .collect();
    let mut last = chunk("", json!("stop"));
    last["usage"] = usage(behaviour);
    events.push(Frame::data(&last).terminal().settles(reported(content)));
    events.push(Frame::text("data: [DONE]\n\n"));
    let error = json!({"object": "error", "message": "The model failed.", "type": "server_error", "code": 500});
    Script::stream(events, behaviour, Frame::data(&error))
}
