//! Google's [`generateContent`](https://ai.google.dev/api/generate-content#generatecontentresponse) and its
//! streams: server-sent events, or the elements of an array. A stream ends when every candidate that was
//! seen has a finish reason, or with a block of the prompt. Enums may come as numbers. The last usage counts
//! as a whole, and is additive: the prompt leaves out that of tools, the candidates leave out thoughts.

use crate::labels::Operation;
use crate::meter::calls::Calls;
use crate::meter::facts::Usage;
use crate::meter::paths::{Path, Role, What, at};
use crate::meter::spec::Spec;
use crate::meter::usage::{Counts, Slot, total};

const fn count(slot: Slot) -> What {
    What::Role(Role::Count(slot, 0))
}

pub(super) const SPEC: Spec = Spec {
    name: "gemini-generate",
    paths: PATHS,
    speaks: super::by_signs,
    arrays: true,
    usage,
    // Arguments may be streamed behind the name, in parts without one.
    calls: |said| Calls::More(said.calls()),
    operation: Some(Operation::GenerateContent),
    ..Spec::DEFAULT
};

fn usage(counts: &Counts) -> Usage {
    let sum = |slots: [Slot; 2]| {
        let counts = slots.map(|slot| counts.get(slot));
        counts.iter().any(Option::is_some).then(|| total(counts))
    };
    let prompt = sum([Slot::Prompt, Slot::ToolPrompt]);
    let completion = sum([Slot::Completion, Slot::Reasoning]);
    // Zeros are left out on the wire: nothing was generated if the input is the total.
    let nothing = prompt.filter(|_| prompt == counts.get(Slot::Total));
    Usage {
        prompt,
        completion: completion.or(nothing.map(|_| 0)),
        cache_read: counts.get(Slot::CacheRead),
        cache_write: None,
        reasoning: counts.get(Slot::Reasoning),
    }
}

const PATHS: &[Path] = &[
    at("candidates", What::Sign),
    at("candidates", What::Role(Role::Choice)),
    at("candidates.index", What::Role(Role::Index)),
    at("candidates.finishReason", What::Finish),
    at("candidates.content.parts.text", What::Output),
    at(
        "candidates.content.parts.thought",
        What::Role(Role::Thought),
    ),
    at("candidates.content.parts.functionCall.name", What::Output),
    at(
        "candidates.content.parts.functionCall.name",
        What::Role(Role::CallName),
    ),
    at("candidates.content.parts.executableCode.code", What::Output),
    at("candidates.content.parts.inlineData.data", What::Output),
    at("promptFeedback", What::Sign),
    at("promptFeedback.blockReason", What::Finish),
    at("modelVersion", What::Role(Role::Model)),
    at("usageMetadata", What::Sign),
    at("usageMetadata", What::Role(Role::Metadata)),
    at("usageMetadata.promptTokenCount", count(Slot::Prompt)),
    at(
        "usageMetadata.toolUsePromptTokenCount",
        count(Slot::ToolPrompt),
    ),
    at(
        "usageMetadata.candidatesTokenCount",
        count(Slot::Completion),
    ),
    at("usageMetadata.thoughtsTokenCount", count(Slot::Reasoning)),
    at(
        "usageMetadata.cachedContentTokenCount",
        count(Slot::CacheRead),
    ),
    at("usageMetadata.totalTokenCount", count(Slot::Total)),
    at("usageMetadata.serviceTier", What::Role(Role::Tier)),
];
