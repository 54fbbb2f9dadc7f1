//! llama.cpp's own [`/completion`](https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md#post-completion-given-a-prompt-it-returns-the-predicted-completion).
//! A stream ends with `"stop": true`.

use crate::labels::Operation;
use crate::meter::paths::{Role, What, at};
use crate::meter::spec::{Spec, Verdict};
use crate::meter::usage::Slot;

pub(super) const SPEC: Spec = Spec {
    name: "llamacpp-completion",
    paths: &[
        at("content", What::Output),
        at("stop", What::Done),
        at("tokens_evaluated", What::Role(Role::Count(Slot::Prompt, 0))),
        at(
            "tokens_predicted",
            What::Role(Role::Count(Slot::Completion, 0)),
        ),
    ],
    speaks: |said| ((said.done() || said.not_done()) && said.kind().is_empty()).into(),
    judge: |said| Verdict::ending(said, said.done()),
    operation: Some(Operation::TextCompletion),
    ..Spec::DEFAULT
};
