//! Hugging Face's [Text Generation Inference](https://huggingface.github.io/text-generation-inference/), its own
//! `/generate` and `/generate_stream`. The last event of a stream has the whole text, and details.

use crate::labels::Operation;
use crate::meter::paths::{Role, What, at};
use crate::meter::spec::Spec;
use crate::meter::usage::Slot;

pub(super) const SPEC: Spec = Spec {
    name: "tgi-generate",
    paths: &[
        at("token.text", What::Sign),
        at("token.text", What::Output),
        at("generated_text", What::Sign),
        at("generated_text", What::Last),
        at("details.finish_reason", What::Finish),
        at(
            "details.generated_tokens",
            What::Role(Role::Count(Slot::Completion, 0)),
        ),
        at(
            "details.input_length",
            What::Role(Role::Count(Slot::Prompt, 0)),
        ),
    ],
    speaks: super::by_signs,
    operation: Some(Operation::TextCompletion),
    ..Spec::DEFAULT
};
