//! What a meter tells of an answer.

use std::fmt;

use super::model::Model;
use crate::labels::UsageMissing;

/// The protocol that an answer speaks, recognised from its content.
///
/// Dialects share a value: whatever looks like Chat Completions (Azure, Groq, Mistral, vLLM, ...) is
/// [`Api::OpenAiChat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Api {
    /// [Chat Completions](https://platform.openai.com/docs/api-reference/chat) and its dialects.
    OpenAiChat,
    /// The legacy [Completions](https://platform.openai.com/docs/api-reference/completions).
    OpenAiCompletions,
    /// [Embeddings](https://platform.openai.com/docs/api-reference/embeddings).
    OpenAiEmbeddings,
    /// [Responses](https://platform.openai.com/docs/api-reference/responses).
    OpenAiResponses,
    /// [Messages](https://docs.anthropic.com/en/api/messages), Vertex's too.
    AnthropicMessages,
    /// [`generateContent`](https://ai.google.dev/api/generate-content), streamed or not.
    GeminiGenerate,
    /// `embedContent` and `batchEmbedContents`.
    GeminiEmbed,
    /// [Chat](https://docs.cohere.com/reference/chat), versions 1 and 2.
    CohereChat,
    /// [Embed](https://docs.cohere.com/reference/embed).
    CohereEmbed,
    /// [`/api/chat`](https://github.com/ollama/ollama/blob/main/docs/api.md).
    OllamaChat,
    /// `/api/generate`.
    OllamaGenerate,
    /// `/api/embed` and the older `/api/embeddings`.
    OllamaEmbed,
    /// [Converse and `ConverseStream`](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
    BedrockConverse,
    /// `InvokeModel` and `InvokeModelWithResponseStream`, where the payload is not that of another API.
    BedrockInvoke,
}

impl Api {
    /// The name as it stands in reports, such as `openai-chat`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai-chat",
            Self::OpenAiCompletions => "openai-completions",
            Self::OpenAiEmbeddings => "openai-embeddings",
            Self::OpenAiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
            Self::GeminiGenerate => "gemini-generate",
            Self::GeminiEmbed => "gemini-embed",
            Self::CohereChat => "cohere-chat",
            Self::CohereEmbed => "cohere-embed",
            Self::OllamaChat => "ollama-chat",
            Self::OllamaGenerate => "ollama-generate",
            Self::OllamaEmbed => "ollama-embed",
            Self::BedrockConverse => "bedrock-converse",
            Self::BedrockInvoke => "bedrock-invoke",
        }
    }

    /// Whether the answers are embeddings, which owe no completion tokens.
    #[must_use]
    pub const fn is_embeddings(self) -> bool {
        matches!(
            self,
            Self::OpenAiEmbeddings | Self::GeminiEmbed | Self::CohereEmbed | Self::OllamaEmbed
        )
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an answer ended whose body ended cleanly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The stream came to its protocol's own end, or the body is no stream.
    Complete,
    /// The stream told of an error, before or after its end.
    Error,
    /// The stream stopped before its protocol's own end.
    Truncated,
}

impl End {
    /// The name as it stands in reports: `complete`, `error` or `truncated`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error => "error",
            Self::Truncated => "truncated",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Token counts of one answer, normalised: the same question has the same answer at every provider.
///
/// A field is `None` where the provider has not (yet) said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// All input tokens, those read from or written to a cache included.
    pub prompt: Option<u64>,
    /// All output tokens, reasoning included.
    pub completion: Option<u64>,
    /// Part of `prompt`: read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Part of `prompt`: written to the provider's cache.
    pub cache_write: Option<u64>,
    /// Part of `completion`: reasoning.
    pub reasoning: Option<u64>,
}

