//! OpenAI's Responses.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script},
    wire::{Ask, CREATED, dated, reported, text, words},
};

const ITEM: &str = "msg_simulated";

pub(super) fn answer(ask: &Ask, behaviour: &Behaviour) -> Script {
    if ask.streamed() {
        let error = json!({"type": "error", "sequence_number": 99, "code": "server_error",
            "message": "The server had an error.", "param": null});
        return Script::stream(
            events(ask, behaviour),
            behaviour,
            Frame::event("error", &error),
        );
    }
    let document = response(ask, behaviour, true);
    Script::whole(
        &document,
        Some(reported(behaviour.content)),
        behaviour.fault,
    )
}

/// A response that was kept. Nothing is generated: its usage was counted when it was.
pub(super) fn kept(id: &str, ask: &Ask, behaviour: &Behaviour) -> Script {
    let mut document = response(ask, behaviour, true);
    document["id"] = json!(id);
    document["background"] = json!(true);
    Script::document(&document)
}

/// A conversation made shorter, by a model.
pub(super) fn compacted(behaviour: &Behaviour) -> Script {
    let document = json!({"id": "resp_simulated", "object": "response.compaction", "created_at": CREATED,
        "output": [{"id": "cmp_simulated", "type": "compaction", "encrypted_content": "c2ltdWxhdGVk"}],
        "usage": usage(behaviour)});
    Script::whole(
        &document,
        Some(reported(behaviour.content)),
        behaviour.fault,
    )
}

/// The response object; while it is in progress it has neither output nor usage.
fn response(ask: &Ask, behaviour: &Behaviour, done: bool) -> Value {
    json!({
        "id": "resp_simulated", "object": "response", "created_at": CREATED,
        "status": if done { "completed" } else { "in_progress" },
        "background": false, "error": null, "incomplete_details": null, "instructions": null,
        "max_output_tokens": null, "model": dated(ask),
        "output": if done { json!([message(behaviour, "completed")]) } else { json!([]) },
        "parallel_tool_calls": true, "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null}, "store": true, "temperature": 1.0,
        "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "truncation": "disabled", "usage": if done { usage(behaviour) } else { Value::Null },
        "user": null, "metadata": {},
    })
}

fn usage(behaviour: &Behaviour) -> Value {
    let content = behaviour.content;
    json!({
        "input_tokens": content.prompt,
        "input_tokens_details": {"cached_tokens": content.cache_read},
        "output_tokens": content.completion(),
        "output_tokens_details": {"reasoning_tokens": content.reasoning},
        "total_tokens": content.prompt + content.completion(),
    })
}

fn message(behaviour: &Behaviour, status: &str) -> Value {
    let content = if status == "completed" {
        json!([part(&text(behaviour.content.words))])
    } else {
        json!([])
    };
    json!({"id": ITEM, "type": "message", "status": status, "role": "assistant", "content": content})
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

/// Every event tells its type twice, and its number; the last one repeats the whole response.
fn events(ask: &Ask, behaviour: &Behaviour) -> Vec<Frame> {
    let mut number = 0;
    let mut event = |name: &str, mut data: Value| {
        data["type"] = json!(name);
        data["sequence_number"] = json!(number);
        number += 1;
        Frame::event(name, &data)
    };
    let at = |mut data: Value| {
        data["item_id"] = json!(ITEM);
        data["output_index"] = json!(0);
        data["content_index"] = json!(0);
        data
    };
    let item = |status| json!({"output_index": 0, "item": message(behaviour, status)});
    let whole = text(behaviour.content.words);
    let started = json!({"response": response(ask, behaviour, false)});
    let completed = json!({"response": response(ask, behaviour, true)});

    let mut events = vec![
        event("response.created", started.clone()),
        event("response.in_progress", started),
        event("response.output_item.added", item("in_progress")),
        event("response.content_part.added", at(json!({"part": part("")}))),
    ];
    for word in words(behaviour.content.words) {
        let delta = at(json!({"delta": word, "logprobs": []}));
        events.push(event("response.output_text.delta", delta).tokens(1));
    }
    events.extend([
        event(
            "response.output_text.done",
            at(json!({"text": whole, "logprobs": []})),
        ),
        event(
            "response.content_part.done",
            at(json!({"part": part(&whole)})),
        ),
        event("response.output_item.done", item("completed")),
        event("response.completed", completed)
            .terminal()
            .settles(reported(behaviour.content)),
    ]);
    events
}
