//! OpenAI's [Chat Completions](https://platform.openai.com/docs/api-reference/chat/streaming) and its many
//! dialects, and the legacy [Completions](https://platform.openai.com/docs/api-reference/completions).
//!
//! A stream ends at `[DONE]`, or, where a dialect has none, when every choice that was seen has a finish
//! reason. The last usage counts, wherever it stands: beside the choices, in a chunk without any, in a
//! choice, or in Groq's own object.
//!
//! Tool calls are told apart by their choice and their number, since other chunks bring more of their arguments.
//! A dialect that numbers all calls alike is counted right where it sends them in one chunk, and short else.

use crate::labels::Operation;
use crate::meter::calls::Calls;
use crate::meter::paths::{Path, Role, What, at};
use crate::meter::seen::Seen;
use crate::meter::spec::{Speaks, Spec};
use crate::meter::usage::{Place, Slot};

const fn count(slot: Slot, rank: u8) -> What {
    What::Role(Role::Count(slot, rank))
}

pub(super) const CHAT: Spec = Spec {
    name: "openai-chat",
    paths: CHAT_PATHS,
    speaks: |said| match said.event.object() {
        b"chat.completion" | b"chat.completion.chunk" => Speaks::Yes,
        b"text_completion" => Speaks::No,
        _ if super::by_signs(said) == Speaks::Yes => Speaks::Yes,
        // The first chunk of Azure's has no object, and its choices are empty.
        _ if said.seen(Seen::CHOICES) => Speaks::Maybe,
        _ => Speaks::No,
    },
    calls: |_| Calls::Numbered,
    ..Spec::DEFAULT
};

pub(super) const COMPLETIONS: Spec = Spec {
    name: "openai-completions",
    paths: &[
        at("choices", What::Role(Role::Choice)),
        at("choices.text", What::Sign),
        at("choices.text", What::Output),
        at("choices.finish_reason", What::Finish),
        at("choices.stop_reason", What::Finish),
        at("usage", What::Role(Role::Usage(Place::Top))),
    ],
    speaks: |said| match said.event.object() {
        b"text_completion" => Speaks::Yes,
        _ => super::by_signs(said),
    },
    operation: Some(Operation::TextCompletion),
    ..Spec::DEFAULT
};

const CHAT_PATHS: &[Path] = &[
    at("choices", What::Role(Role::Choice)),
    at("choices.index", What::Role(Role::Index)),
    at("choices.delta", What::Sign),
    at("choices.delta", What::Like("$message")),
    at("choices.message", What::Sign),
    at("choices.message", What::Like("$message")),
    at("choices.finish_reason", What::Finish),
    // On Bedrock; elsewhere it says more about the former.
    at("choices.stop_reason", What::Finish),
    at("choices.error", What::Role(Role::Error)),
    at("choices.usage", What::Role(Role::Usage(Place::Choice))),
    at("model_id", What::Role(Role::Model)),
    at("prompt_filter_results", What::Role(Role::None)),
    at("usage", What::Role(Role::Usage(Place::Top))),
    at("x_groq.usage", What::Role(Role::Usage(Place::XGroq))),
    at("x_groq.error", What::Role(Role::Error)),
    // What a message or a delta holds of output. Mistral's and Databricks' content is a list of parts.
    at("$message.content", What::Output),
    at("$message.content.text", What::Output),
    at("$message.content.thinking", What::Reasoning),
    at("$message.content.thinking.text", What::Reasoning),
    at("$message.content.summary.text", What::Reasoning),
    at("$message.content.image_url", What::Output),
    at("$message.content.image_url.url", What::Output),
    at("$message.refusal", What::Output),
    at("$message.reasoning", What::Reasoning),
    at("$message.reasoning.text", What::Reasoning),
    at("$message.reasoning_content", What::Reasoning),
    at("$message.reasoning_text", What::Reasoning),
    at("$message.thinking", What::Reasoning),
    at("$message.thinking.thinking", What::Reasoning),
    at("$message.summary", What::Reasoning),
    at("$message.reasoning_details.text", What::Reasoning),
    at("$message.reasoning_details.summary", What::Reasoning),
    at("$message.tool_calls", What::Like("$tool_calls")),
    at("$message.tool_calls", What::Role(Role::Call)),
    at("$message.function_call", What::Like("$function")),
    at("$message.function_call", What::Role(Role::Call)),
    at("$message.audio.data", What::Output),
    at("$message.audio.transcript", What::Output),
    at("$message.images", What::Output),
    at("$message.images.url", What::Output),
    at("$message.images.b64_json", What::Output),
    at("$message.images.image_url", What::Output),
    at("$message.images.image_url.url", What::Output),
    at("$tool_calls.index", What::Role(Role::CallIndex)),
    at("$tool_calls.function", What::Like("$function")),
    at("$tool_calls.custom", What::Like("$function")),
    at("$tool_calls.name", What::Output),
    at("$function.name", What::Output),
    at("$function.arguments", What::Output),
    at("$function.input", What::Output),
    // The spellings of its usage, and of those who copied it.
    at("$usage.prompt_tokens", count(Slot::Prompt, 0)),
    at("$usage.completion_tokens", count(Slot::Completion, 0)),
    at("$usage.total_tokens", count(Slot::Total, 0)),
    at("$usage.prompt_tokens_details", What::Like("$prompt")),
    at("$prompt.cached_tokens", count(Slot::CacheRead, 0)),
    at("$prompt.cache_write_tokens", count(Slot::CacheWrite, 0)),
    at(
        "$prompt.cache_creation_input_tokens",
        count(Slot::CacheWrite, 2),
    ),
    at("$prompt.cache_creation_tokens", count(Slot::CacheWrite, 4)),
    at("$prompt.audio_tokens", count(Slot::PromptAudio, 0)),
    at("$prompt.image_tokens", count(Slot::PromptImage, 0)),
    at(
        "$usage.completion_tokens_details",
        What::Like("$completion"),
    ),
    at("$completion.reasoning_tokens", count(Slot::Reasoning, 0)),
    at("$completion.thinking_tokens", count(Slot::Reasoning, 0)),
    at("$completion.audio_tokens", count(Slot::CompletionAudio, 0)),
    at("$completion.image_tokens", count(Slot::CompletionImage, 0)),
    // Writer.
    at(
        "$usage.prompt_token_details.cached_tokens",
        count(Slot::CacheRead, 1),
    ),
    at(
        "$usage.completion_token_details.reasoning_tokens",
        count(Slot::Reasoning, 1),
    ),
    // Copilot, Perplexity (https://docs.perplexity.ai/guides/pricing).
    at("$usage.reasoning_tokens", count(Slot::Reasoning, 2)),
    at("$usage.citation_tokens", count(Slot::Citations, 0)),
    // Together, Moonshot, Cohere; DeepSeek; Mistral.
    at("$usage.cached_tokens", count(Slot::CacheRead, 8)),
    at("$usage.prompt_cache_hit_tokens", count(Slot::CacheRead, 9)),
    at("$usage.num_cached_tokens", count(Slot::CacheRead, 10)),
    // OpenRouter (https://openrouter.ai/docs/use-cases/usage-accounting); Perplexity; xAI.
    at("$usage.cost", What::Role(Role::Cost)),
    at("$usage.cost.total_cost", What::Role(Role::Cost)),
    at("$usage.cost_in_usd_ticks", What::Role(Role::Ticks)),
    at("$usage.service_tier", What::Role(Role::Tier)),
];
