use std::time::Duration;

use serde_json::Value;

/// How a simulated provider answers one call.
#[derive(Clone, Debug)]
pub(crate) struct Behaviour {
    /// Answers with an error instead of with content.
    pub(crate) refusal: Option<Refusal>,
    pub(crate) content: Content,
    pub(crate) fault: Option<Fault>,
    pub(crate) packing: Packing,
    /// From the arrival of the call to the head of the response.
    pub(crate) thinking: Duration,
    /// From the head of a streamed response to its first token.
    pub(crate) first_token: Duration,
    /// Between two tokens.
    pub(crate) token: Duration,
}

impl Default for Behaviour {
    /// Sound and quick: what an ordinary client meets.
    fn default() -> Self {
        Self {
            refusal: None,
            content: Content::default(),
            fault: None,
            packing: Packing::default(),
            thinking: Duration::from_millis(5),
            first_token: Duration::from_millis(20),
            token: Duration::from_millis(5),
        }
    }
}

impl Behaviour {
    /// What a request without a plan meets: where there are tools, one is called.
    pub(crate) fn ordinary(request: &Value) -> Self {
        let mut ordinary = Self::default();
        let tools = request["tools"].as_array();
        ordinary.content.tool_call = tools.is_some_and(|tools| !tools.is_empty());
        ordinary
    }
}

/// A status that is no success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 429.
    RateLimit,
    /// 500.
    Failure,
    /// 503, or Anthropic's own 529.
    Overload,
}

/// What is generated, and what it is said to have cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    /// All input tokens, those of the cache included.
    pub(crate) prompt: u64,
    /// Of the prompt: read from the cache.
    pub(crate) cache_read: u64,
    /// Of the prompt: written to the cache. Only Anthropic tells.
    pub(crate) cache_write: u64,
    /// Reasoning tokens: output, beside the visible words.
    pub(crate) reasoning: u64,
    /// Visible words of text, or pieces of a tool call's arguments: one output token each.
    pub(crate) words: u64,
    /// Answers with a call of a tool instead of text.
    pub(crate) tool_call: bool,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            prompt: 25,
            cache_read: 0,
            cache_write: 0,
            reasoning: 0,
            words: 12,
            tool_call: false,
        }
    }
}

impl Content {
    /// All output tokens.
    pub(crate) fn completion(&self) -> u64 {
        self.words + self.reasoning
    }
}

/// What goes wrong after the head of the response, or instead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection breaks after so many tokens; in the middle of a whole body.
    Cut(u64),
    /// The stream tells of an error after so many tokens, and ends.
    ErrorEvent(u64),
    /// The stream ends after so many tokens without its protocol's end.
    EarlyEnd(u64),
    /// There is no response: the simulator waits until the caller goes away.
    HoldHead,
    /// After so many tokens (in the middle of a whole body) the simulator waits until the caller
    /// goes away.
    HoldBody(u64),
}

/// How events are packed into the chunks of a streamed body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Packing {
    /// One event a chunk.
    #[default]
    Plain,
    /// All events up to the first token in one chunk.
    Glued,
    /// Each token's event in two chunks.
    Split,
}
