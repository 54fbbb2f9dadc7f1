//! Bedrock's [`ConverseStream`](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html)
//! and `Converse`, and Nova's events, which are the same with their names as members. A stream ends with
//! `messageStop`; its usage follows, in `metadata`. The prompt leaves out what a cache had or took.

use crate::meter::calls::Calls;
use crate::meter::paths::{Path, Role, What, at};
use crate::meter::spec::{Speaks, Spec, Verdict};
use crate::meter::usage::{self, Place, Slot};

const fn count(slot: Slot, rank: u8) -> What {
    What::Role(Role::Count(slot, rank))
}

pub(super) const CONVERSE: Spec = Spec {
    name: "bedrock-converse",
    paths: PATHS,
    speaks: |said| match said.kind() {
        b"messageStart" | b"contentBlockStart" | b"contentBlockDelta" | b"contentBlockStop"
        | b"metadata" | b"messageStop" => Speaks::Yes,
        _ => super::by_signs(said),
    },
    judge: |said| Verdict::ending(said, said.kind() == b"messageStop" || said.last()),
    usage: usage::cache_apart,
    calls: |said| Calls::More(said.calls()),
    ..Spec::DEFAULT
};

const PATHS: &[Path] = &[
    at("stopReason", What::Sign),
    at("stopReason", What::Finish),
    at("messageStop.stopReason", What::Finish),
    at("usage", What::Role(Role::Usage(Place::Top))),
    at("delta.text", What::Output),
    at("delta.toolUse.input", What::Output),
    at("delta.reasoningContent.text", What::Reasoning),
    at("delta.image.source.bytes", What::Output),
    at("start.toolUse.name", What::Output),
    at("start.toolUse.name", What::Role(Role::CallName)),
    at("contentBlockDelta", What::Sign),
    at("contentBlockDelta.delta.text", What::Output),
    at("contentBlockDelta.delta.toolUse.input", What::Output),
    at(
        "contentBlockDelta.delta.reasoningContent.text",
        What::Reasoning,
    ),
    at("contentBlockDelta.delta.image.source.bytes", What::Output),
    at("contentBlockStart", What::Sign),
    at("contentBlockStart.start.toolUse.name", What::Output),
    at(
        "contentBlockStart.start.toolUse.name",
        What::Role(Role::CallName),
    ),
    at(
        "output.message.content.toolUse.name",
        What::Role(Role::CallName),
    ),
    at("metadata.usage", What::Sign),
    at("metadata.usage", What::Role(Role::Usage(Place::Top))),
    at("messageStop", What::Sign),
    at("messageStop", What::End),
    at("$usage.inputTokens", count(Slot::Prompt, 1)),
    at("$usage.outputTokens", count(Slot::Completion, 1)),
    at("$usage.cacheReadInputTokens", count(Slot::CacheRead, 12)),
    at(
        "$usage.cacheReadInputTokenCount",
        count(Slot::CacheRead, 13),
    ),
    at("$usage.cacheWriteInputTokens", count(Slot::CacheWrite, 12)),
    at(
        "$usage.cacheWriteInputTokenCount",
        count(Slot::CacheWrite, 13),
    ),
];
