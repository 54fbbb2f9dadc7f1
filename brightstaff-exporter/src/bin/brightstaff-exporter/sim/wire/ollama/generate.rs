//! `/api/chat` and `/api/generate`: one document, or lines of them.

use serde_json::{Value, json};

use crate::sim::{
    behaviour::Behaviour,
    script::{Frame, Script, media},
    wire::{Ask, CREATED_AT, plain, text, words},
};

pub(super) fn answer(ask: &Ask, what: &str, behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let piece = |text: &str, done: bool| {
        let mut piece = json!({"model": ask.model(), "created_at": CREATED_AT, "done": done});
        if what == "chat" {
            piece["message"] = json!({"role": "assistant", "content": text});
        } else {
            piece["response"] = json!(text);
        }
        piece
    };
    let last = |text: &str| {
        let mut last = piece(text, true);
        for (name, value) in [
            ("done_reason", json!("stop")),
            ("total_duration", json!(5)),
            ("load_duration", json!(1)),
            ("prompt_eval_count", json!(content.prompt)),
            ("prompt_eval_duration", json!(1)),
            ("eval_count", json!(content.completion())),
            ("eval_duration", json!(1)),
        ] {
            last[name] = value;
        }
        last
    };
    if ask.body["stream"] == Value::Bool(false) {
        let document = last(&text(content.words));
        return Script::whole(&document, Some(plain(content)), behaviour.fault);
    }
    let mut lines: Vec<_> = words(content.words)
        .map(|word| Frame::line(&piece(word, false)).tokens(1))
        .collect();
    lines.push(Frame::line(&last("")).terminal().settles(plain(content)));
    let error = Frame::line(&json!({"error": "the model failed"}));
    Script::stream(lines, behaviour, error).typed(media::NDJSON)
}
