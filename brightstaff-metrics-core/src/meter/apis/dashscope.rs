//! Alibaba's own [generation](https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-dashscope), in
//! both its forms: `output.choices` and `output.text`. Until the end, the finish reason is the string `null`.

use crate::meter::calls::Calls;
use crate::meter::paths::{Role, What, at};
use crate::meter::spec::Spec;
use crate::meter::usage::Place;

pub(super) const SPEC: Spec = Spec {
    name: "dashscope-generation",
    paths: &[
        at("output.text", What::Sign),
        at("output.text", What::Output),
        at("output.finish_reason", What::Sign),
        at("output.finish_reason", What::Finish),
        at("output.choices", What::Sign),
        at("output.choices", What::Role(Role::Choice)),
        at("output.choices.index", What::Role(Role::Index)),
        at("output.choices.finish_reason", What::Finish),
        at("output.choices.message.content", What::Output),
        at("output.choices.message.content.text", What::Output),
        at("output.choices.message.reasoning_content", What::Reasoning),
        at("output.choices.message.tool_calls", What::Role(Role::Call)),
        at(
            "output.choices.message.tool_calls.index",
            What::Role(Role::CallIndex),
        ),
        at(
            "output.choices.message.tool_calls.function.name",
            What::Output,
        ),
        at(
            "output.choices.message.tool_calls.function.arguments",
            What::Output,
        ),
        at("usage", What::Role(Role::Usage(Place::Top))),
    ],
    speaks: super::by_signs,
    calls: |_| Calls::Numbered,
    ..Spec::DEFAULT
};
