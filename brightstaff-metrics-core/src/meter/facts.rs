//! What a meter learns from a response.

use std::fmt;

use super::apis::Api;
use super::details::Details;
use super::model::Model;
use super::spec::Owes;
use crate::labels::UsageMissing;

/// How a response ended whose body ended cleanly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The stream came to its protocol's own end, or the body is not a stream.
    Complete,
    /// The stream reported an error, before or after its end, or the JSON is one.
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

/// Token counts of one response, normalised: the same request counts the same at every provider.
///
/// A field is `None` where the provider has not (yet) said.
///
/// ```
/// use brightstaff_metrics_core::meter::Usage;
///
/// let usage = Usage::new(9, 12).with_cache_read(4).with_reasoning(8);
/// assert_eq!(usage.completion, Some(12));
/// ```
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

impl Usage {
    /// All input tokens and all output tokens.
    #[must_use]
    pub const fn new(prompt: u64, completion: u64) -> Self {
        Self {
            prompt: Some(prompt),
            completion: Some(completion),
            cache_read: None,
            cache_write: None,
            reasoning: None,
        }
    }

    /// Of the prompt, these were read from the provider's cache.
    #[must_use]
    pub const fn with_cache_read(self, tokens: u64) -> Self {
        Self {
            cache_read: Some(tokens),
            ..self
        }
    }

    /// Of the prompt, these were written to the provider's cache.
    #[must_use]
    pub const fn with_cache_write(self, tokens: u64) -> Self {
        Self {
            cache_write: Some(tokens),
            ..self
        }
    }

    /// Of the completion, these are reasoning.
    #[must_use]
    pub const fn with_reasoning(self, tokens: u64) -> Self {
        Self {
            reasoning: Some(tokens),
            ..self
        }
    }
}

/// What is known of a response so far: events by their 0-based index, tokens normalised, no clock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The protocol, once an event or the document has shown it.
    pub api: Option<Api>,
    /// Whether the response is a stream: server-sent events, an AWS event stream, NDJSON (under
    /// `application/json` too), or Gemini's streamed array.
    pub streaming: bool,
    /// The first non-empty model that the response names.
    pub model: Model,
    /// Events that were dispatched: server-sent events, event stream messages, NDJSON values, array
    /// elements. 0 where the response is not a stream.
    pub events: u64,
    /// The 0-based index of the first event with generated output: text, reasoning text, a refusal, the
    /// name or the arguments of a tool call, code, audio, an image. Streams only.
    pub first_token_event: Option<u64>,
    /// Whether the protocol's own end was seen. It marks the response, and does not end it: usage, and even
    /// an error, may follow. Streams only.
    pub terminal: bool,
    /// Whether an event reported an error, before the end or after it, or the JSON is one.
    pub error: bool,
    /// How many responses to the one question were seen. Streams only.
    pub choices: u32,
    /// The tokens, as last reported. Where a stream reports them in every event, the report of the last few events is
    /// read once an event of another kind comes, or [`Meter::finish`](super::Meter::finish) is called.
    pub usage: Usage,
    /// What else the provider said of the call.
    pub details: Details,
    /// Whether reasoning text passed in the events, so that reasoning tokens were streamed.
    pub reasoning_streamed: bool,
    /// Whether `usage` is what the provider said at the end, and all that the API owes.
    pub(crate) usage_final: bool,
    /// Whether something was met that cannot be read: broken JSON, broken framing, no known form.
    pub(crate) broken: bool,
    /// Whether the content encoding is not read here, or the body went past its bound.
    pub(crate) unsupported_encoding: bool,
    /// Whether the provider counted seconds, which owes no tokens.
    pub(crate) timed: bool,
    /// Whether the content type is that of media, which owe no tokens.
    pub(crate) media: bool,
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
        choices: 0,
        usage: Usage {
            prompt: None,
            completion: None,
            cache_read: None,
            cache_write: None,
            reasoning: None,
        },
        details: Details::NONE,
        reasoning_streamed: false,
        usage_final: false,
        broken: false,
        unsupported_encoding: false,
        timed: false,
        media: false,
        any: false,
        recognised: false,
    };

    /// Of a response that somebody else reads, who tells what is in it. Nothing in it is unread.
    pub(crate) fn by_hand() -> Self {
        Self {
            any: true,
            recognised: true,
            reasoning_streamed: true,
            ..Self::NONE
        }
    }

    /// How the response ended, if its body ended cleanly by HTTP's rules.
    ///
    /// A stream is complete only after its protocol's own end, and in error once an event reported one; so
    /// is JSON that is an error under a status of success. Any other body is complete, one in an encoding that
    /// is not read included: HTTP's rules alone decide.
    #[must_use]
    pub const fn end(&self) -> End {
        if self.error {
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

    /// Why the final usage of a 2xx response is not known; `None` where it is.
    ///
    /// `interrupted` says that the body broke or was dropped. A stream that stopped before its protocol's
    /// end counts as interrupted whatever is said.
    #[must_use]
    pub const fn usage_missing(&self, interrupted: bool) -> Option<UsageMissing> {
        let stopped = interrupted || self.owes_terminal();
        let seen = self.owed_usage_seen() && (self.usage_final || !stopped);
        if seen || self.owes_nothing() {
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
    /// output token is reckoned by. `None` where the completion is not known, or is that of several choices:
    /// they were generated side by side.
    #[must_use]
    pub fn streamed_tokens(&self) -> Option<u64> {
        let kept_back = self.usage.reasoning.filter(|_| !self.reasoning_streamed);
        let completion = self.usage.completion.filter(|_| self.choices < 2)?;
        Some(completion.saturating_sub(kept_back.unwrap_or(0)))
    }

    /// Whether no more of the body will be known, whatever comes: it is that of media, or cannot be read.
    pub(crate) const fn tells_nothing(&self) -> bool {
        self.unsupported_encoding || self.broken || (self.media && !self.recognised)
    }

    /// Whether there is nothing to count: the response is not from a model, or one that is billed otherwise.
    const fn owes_nothing(&self) -> bool {
        if self.error {
            return false;
        }
        match self.api {
            Some(api) => matches!(api.spec().owes, Owes::Nothing) || self.timed,
            None => self.media && !self.recognised,
        }
    }

    /// Whether both counts are there, or the one that answers without output owe.
    const fn owed_usage_seen(&self) -> bool {
        let input_only = match self.api {
            Some(api) => matches!(api.spec().owes, Owes::Prompt),
            None => false,
        };
        self.usage.prompt.is_some() && (input_only || self.usage.completion.is_some())
    }
}
