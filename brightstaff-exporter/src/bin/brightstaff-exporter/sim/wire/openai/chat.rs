//! OpenAI's Chat Completions.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script},
    wire::{Ask, CREATED, arguments, dated, reported, text, words},
};

const ID: &str = "chatcmpl-simulated";

pub(super) fn answer(ask: &Ask, behaviour: &Behaviour) -> Script {
    let tokens = reported(behaviour.content);
    if ask.streamed() {
        let error = json!({"error": {"message": "The server had an error while processing your request.", "type": "server_error", "param": null, "code": null}});
        return Script::stream(events(ask, behaviour), behaviour, Frame::data(&error));
    }
    let content = behaviour.content;
    let message = if content.tool_call {
        let arguments: String = arguments(content.words).collect();
        json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [
            {"id": "call_simulated", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}]})
    } else {
        json!({"role": "assistant", "content": text(content.words), "refusal": null, "annotations": []})
    };
    let document = json!({
        "id": ID, "object": "chat.completion", "created": CREATED, "model": dated(ask),
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(behaviour)}],
        "usage": usage(behaviour), "service_tier": "default", "system_fingerprint": null,
    });
    Script::whole(&document, Some(tokens), behaviour.fault)
}

/// The `usage` object.
pub(crate) fn usage(behaviour: &Behaviour) -> Value {
    let content = behaviour.content;
    json!({
        "prompt_tokens": content.prompt,
        "completion_tokens": content.completion(),
        "total_tokens": content.prompt + content.completion(),
        "prompt_tokens_details": {"cached_tokens": content.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": content.reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
    })
}

/// Whether the client asked for usage at the end of the stream.
pub(super) fn includes_usage(ask: &Ask) -> bool {
    ask.body["stream_options"]["include_usage"] == true
}

fn finish(behaviour: &Behaviour) -> &'static str {
    if behaviour.content.tool_call {
        "tool_calls"
    } else {
        "stop"
    }
}

/// A prelude with the role, then the tokens, the finish reason, the usage if asked for, `[DONE]`.
fn events(ask: &Ask, behaviour: &Behaviour) -> Vec<Frame> {
    let model = dated(ask);
    let include_usage = includes_usage(ask);
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": ID, "object": "chat.completion.chunk", "created": CREATED, "model": model,
            "service_tier": "default", "system_fingerprint": null, "choices": choices,
        });
        if include_usage {
            // Null in every chunk but the last.
            chunk["usage"] = usage;
        }
        Frame::data(&chunk)
    };
    let delta = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        chunk(json!([choice]), Value::Null)
    };
    let generated = |content: Value| delta(content, Value::Null).tokens(1);
    let call = |function: Value| json!({"tool_calls": [{"index": 0, "function": function}]});

    let content = behaviour.content;
    let mut events = vec![delta(
        json!({"role": "assistant", "content": "", "refusal": null}),
        Value::Null,
    )];
    if content.tool_call {
        let start = json!({"tool_calls": [{"index": 0, "id": "call_simulated", "type": "function",
            "function": {"name": "get_weather", "arguments": ""}}]});
        // The name is generated output, too, though no token of its own here.
        let pieces = arguments(content.words);
        events.push(generated(start));
        events.extend(pieces.map(|piece| generated(call(json!({"arguments": piece})))));
    } else {
        events.extend(words(content.words).map(|word| generated(json!({"content": word}))));
    }
    events.push(delta(json!({}), json!(finish(behaviour))).terminal());
    if include_usage {
        events.push(chunk(json!([]), usage(behaviour)).settles(reported(behaviour.content)));
    }
    events.push(Frame::text("data: [DONE]\n\n"));
    events
}
