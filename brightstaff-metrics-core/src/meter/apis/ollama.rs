//! Ollama's own [`/api/chat` and `/api/generate`](https://github.com/ollama/ollama/blob/main/docs/api.md). A
//! stream ends with `"done": true`.

use crate::labels::Operation;
use crate::meter::calls::Calls;
use crate::meter::paths::{Role, What, at};
use crate::meter::said::Said;
use crate::meter::spec::{Speaks, Spec, Verdict};
use crate::meter::usage::Slot;

const OLLAMA: Spec = Spec {
    judge: |said| Verdict::ending(said, said.done()),
    goes_on: |said| Some(said.not_done()),
    ..Spec::DEFAULT
};

const fn count(slot: Slot) -> What {
    What::Role(Role::Count(slot, 0))
}

pub(super) const CHAT: Spec = Spec {
    name: "ollama-chat",
    paths: &[
        at("done", What::Done),
        at("done_reason", What::Finish),
        at("message.content", What::Output),
        at("message.thinking", What::Reasoning),
        at("message.tool_calls", What::Role(Role::Call)),
        at("message.tool_calls.function.name", What::Output),
        at("prompt_eval_count", count(Slot::Prompt)),
        at("eval_count", count(Slot::Completion)),
    ],
    speaks: |said| has_done(said).into(),
    // They come whole.
    calls: |said| Calls::More(said.calls()),
    ..OLLAMA
};

pub(super) const GENERATE: Spec = Spec {
    name: "ollama-generate",
    paths: &[
        at("done", What::Done),
        at("done_reason", What::Finish),
        at("response", What::Sign),
        at("response", What::Output),
        at("thinking", What::Reasoning),
        at("prompt_eval_count", count(Slot::Prompt)),
        at("eval_count", count(Slot::Completion)),
    ],
    speaks: |said| Speaks::from(has_done(said) && super::by_signs(said) == Speaks::Yes),
    operation: Some(Operation::TextCompletion),
    ..OLLAMA
};

/// Its responses have no type: one that has is somebody else's.
fn has_done(said: &Said<'_>) -> bool {
    (said.done() || said.not_done()) && said.kind().is_empty()
}
