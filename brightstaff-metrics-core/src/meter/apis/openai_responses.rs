//! OpenAI's [Responses](https://platform.openai.com/docs/api-reference/responses-streaming).
//!
//! A stream ends with `response.completed` or `response.incomplete`, either of which repeats the whole
//! answer with its usage. `response.failed` is an error, `response.cancelled` neither.

use crate::meter::calls::{Calls, is_call};
use crate::meter::paths::{Path, Role, What, at};
use crate::meter::said::Said;
use crate::meter::seen::Seen;
use crate::meter::spec::{Speaks, Spec, Verdict};
use crate::meter::usage::{Place, Slot};

/// Output items that are calls without a name: their type is the tool's, and they may come whole.
const CALLS: [&[u8]; 7] = [
    b"code_interpreter_call",
    b"tool_search_call",
    b"apply_patch_call",
    b"local_shell_call",
    b"shell_call",
    b"computer_call",
    b"program",
];

pub(super) const SPEC: Spec = Spec {
    name: "openai-responses",
    paths: PATHS,
    speaks: |said| {
        let object = matches!(said.event.object(), b"response" | b"response.compaction");
        Speaks::from(object || said.kind().starts_with(b"response."))
    },
    judge,
    calls: |said| {
        let item = u32::from(is_call(said.event.tag()));
        match said.kind() {
            b"response.output_item.added" => Calls::Begun(item),
            b"response.output_item.done" => Calls::Whole(item),
            _ => Calls::Listed(said.calls()),
        }
    },
    ..Spec::DEFAULT
};

fn judge(said: &Said<'_>) -> Verdict {
    let kind = said.kind().strip_prefix(b"response.").unwrap_or_default();
    let tag = said.event.tag();
    // Foreign events may have a `text` or `code` of their own; what tools put out is nobody's generation.
    let ours = !kind.is_empty() && !tag.ends_with(b"_output") && !holds(kind, b"call_output");
    let mut verdict = Verdict::ending(said, matches!(kind, b"completed" | b"incomplete"));
    verdict.token = ours && (verdict.token || CALLS.contains(&tag));
    verdict.reasoning = verdict.token
        && (said.reasoning() || kind.starts_with(b"reasoning") || tag == b"reasoning");
    verdict.error |= matches!(kind, b"failed" | b"error")
        || (said.event.object() == b"response" && said.seen(Seen::STATUS_FAILED));
    verdict
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

const PATHS: &[Path] = &[
    at("output.type", What::Role(Role::CallType)),
    at("response.output.type", What::Role(Role::CallType)),
    at("response.model", What::Role(Role::Model)),
    at("response.usage", What::Role(Role::Usage(Place::Top))),
    at("response.error", What::Role(Role::Error)),
    at("response.object", What::Role(Role::Object)),
    at("response.service_tier", What::Role(Role::Tier)),
    at("usage", What::Role(Role::Usage(Place::Top))),
    at("delta", What::Output),
    at("item.type", What::Role(Role::Tag)),
    at("item.name", What::Output),
    at("item.arguments", What::Output),
    at("item.input", What::Output),
    at("item.code", What::Output),
    at("item.result", What::Output),
    at("item.content", What::Output),
    at("item.content.text", What::Output),
    at("item.content.refusal", What::Output),
    at("item.summary.text", What::Reasoning),
    at("part.text", What::Output),
    at("part.refusal", What::Output),
    at("partial_image_b64", What::Output),
    at("arguments", What::Output),
    at("code", What::Output),
    at("command", What::Output),
    at("diff", What::Output),
    at("input", What::Output),
    at("refusal", What::Output),
    at("text", What::Output),
    at("transcript", What::Output),
    at(
        "$usage.input_tokens",
        What::Role(Role::Count(Slot::Prompt, 1)),
    ),
    at(
        "$usage.output_tokens",
        What::Role(Role::Count(Slot::Completion, 1)),
    ),
    at("$usage.input_tokens_details", What::Like("$prompt")),
    at("$usage.output_tokens_details", What::Like("$completion")),
];
