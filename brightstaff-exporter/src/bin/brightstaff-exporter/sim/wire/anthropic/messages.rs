//! Anthropic's Messages.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::{Behaviour, Refusal},
    call::Usage,
    script::{Frame, Script},
    wire::{Ask, arguments, dated, text, words},
};

pub(crate) fn refusal(refusal: Refusal) -> Script {
    let (status, kind) = match refusal {
        Refusal::RateLimit => (429, "rate_limit_error"),
        Refusal::Failure => (500, "api_error"),
        Refusal::Overload => (529, "overloaded_error"),
    };
    Script::refusal(status, &error(kind))
}

fn error(kind: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": "Simulated."}, "request_id": "req_simulated"})
}

pub(crate) fn answer(ask: &Ask, behaviour: &Behaviour) -> Script {
    let all = first_report(behaviour).replaced_by(last_report(behaviour));
    if ask.streamed() {
        let error = Frame::event("error", &error("overloaded_error"));
        return Script::stream(events(ask, behaviour), behaviour, error);
    }
    let mut usage = input_usage(behaviour);
    usage["output_tokens"] = json!(behaviour.content.completion());
    usage["output_tokens_details"] = json!({"thinking_tokens": behaviour.content.reasoning});
    let mut message = message(ask, &usage);
    message["content"] = content(behaviour);
    message["stop_reason"] = json!(stop_reason(behaviour));
    Script::whole(&message, Some(all), behaviour.fault)
}

fn stop_reason(behaviour: &Behaviour) -> &'static str {
    if behaviour.content.tool_call {
        "tool_use"
    } else {
        "end_turn"
    }
}

fn message(ask: &Ask, usage: &Value) -> Value {
    json!({"id": "msg_simulated", "type": "message", "role": "assistant", "model": dated(ask),
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage})
}

fn content(behaviour: &Behaviour) -> Value {
    let content = behaviour.content;
    let thinking = json!({"type": "thinking", "thinking": text(content.reasoning), "signature": "c2ltdWxhdGVk"});
    let answer = if content.tool_call {
        json!({"type": "tool_use", "id": "toolu_simulated", "name": "get_weather", "input": {"city": "La Paz"}})
    } else {
        json!({"type": "text", "text": text(content.words)})
    };
    if content.reasoning > 0 {
        json!([thinking, answer])
    } else {
        json!([answer])
    }
}

/// Anthropic counts what the cache gave and took apart from the input.
fn input_usage(behaviour: &Behaviour) -> Value {
    let content = behaviour.content;
    json!({
        "input_tokens": content.prompt - content.cache_read - content.cache_write,
        "cache_creation_input_tokens": content.cache_write,
        "cache_read_input_tokens": content.cache_read,
        "service_tier": "standard",
    })
}

/// What `message_start` says.
fn first_report(behaviour: &Behaviour) -> Usage {
    let content = behaviour.content;
    Usage {
        prompt: Some(content.prompt),
        completion: Some(1),
        cache_read: Some(content.cache_read),
        cache_write: Some(content.cache_write),
        ..Usage::default()
    }
}

/// What `message_delta` says.
fn last_report(behaviour: &Behaviour) -> Usage {
    let content = behaviour.content;
    Usage {
        completion: Some(content.completion()),
        reasoning: Some(content.reasoning),
        reasoning_streamed: content.reasoning > 0,
        ..Usage::default()
    }
}

/// The events of a stream.
pub(crate) fn events(ask: &Ask, behaviour: &Behaviour) -> Vec<Frame> {
    let mut usage = input_usage(behaviour);
    usage["output_tokens"] = json!(1);
    let start = json!({"type": "message_start", "message": message(ask, &usage)});
    let mut events = vec![Frame::event("message_start", &start).reports(first_report(behaviour))];
    let blocks = blocks(behaviour);
    for (index, (start, deltas)) in blocks.into_iter().enumerate() {
        let named = start["type"] == "tool_use";
        let start = json!({"type": "content_block_start", "index": index, "content_block": start});
        // The name of a tool is generated output.
        events.push(Frame::event("content_block_start", &start).tokens(named.into()));
        if index == 0 {
            events.push(Frame::event("ping", &json!({"type": "ping"})));
        }
        events.extend(deltas.into_iter().map(|(delta, tokens)| {
            let delta = json!({"type": "content_block_delta", "index": index, "delta": delta});
            Frame::event("content_block_delta", &delta).tokens(tokens)
        }));
        let stop = json!({"type": "content_block_stop", "index": index});
        events.push(Frame::event("content_block_stop", &stop));
    }
    let delta = json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(behaviour), "stop_sequence": null},
        "usage": {"output_tokens": behaviour.content.completion(),
            "output_tokens_details": {"thinking_tokens": behaviour.content.reasoning}},
    });
    events.push(Frame::event("message_delta", &delta).settles(last_report(behaviour)));
    let stop = json!({"type": "message_stop"});
    events.push(Frame::event("message_stop", &stop).terminal());
    events
}

/// The content blocks: how each starts, and its deltas with their tokens.
fn blocks(behaviour: &Behaviour) -> Vec<(Value, Vec<(Value, u64)>)> {
    let content = behaviour.content;
    let mut blocks = Vec::new();
    if content.reasoning > 0 {
        let start = json!({"type": "thinking", "thinking": "", "signature": ""});
        let thoughts = words(content.reasoning)
            .map(|word| (json!({"type": "thinking_delta", "thinking": word}), 1));
        let signature = (
            json!({"type": "signature_delta", "signature": "c2ltdWxhdGVk"}),
            0,
        );
        blocks.push((start, thoughts.chain([signature]).collect()));
    }
    if content.tool_call {
        let start = json!({"type": "tool_use", "id": "toolu_simulated", "name": "get_weather", "input": {}});
        let empty = (json!({"type": "input_json_delta", "partial_json": ""}), 0);
        let pieces = arguments(content.words).map(|piece| {
            (
                json!({"type": "input_json_delta", "partial_json": piece}),
                1,
            )
        });
        blocks.push((start, [empty].into_iter().chain(pieces).collect()));
    } else {
        let start = json!({"type": "text", "text": ""});
        let words =
            words(content.words).map(|word| (json!({"type": "text_delta", "text": word}), 1));
        blocks.push((start, words.collect()));
    }
    blocks
}
