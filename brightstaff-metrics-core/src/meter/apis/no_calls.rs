//! What a provider's hosts answer beside calls to models: moderations, lists of models, counts of tokens.
//! They owe no usage, and their counts are not usage.

use crate::meter::facts::Usage;
use crate::meter::paths::{Role, What, at};
use crate::meter::seen::Seen;
use crate::meter::spec::{Owes, Speaks, Spec};

const NO_CALL: Spec = Spec {
    speaks: super::by_signs,
    owes: Owes::Nothing,
    operation: None,
    ..Spec::DEFAULT
};

pub(super) const MODERATIONS: Spec = Spec {
    name: "moderations",
    paths: &[
        at("results.flagged", What::Sign),
        at("results.categories", What::Sign),
        at("results.category_scores", What::Sign),
    ],
    ..NO_CALL
};

/// [OpenAI's](https://platform.openai.com/docs/api-reference/models),
/// [Anthropic's](https://docs.anthropic.com/en/api/models-list), [Gemini's](https://ai.google.dev/api/models),
/// Ollama's, Cohere's, Bedrock's.
pub(super) const MODELS: Spec = Spec {
    name: "models",
    paths: &[
        at("data.object", What::Role(Role::Tag)),
        at("data.type", What::Role(Role::Tag)),
        at("data.owned_by", What::Sign),
        at("owned_by", What::Sign),
        at("supportedGenerationMethods", What::Sign),
        at("inputTokenLimit", What::Sign),
        at("models", What::Sign),
        at("modelSummaries", What::Sign),
    ],
    speaks: |said| {
        let model = b"model";
        let event = said.event;
        let named = event.object() == model || event.kind() == model || event.tag() == model;
        match super::by_signs(said) {
            Speaks::No if named => Speaks::Yes,
            // Of files, of batches, or empty.
            Speaks::No if event.object() == b"list" && !said.seen(Seen::USAGE) => Speaks::Maybe,
            speaks => speaks,
        }
    },
    ..NO_CALL
};

/// [Anthropic's](https://docs.anthropic.com/en/api/messages-count-tokens),
/// [OpenAI's](https://platform.openai.com/docs/api-reference/responses/input-tokens),
/// [Gemini's](https://ai.google.dev/api/tokens), Bedrock's, and the tokenizers of vLLM, llama.cpp and Cohere.
pub(super) const TOKEN_COUNT: Spec = Spec {
    name: "token-count",
    paths: &[
        at("input_tokens", What::Sign),
        at("inputTokens", What::Sign),
        at("totalTokens", What::Sign),
        at("tokens", What::Sign),
    ],
    speaks: |said| match said.event.object() {
        b"response.input_tokens" => Speaks::Yes,
        b"" if said.kind().is_empty() && !said.seen(Seen::USAGE) => match super::by_signs(said) {
            Speaks::Yes => Speaks::Maybe,
            speaks => speaks,
        },
        _ => Speaks::No,
    },
    usage: |_| Usage::default(),
    ..NO_CALL
};
