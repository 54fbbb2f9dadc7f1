//! What a request is to be, before its content is drawn.

use super::setup::Alias;
use crate::sim::{Packing, Refusal};

/// One request, before its content is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Card {
    pub(super) ask: Ask,
    pub(super) prefix: Prefix,
    pub(super) target: Target,
    pub(super) streamed: bool,
    /// Asks for usage at the end of a stream.
    pub(super) usage: bool,
    pub(super) tool_call: bool,
    pub(super) reasoning: bool,
    pub(super) packing: Packing,
    /// Attempt by attempt.
    pub(super) mishaps: &'static [Mishap],
    pub(super) session: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Chat,
    Completion,
    Embeddings,
    Responses,
    Messages,
    /// No LLM call.
    Plain(Plain),
}

/// Requests that ask no model for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    ListModels,
    ListAgents,
    HeadModels,
    Preflight,
    NotFound,
    OddMethod,
    UnknownModel,
    Garbage,
}

/// Before `/v1/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    None,
    Agents,
    Routing,
}

/// What the request names as its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A model of the API's provider.
    Model,
    /// An alias.
    Alias(&'static Alias),
    /// The agent that speaks the API.
    Agent,
    /// A model that no provider has.
    Unknown,
    /// No JSON at all.
    Garbage,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    Nothing,
    Slow,
    Refused(Refusal),
    Cut,
    ErrorEvent,
    EarlyEnd,
    HungUpBeforeHead,
    HungUpInBody,
}

impl Card {
    pub(super) const fn new(ask: Ask) -> Self {
        Self {
            ask,
            prefix: Prefix::None,
            target: Target::Model,
            streamed: false,
            usage: false,
            tool_call: false,
            reasoning: false,
            packing: Packing::Plain,
            mishaps: &[],
            session: false,
        }
    }

    pub(super) const fn streamed(self) -> Self {
        let usage = true;
        Self {
            streamed: true,
            usage,
            ..self
        }
    }

    pub(super) const fn without_usage(self) -> Self {
        let usage = false;
        Self { usage, ..self }
    }

    pub(super) const fn tool_call(self) -> Self {
        let tool_call = true;
        Self { tool_call, ..self }
    }

    pub(super) const fn reasoning(self) -> Self {
        let reasoning = true;
        Self { reasoning, ..self }
    }

    pub(super) const fn packed(self, packing: Packing) -> Self {
        Self { packing, ..self }
    }

    pub(super) const fn with(self, mishaps: &'static [Mishap]) -> Self {
        Self { mishaps, ..self }
    }

    pub(super) const fn to(self, target: Target) -> Self {
        Self { target, ..self }
    }

    pub(super) const fn under(self, prefix: Prefix) -> Self {
        Self { prefix, ..self }
    }

    pub(super) const fn in_session(self) -> Self {
        let session = true;
        Self { session, ..self }
    }
}