/// What is known of an answer so far: events by their 0-based index, tokens normalised, no clock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The protocol, once an event or the document has shown it.
    pub api: Option<Api>,
    /// Whether the answer is a stream: server-sent events, an AWS event stream, NDJSON (under
    /// `application/json` too), or Gemini's streamed array.
    pub streaming: bool,
    /// The first non-empty model that the answer names.
    pub model: Model,
    /// Events that were dispatched: server-sent events, event stream messages, NDJSON values, array
    /// elements. 0 where the answer is no stream.
    pub events: u64,
    /// The 0-based index of the first event with generated output: text, reasoning text, a refusal, the
    /// name or the arguments of a tool call, code, audio, an image. Streams only.
    pub first_token_event: Option<u64>,
    /// Whether the protocol's own end was seen. It marks the answer, and does not end it: usage, and even
    /// an error, may follow. Streams only.
    pub terminal: bool,
    /// Whether an event told of an error, before the end or after it. Streams only.
    pub error: bool,
    /// The tokens, as last reported.
    pub usage: Usage,
    /// Whether reasoning text passed in the events, so that reasoning tokens were streamed.
    pub reasoning_streamed: bool,
    /// Whether `usage` is what the provider said at the end, and all that the API owes.
    pub(crate) usage_final: bool,
    /// Whether something was met that cannot be read: broken JSON, broken framing, no known form.
    pub(crate) broken: bool,
    /// Whether the content encoding is not read here, or the body went past its bound.
    pub(crate) unsupported_encoding: bool,
    /// Whether any byte passed.
    pub(crate) any: bool,
    /// Whether anything in it was of a known form: an API's own, an error, an end marker.
    pub(crate) recognised: bool,
}

impl Facts {
    pub(crate) const NONE: Self = Self {
        api: None,
        streaming: false,
        model: Model::NONE,
        events: 0,
        first_token_event: None,
        terminal: false,
        error: false,
        usage: Usage {
            prompt: None,
            completion: None,
            cache_read: None,
            cache_write: None,
            reasoning: None,
        },
        reasoning_streamed: false,
        usage_final: false,
        broken: false,
        unsupported_encoding: false,
        any: false,
        recognised: false,
    };

    /// How the answer ended, if its body ended cleanly by HTTP's rules.
    ///
    /// A stream is complete only after its protocol's own end, and in error once an event told of one.
    /// Any other body is complete, one in an encoding that is not read included: HTTP's rules alone decide.
    #[must_use]
    pub const fn end(&self) -> End {
        if self.streaming && self.error {
            End::Error
        } else if self.owes_terminal() {
            End::Truncated
        } else {
            End::Complete
        }
    }

    const fn owes_terminal(&self) -> bool {
        self.streaming && !self.terminal && !self.unsupported_encoding
    }

    /// Why the final usage of a 2xx answer is not known; `None` where it is.
    ///
    /// `interrupted` says that the body broke or was dropped. A stream that stopped before its protocol's
    /// end counts as interrupted whatever is said.
    #[must_use]
    pub const fn usage_missing(&self, interrupted: bool) -> Option<UsageMissing> {
        let stopped = interrupted || self.owes_terminal();
        if self.owed_usage_seen() && (self.usage_final || !stopped) {
            None
        } else if self.unsupported_encoding {
            Some(UsageMissing::UnsupportedEncoding)
        } else if stopped && (interrupted || !self.broken) {
            Some(UsageMissing::Interrupted)
        } else if self.broken || (self.any && !self.recognised) {
            Some(UsageMissing::Unparsable)
        } else {
            Some(UsageMissing::NotReported)
        }
    }

    /// The output tokens that passed as events: all, less the reasoning that was kept back. What a time per
    /// output token is reckoned by. `None` where the completion is not known.
    #[must_use]
    pub fn streamed_tokens(&self) -> Option<u64> {
        let kept_back = self.usage.reasoning.filter(|_| !self.reasoning_streamed);
        let completion = self.usage.completion?;
        Some(completion.saturating_sub(kept_back.unwrap_or(0)))
    }

    /// Whether both counts are there, or the one that embeddings owe.
    const fn owed_usage_seen(&self) -> bool {
        let embeddings = match self.api {
            Some(api) => api.is_embeddings(),
            None => false,
        };
        self.usage.prompt.is_some() && (embeddings || self.usage.completion.is_some())
    }
}
