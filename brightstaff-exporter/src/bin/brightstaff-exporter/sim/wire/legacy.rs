//! OpenAI's older Completions, and Embeddings.

use serde_json::{Value, json};

use super::{
    CREATED,
    chat::{includes_usage, usage},
    dated, openai_usage, streamed, text, words,
};
use crate::sim::{
    behaviour::Behaviour,
    call::Usage,
    script::{Frame, Script},
};

const ID: &str = "cmpl-simulated";

pub(super) fn completion(request: &Value, behaviour: &Behaviour) -> Script {
    let model = dated(request);
    let choice = |text: &str, finish: Value| json!([{"text": text, "index": 0, "logprobs": null, "finish_reason": finish}]);
    let chunk = |choices: Value| json!({"id": ID, "object": "text_completion", "created": CREATED, "model": model, "choices": choices});
    let tokens = openai_usage(behaviour);
    if !streamed(request) {
        let mut document = chunk(choice(&text(behaviour.content.words), json!("stop")));
        document["usage"] = usage(behaviour);
        return Script::whole(&document, Some(tokens), behaviour.fault);
    }
    let mut events: Vec<_> = words(behaviour.content.words)
        .map(|word| Frame::data(&chunk(choice(word, Value::Null))).tokens(1))
        .collect();
    events.push(Frame::data(&chunk(choice("", json!("stop")))).terminal());
    if includes_usage(request) {
        let mut last = chunk(json!([]));
        last["usage"] = usage(behaviour);
        events.push(Frame::data(&last).settles(tokens));
    }
    events.push(Frame::text("data: [DONE]\n\n"));
    let error = json!({"error": {"message": "The server had an error.", "type": "server_error", "param": null, "code": null}});
    Script::stream(events, behaviour, Frame::data(&error))
}

pub(super) fn embeddings(request: &Value, behaviour: &Behaviour) -> Script {
    let inputs = request["input"].as_array().map_or(1, Vec::len);
    // The Python SDK asks for base64 unless told otherwise.
    let vector = if request["encoding_format"] == "base64" {
        json!("AAAAPgAAgD4AAAA/AACAPw==")
    } else {
        json!([0.125, 0.25, 0.5, 1.0])
    };
    let data: Vec<_> = (0..inputs)
        .map(|index| json!({"object": "embedding", "index": index, "embedding": vector}))
        .collect();
    let prompt = behaviour.content.prompt;
    let document = json!({
        "object": "list", "data": data, "model": request["model"],
        "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
    });
    let usage = Usage {
        prompt: Some(prompt),
        ..Usage::default()
    };
    Script::whole(&document, Some(usage), behaviour.fault)
}
