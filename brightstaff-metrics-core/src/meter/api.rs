//! What an event means, by the rules of each API.

use super::captures::{Captures, Seen};
use super::facts::{Api, Usage};
use super::kind::{Kind, Object};
use super::usage::{Counts, Slot};

/// What one event says of the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    /// It holds generated output.
    pub(crate) token: bool,
    pub(crate) reasoning: bool,
    /// It is the protocol's end.
    pub(crate) terminal: bool,
    pub(crate) error: bool,
    /// Its usage, if it has any, is the last word, wherever it stands.
    pub(crate) final_usage: bool,
}

/// Which API speaks so, and whether that is certain.
pub(crate) fn recognise(event: &Captures) -> Option<(Api, bool)> {
    let seen = event.seen;
    let sure = match (event.object, event.kind) {
        (Object::Chat, _) => Api::OpenAiChat,
        (Object::Completion, _) => Api::OpenAiCompletions,
        (Object::Response, _) => Api::OpenAiResponses,
        (_, kind) if is_responses(kind) => Api::OpenAiResponses,
        (_, Kind::Message | Kind::Anthropic | Kind::MessageDelta | Kind::MessageStop) => {
            Api::AnthropicMessages
        }
        (_, Kind::Cohere | Kind::CohereEnd) => Api::CohereChat,
        (_, Kind::Converse | Kind::ConverseStop) => Api::BedrockConverse,
        _ if seen.any(Seen::CHAT) => Api::OpenAiChat,
        _ if seen.any(Seen::COMPLETIONS) => Api::OpenAiCompletions,
        _ if seen.any(Seen::EMBEDDING) => embeddings(event),
        (Object::List, _) if seen.any(Seen::EMBEDDING_DATA) => Api::OpenAiEmbeddings,
        _ if seen.any(Seen::GEMINI) => Api::GeminiGenerate,
        _ if seen.any(Seen::NOVA.and(Seen::CONVERSE)) => Api::BedrockConverse,
        _ if seen.any(Seen::INVOKE) => Api::BedrockInvoke,
        _ if seen.any(Seen::COHERE) => Api::CohereChat,
        _ if seen.any(Seen::DONE.and(Seen::NOT_DONE)) => {
            if seen.any(Seen::RESPONSE_TEXT) {
                Api::OllamaGenerate
            } else {
                Api::OllamaChat
            }
        }
        // The first chunk of Azure's has no object, and its choices are empty.
        _ if seen.any(Seen::CHOICES) => return Some((Api::OpenAiChat, false)),
        _ => return None,
    };
    Some((sure, true))
}

fn embeddings(event: &Captures) -> Api {
    let seen = event.seen;
    if seen.any(Seen::EMBEDDING_DATA) {
        Api::OpenAiEmbeddings
    } else if seen.any(Seen::COHERE) {
        Api::CohereEmbed
    } else if seen.any(Seen::EMBEDDING_OBJECT.and(Seen::GEMINI)) {
        Api::GeminiEmbed
    } else {
        Api::OllamaEmbed
    }
}

const fn is_responses(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Response
            | Kind::ReasoningDelta
            | Kind::ResponseDelta
            | Kind::ResponseEnd
            | Kind::ResponseFailed
    )
}

/// What an event of `api` says.
pub(crate) fn judge(api: Option<Api>, event: &Captures) -> Verdict {
    let Captures { seen, kind, .. } = *event;
    let delta = seen.any(Seen::DELTA) && is_responses(kind);
    let output = delta || seen.any(Seen::OUTPUT.and(Seen::REASONING));
    Verdict {
        token: output,
        reasoning: seen.any(Seen::REASONING)
            || (delta && kind == Kind::ReasoningDelta)
            || (output && seen.any(Seen::THOUGHT)),
        terminal: is_terminal(api, event),
        error: seen.any(Seen::ERROR.and(Seen::FINISH_ERROR))
            || matches!(kind, Kind::Error | Kind::ResponseFailed),
        final_usage: kind == Kind::MessageDelta && event.counts.get(Slot::Completion).is_some(),
    }
}

fn is_terminal(api: Option<Api>, event: &Captures) -> bool {
    let Captures { seen, kind, .. } = *event;
    match api {
        Some(Api::AnthropicMessages) => kind == Kind::MessageStop,
        Some(Api::OpenAiResponses) => kind == Kind::ResponseEnd,
        Some(Api::CohereChat) => kind == Kind::CohereEnd,
        Some(Api::BedrockConverse) => kind == Kind::ConverseStop || seen.any(Seen::NOVA_STOP),
        Some(Api::OllamaChat | Api::OllamaGenerate) => seen.any(Seen::DONE),
        _ => seen.any(Seen::FINISH),
    }
}

/// Takes an event's counts: whole, or count by count, as each API defines.
pub(crate) fn update(api: Option<Api>, counts: &mut Counts, event: &Counts) {
    match api {
        // `message_delta` repeats only what has changed; so do Llama's chunks on Bedrock.
        Some(Api::AnthropicMessages | Api::BedrockInvoke) | None => counts.merge(event),
        _ if event.any() => {
            counts.clear_usage();
            counts.merge(event);
        }
        _ => counts.merge(event),
    }
}

/// The counts in this project's words: all input, all output.
pub(crate) fn normalise(api: Option<Api>, counts: &Counts) -> Usage {
    let or_metrics = |slot, metrics| counts.get(slot).or(counts.get(metrics));
    let mut usage = Usage {
        prompt: or_metrics(Slot::Prompt, Slot::MetricsInput),
        completion: or_metrics(Slot::Completion, Slot::MetricsOutput),
        cache_read: or_metrics(Slot::CacheRead, Slot::MetricsRead),
        cache_write: or_metrics(Slot::CacheWrite, Slot::MetricsWrite),
        reasoning: counts.get(Slot::Reasoning),
    };
    let total = counts.get(Slot::Total);
    match api {
        Some(Api::AnthropicMessages | Api::BedrockConverse) => {
            let cached = sum([usage.cache_read, usage.cache_write]).unwrap_or(0);
            usage.prompt = usage.prompt.map(|input| input.saturating_add(cached));
        }
        Some(Api::GeminiGenerate) => {
            usage.prompt = sum([usage.prompt, counts.get(Slot::ToolPrompt)]);
            usage.completion = sum([usage.completion, usage.reasoning]);
            // Zeros are left out on the wire: nothing was generated if the input is the total.
            if usage.completion.is_none() && usage.prompt.is_some() && usage.prompt == total {
                usage.completion = Some(0);
            }
        }
        _ => {
            // xAI's chat reports reasoning beside the completion; its total tells.
            let apart = sum([
                usage.completion,
                usage.reasoning.filter(|&reasoning| reasoning > 0),
            ]);
            if usage.reasoning.is_some_and(|reasoning| reasoning > 0)
                && usage.completion.is_some()
                && sum([usage.prompt, apart]) == total
            {
                usage.completion = apart;
            }
        }
    }
    usage
}

/// The sum of what is there; `None` if nothing is.
fn sum(counts: [Option<u64>; 2]) -> Option<u64> {
    counts.into_iter().flatten().reduce(u64::saturating_add)
}
