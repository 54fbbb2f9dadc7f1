//! Anthropic's [Messages](https://docs.anthropic.com/en/docs/build-with-claude/streaming), also on Vertex and
//! Bedrock, and the legacy [Text Completions](https://docs.anthropic.com/en/api/complete).
//!
//! Messages end with `message_stop`. The prompt leaves out what a cache had or took. Usage is cumulative, and
//! replaced count by count. Of `usage.iterations`, the entries of type `compaction` are beside the top level,
//! and are added ([compaction](https://docs.anthropic.com/en/docs/build-with-claude/compaction)); `message` and
//! `fallback_message` are within it; `advisor_message` is another model's, and left out.

use crate::labels::Operation;
use crate::meter::calls::{Calls, is_call};
use crate::meter::facts::Usage;
use crate::meter::paths::{Path, Role, What, at};
use crate::meter::said::Said;
use crate::meter::seen::Seen;
use crate::meter::spec::{Speaks, Spec, Verdict};
use crate::meter::usage::{Counts, Place, Slot, Update, cache_apart, total};

const fn count(slot: Slot, rank: u8) -> What {
    What::Role(Role::Count(slot, rank))
}

const fn of_iteration(slot: Slot) -> What {
    What::Role(Role::IterationCount(slot))
}

pub(super) const MESSAGES: Spec = Spec {
    name: "anthropic-messages",
    paths: PATHS,
    speaks: |said| match said.kind() {
        b"message_start"
        | b"content_block_start"
        | b"content_block_delta"
        | b"content_block_stop"
        | b"message_delta"
        | b"message_stop" => Speaks::Yes,
        b"message" if said.seen(Seen::USAGE) => super::by_signs(said),
        _ => Speaks::No,
    },
    judge: |said| {
        let mut verdict = Verdict::ending(said, said.kind() == b"message_stop");
        // What a server's tool returned is not output, but for an image of its call.
        verdict.token &= !said.event.tag().ends_with(b"_result");
        verdict.final_usage =
            said.kind() == b"message_delta" && said.event.counts.get(Slot::Completion).is_some();
        verdict
    },
    update: Update::Each,
    usage,
    calls: |said| {
        let starts = said.kind() == b"content_block_start" && is_call(said.event.tag());
        Calls::More(said.calls() + u32::from(starts))
    },
    ..Spec::DEFAULT
};

pub(super) const COMPLETE: Spec = Spec {
    name: "anthropic-complete",
    paths: &[
        at("completion", What::Sign),
        at("completion", What::Output),
        at("stop_reason", What::Finish),
    ],
    speaks: |said| match said.kind() {
        b"completion" | b"" => super::by_signs(said),
        _ => Speaks::No,
    },
    judge: legacy,
    update: Update::Each,
    operation: Some(Operation::TextCompletion),
    ..Spec::DEFAULT
};

fn legacy(said: &Said<'_>) -> Verdict {
    let verdict = Verdict::of(said);
    Verdict {
        end: said.seen(Seen::GUARDRAIL),
        ..verdict
    }
}

fn usage(counts: &Counts) -> Usage {
    let mut usage = cache_apart(counts);
    let [prompt, completion, read, write] = [
        Slot::CompactionPrompt,
        Slot::CompactionCompletion,
        Slot::CompactionRead,
        Slot::CompactionWrite,
    ]
    .map(|slot| counts.get(slot));
    // A cache that only the compaction used is not in the top level at all.
    let add = |count: &mut Option<u64>, more: [Option<u64>; 3]| match total(more) {
        0 => {}
        more => *count = Some(count.unwrap_or(0).saturating_add(more)),
    };
    if usage.prompt.is_some() {
        add(&mut usage.prompt, [prompt, read, write]);
    }
    if usage.completion.is_some() {
        add(&mut usage.completion, [completion, None, None]);
    }
    add(&mut usage.cache_read, [read, None, None]);
    add(&mut usage.cache_write, [write, None, None]);
    usage
}

const PATHS: &[Path] = &[
    at("message.model", What::Role(Role::Model)),
    at("message.usage", What::Role(Role::Usage(Place::Top))),
    at("usage", What::Role(Role::Usage(Place::Top))),
    at("role", What::Sign),
    at("stop_reason", What::Sign),
    at("stop_reason", What::Finish),
    at("delta.stop_reason", What::Finish),
    at("delta.text", What::Output),
    at("delta.partial_json", What::Output),
    at("delta.thinking", What::Reasoning),
    // A summary, in a compaction.
    at("delta.content", What::Output),
    at("content.type", What::Role(Role::CallType)),
    at("content_block.type", What::Role(Role::Tag)),
    at("content_block.text", What::Output),
    at("content_block.thinking", What::Reasoning),
    at("content_block.name", What::Output),
    at("content_block.content", What::Output),
    at("$usage.cache_read_input_tokens", count(Slot::CacheRead, 11)),
    at(
        "$usage.cache_creation_input_tokens",
        count(Slot::CacheWrite, 11),
    ),
    at(
        "$usage.cache_creation.ephemeral_5m_input_tokens",
        count(Slot::CacheWrite5m, 0),
    ),
    at(
        "$usage.cache_creation.ephemeral_1h_input_tokens",
        count(Slot::CacheWrite1h, 0),
    ),
    at("$usage.iterations", What::Role(Role::Iteration)),
    at("$usage.iterations.type", What::Role(Role::IterationKind)),
    at("$usage.iterations.input_tokens", of_iteration(Slot::Prompt)),
    at(
        "$usage.iterations.output_tokens",
        of_iteration(Slot::Completion),
    ),
    at(
        "$usage.iterations.cache_read_input_tokens",
        of_iteration(Slot::CacheRead),
    ),
    at(
        "$usage.iterations.cache_creation_input_tokens",
        of_iteration(Slot::CacheWrite),
    ),
];
