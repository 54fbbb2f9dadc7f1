//! OpenAI's older Completions, and Embeddings.

use serde_json::{Value, json};

use super::chat::{includes_usage, usage};
use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script},
    wire::{Ask, CREATED, dated, input_only, inputs, reported, text, vector, words},
};

const ID: &str = "cmpl-simulated";

pub(super) fn completion(ask: &Ask, behaviour: &Behaviour) -> Script {
    let model = dated(ask);
    let choice = |text: &str, finish: Value| json!([{"text": text, "index": 0, "logprobs": null, "finish_reason": finish}]);
    let chunk = |choices: Value| json!({"id": ID, "object": "text_completion", "created": CREATED, "model": model, "choices": choices});
    let tokens = reported(behaviour.content);
    if !ask.streamed() {
        let mut document = chunk(choice(&text(behaviour.content.words), json!("stop")));
        document["usage"] = usage(behaviour);
        return Script::whole(&document, Some(tokens), behaviour.fault);
    }
    let include_usage = includes_usage(ask);
    let event = |text: &str, finish: Value| {
        let mut chunk = chunk(choice(text, finish));
        if include_usage {
            // Null in every chunk but the last.
            chunk["usage"] = Value::Null;
        }
        Frame::data(&chunk)
    };
    let mut events: Vec<_> = words(behaviour.content.words)
        .map(|word| event(word, Value::Null).tokens(1))
        .collect();
    events.push(event("", json!("stop")).terminal());
    if include_usage {
        let mut last = chunk(json!([]));
        last["usage"] = usage(behaviour);
        events.push(Frame::data(&last).settles(tokens));
    }
    events.push(Frame::text("data: [DONE]\n\n"));
    let error = json!({"error": {"message": "The server had an error.", "type": "server_error", "param": null, "code": null}});
    Script::stream(events, behaviour, Frame::data(&error))
}

pub(crate) fn embeddings(ask: &Ask, behaviour: &Behaviour) -> Script {
    let inputs = inputs(&ask.body["input"]);
    // The Python SDK asks for base64 unless told otherwise.
    let vector = if ask.body["encoding_format"] == "base64" {
        json!("AAAAPgAAgD4AAAA/AACAPw==")
    } else {
        vector()
    };
    let data: Vec<_> = (0..inputs)
        .map(|index| json!({"object": "embedding", "index": index, "embedding": vector}))
        .collect();
    let prompt = behaviour.content.prompt;
    let document = json!({
        "id": "embd-simulated", "object": "list", "data": data, "model": ask.model(),
        "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
    });
    let usage = input_only(behaviour.content);
    Script::whole(&document, Some(usage), behaviour.fault)
}
