//! Cohere's [Chat](https://docs.cohere.com/reference/chat-stream), versions 1 and 2. A stream ends with
//! `message-end` or `stream-end`, which has the usage: what was counted (`tokens`) before what was billed.

use crate::meter::calls::Calls;
use crate::meter::paths::{Path, Role, What, at};
use crate::meter::spec::{Speaks, Spec, Verdict};
use crate::meter::usage::{Place, Slot};

const KINDS: [&[u8]; 20] = [
    b"message-start",
    b"content-start",
    b"content-delta",
    b"content-end",
    b"tool-plan-delta",
    b"tool-call-start",
    b"tool-call-delta",
    b"tool-call-end",
    b"citation-start",
    b"citation-end",
    b"message-end",
    b"stream-start",
    b"text-generation",
    b"search-queries-generation",
    b"search-results",
    b"citation-generation",
    b"tool-calls-generation",
    b"tool-calls-chunk",
    b"debug",
    b"stream-end",
];

const fn count(slot: Slot, rank: u8) -> What {
    What::Role(Role::Count(slot, rank))
}

pub(super) const SPEC: Spec = Spec {
    name: "cohere-chat",
    paths: PATHS,
    speaks: |said| match KINDS.contains(&said.kind()) {
        true => Speaks::Yes,
        false => super::by_signs(said),
    },
    judge: |said| Verdict::ending(said, matches!(said.kind(), b"message-end" | b"stream-end")),
    // Version 2 streams a call in parts; version 1 lists all of them once they are whole.
    calls: |said| match said.kind() {
        b"tool-call-start" => Calls::More(1),
        _ => Calls::More(said.calls()),
    },
    goes_on: |said| (!said.kind().is_empty()).then_some(true),
    ..Spec::DEFAULT
};

const PATHS: &[Path] = &[
    // Version 2.
    at("delta.message.content", What::Output),
    at("delta.message.content.text", What::Output),
    at("delta.message.content.thinking", What::Reasoning),
    at("delta.message.tool_plan", What::Output),
    at("delta.message.tool_calls", What::Like("$tool_calls")),
    at("message.tool_calls", What::Role(Role::Call)),
    at("delta.finish_reason", What::Finish),
    at("delta.error", What::Role(Role::Error)),
    at("delta.usage", What::Role(Role::Usage(Place::Top))),
    at("usage", What::Role(Role::Usage(Place::Top))),
    at("$tool_calls.name", What::Output),
    at("$tool_calls.function", What::Like("$function")),
    at("$function.name", What::Output),
    at("$function.arguments", What::Output),
    at("$usage.tokens", What::Sign),
    at("$usage.tokens.input_tokens", count(Slot::Prompt, 2)),
    at("$usage.tokens.output_tokens", count(Slot::Completion, 2)),
    at("$usage.tokens.reasoning_tokens", count(Slot::Reasoning, 2)),
    at("$usage.billed_units", What::Sign),
    at("$usage.billed_units.input_tokens", count(Slot::Prompt, 3)),
    at(
        "$usage.billed_units.output_tokens",
        count(Slot::Completion, 3),
    ),
    // Version 1.
    at("text", What::Output),
    at("finish_reason", What::Finish),
    at("tool_calls", What::Like("$tool_calls")),
    at("tool_calls", What::Role(Role::Call)),
    at("tool_calls.parameters", What::Output),
    at("tool_call_delta", What::Like("$tool_calls")),
    at("$tool_calls.parameters", What::Output),
    at("response.meta", What::Like("$meta")),
    at("meta", What::Like("$meta")),
    at("$meta.tokens", What::Sign),
    at("$meta.tokens.input_tokens", count(Slot::Prompt, 0)),
    at("$meta.tokens.output_tokens", count(Slot::Completion, 0)),
    at("$meta.tokens.reasoning_tokens", count(Slot::Reasoning, 0)),
    at("$meta.billed_units", What::Sign),
    at("$meta.billed_units.input_tokens", count(Slot::Prompt, 2)),
    at(
        "$meta.billed_units.output_tokens",
        count(Slot::Completion, 2),
    ),
    at("$meta.cached_tokens", count(Slot::CacheRead, 0)),
];
