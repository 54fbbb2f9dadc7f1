//! OpenAI's Images: whole, or as events with pictures in between.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script},
    wire::{Ask, CREATED, plain},
};

/// A picture: the signature of a PNG.
const PICTURE: &str = "iVBORw0KGgo=";

pub(super) fn answer(ask: &Ask, what: &str, behaviour: &Behaviour) -> Script {
    let usage = usage(behaviour);
    if ask.streamed() {
        let kind = match what {
            "edits" => "image_edit",
            _ => "image_generation",
        };
        let event = |step: &str, mut data: Value| {
            let name = format!("{kind}.{step}");
            data["type"] = json!(name);
            data["b64_json"] = json!(PICTURE);
            data["created_at"] = json!(CREATED);
            Frame::event(&name, &data)
        };
        let events = vec![
            event("partial_image", json!({"partial_image_index": 0})).tokens(1),
            event("completed", json!({"usage": usage}))
                .terminal()
                .settles(plain(behaviour.content)),
        ];
        let error = json!({"type": "error", "error": {"message": "The server had an error.", "type": "server_error"}});
        return Script::stream(events, behaviour, Frame::event("error", &error));
    }
    let document = json!({"created": CREATED, "data": [{"b64_json": PICTURE}], "output_format": "png", "usage": usage});
    Script::whole(&document, Some(plain(behaviour.content)), behaviour.fault)
}

fn usage(behaviour: &Behaviour) -> Value {
    let content = behaviour.content;
    json!({"input_tokens": content.prompt, "output_tokens": content.completion(),
        "total_tokens": content.prompt + content.completion(),
        "input_tokens_details": {"text_tokens": content.prompt, "image_tokens": 0}})
}
