//! `Converse` and `ConverseStream`: the same for every model.

use serde_json::{Value, json};

use super::event_stream::{event, exception};
use crate::sim::{
    behaviour::{Behaviour, Content},
    script::{Script, media},
    wire::{plain, text, words},
};

pub(super) fn whole(behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let document = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": text(content.words)}]}},
        "stopReason": "end_turn", "usage": usage(content), "metrics": {"latencyMs": 5},
    });
    Script::whole(&document, Some(plain(content)), behaviour.fault)
}

pub(super) fn stream(behaviour: &Behaviour) -> Script {
    let content = behaviour.content;
    let delta = |word| json!({"contentBlockIndex": 0, "delta": {"text": word}});
    let mut events = vec![event("messageStart", &json!({"role": "assistant"}))];
    events.extend(
        words(content.words).map(|word| event("contentBlockDelta", &delta(word)).tokens(1)),
    );
    let metadata = json!({"usage": usage(content), "metrics": {"latencyMs": 5}});
    events.extend([
        event("contentBlockStop", &json!({"contentBlockIndex": 0})),
        event("messageStop", &json!({"stopReason": "end_turn"})).terminal(),
        event("metadata", &metadata).settles(plain(content)),
    ]);
    let error = exception("internalServerException", "The model failed.");
    Script::stream(events, behaviour, error).typed(media::EVENT_STREAM)
}

fn usage(content: Content) -> Value {
    json!({"inputTokens": content.prompt, "outputTokens": content.completion(),
        "totalTokens": content.prompt + content.completion()})
}
