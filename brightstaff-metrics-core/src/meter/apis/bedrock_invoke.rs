//! Bedrock's [`InvokeModel`](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html):
//! Titan, Llama, Mistral and Cohere's Command in words of their own. Other families speak another API's words
//! here. What a family does not count, Bedrock does, in the last event; a guardrail's intervention ends a response.

use crate::labels::Operation;
use crate::meter::paths::{Path, Role, What, at};
use crate::meter::seen::Seen;
use crate::meter::spec::{Spec, Verdict};
use crate::meter::usage::{Slot, Update};

const fn count(slot: Slot) -> What {
    What::Role(Role::Count(slot, 0))
}

pub(super) const SPEC: Spec = Spec {
    name: "bedrock-invoke",
    paths: PATHS,
    speaks: super::by_signs,
    judge: |said| {
        let verdict = Verdict::of(said);
        Verdict {
            end: said.seen(Seen::GUARDRAIL) || said.done(),
            ..verdict
        }
    },
    // Llama's chunks repeat only what has changed.
    update: Update::Each,
    operation: Some(Operation::TextCompletion),
    ..Spec::DEFAULT
};

const PATHS: &[Path] = &[
    // Titan.
    at("outputText", What::Sign),
    at("outputText", What::Output),
    at("completionReason", What::Finish),
    at("inputTextTokenCount", What::Sign),
    at("inputTextTokenCount", count(Slot::Prompt)),
    at("totalOutputTextTokenCount", count(Slot::Completion)),
    at("results.outputText", What::Sign),
    at("results.outputText", What::Output),
    at("results.tokenCount", What::Sign),
    at("results.tokenCount", count(Slot::Completion)),
    at("results.completionReason", What::Finish),
    // Llama.
    at("generation", What::Sign),
    at("generation", What::Output),
    at("stop_reason", What::Finish),
    at("prompt_token_count", count(Slot::Prompt)),
    at("generation_token_count", count(Slot::Completion)),
    // Mistral.
    at("outputs.text", What::Sign),
    at("outputs.text", What::Output),
    at("outputs.stop_reason", What::Finish),
    // Cohere's Command.
    at("generations.text", What::Sign),
    at("generations.text", What::Output),
    at("generations.finish_reason", What::Finish),
    at("is_finished", What::Sign),
    at("is_finished", What::Done),
    at("text", What::Output),
    at("finish_reason", What::Finish),
    // Bedrock's own.
    at(
        "amazon-bedrock-guardrailAction",
        What::Role(Role::Guardrail),
    ),
    at("amazon-bedrock-invocationMetrics", What::Sign),
    at(
        "amazon-bedrock-invocationMetrics.inputTokenCount",
        count(Slot::MetricsInput),
    ),
    at(
        "amazon-bedrock-invocationMetrics.outputTokenCount",
        count(Slot::MetricsOutput),
    ),
    at(
        "amazon-bedrock-invocationMetrics.cacheReadInputTokenCount",
        count(Slot::MetricsRead),
    ),
    at(
        "amazon-bedrock-invocationMetrics.cacheWriteInputTokenCount",
        count(Slot::MetricsWrite),
    ),
];
