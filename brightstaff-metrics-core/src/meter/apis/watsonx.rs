//! IBM watsonx.ai's [text generation](https://cloud.ibm.com/apidocs/watsonx-ai#text-generation-stream). Every
//! event counts what was generated so far; the input is counted in one of them, and 0 in the others.

use crate::labels::Operation;
use crate::meter::paths::{Role, What, at};
use crate::meter::spec::Spec;
use crate::meter::usage::{Slot, Update};

pub(super) const SPEC: Spec = Spec {
    name: "watsonx-generation",
    paths: &[
        at("model_id", What::Role(Role::Model)),
        at("results.generated_text", What::Sign),
        at("results.generated_text", What::Output),
        at("results.stop_reason", What::Finish),
        at(
            "results.input_token_count",
            What::Role(Role::Count(Slot::Prompt, 0)),
        ),
        at(
            "results.generated_token_count",
            What::Role(Role::Count(Slot::Completion, 0)),
        ),
    ],
    speaks: super::by_signs,
    update: Update::Each,
    operation: Some(Operation::TextCompletion),
    ..Spec::DEFAULT
};
