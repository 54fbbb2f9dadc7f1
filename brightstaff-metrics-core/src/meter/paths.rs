//! Where in an event the values of interest stand, as the file of an API says it.
//!
//! A path names members, joined by dots; arrays are passed through. One that begins with `$` stands under
//! every place that is [`Like`](What::Like) it.

use super::apis::Api;
use super::json::Want;
use super::usage::{Place as UsagePlace, Slot};

/// A place of an API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(super) at: &'static str,
    pub(super) what: What,
}

/// A path, and what stands there.
pub(crate) const fn at(at: &'static str, what: What) -> Path {
    Path { at, what }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// Something that no other API has there.
    Sign,
    /// A string that is generated output, unless it is empty.
    Output,
    /// A string that is reasoning, unless it is empty.
    Reasoning,
    /// A finish reason, unless it is null, empty or 0.
    Finish,
    /// A string that only the last event has.
    Last,
    /// A member that only the last event has.
    End,
    /// `true` in the last event, `false` before it.
    Done,
    /// The members that stand under a shared name.
    Like(&'static str),
    /// What means the same in every API.
    Role(Role),
}

/// What means the same in every API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    None,
    /// The type of an event.
    Kind,
    /// `object`, as OpenAI has it.
    Object,
    /// The type of what the event is about, such as an output item.
    Tag,
    Model,
    /// The type of a usage report's entry, and its counts.
    IterationKind,
    IterationCount(Slot),
    /// One of several responses to one question.
    Choice,
    /// Its number.
    Index,
    /// A usage object, in one of the spellings under `$usage`.
    Usage(UsagePlace),
    /// A usage object of its own spelling.
    Metadata,
    Iteration,
    /// A count; of several spellings in one usage, the one with the lowest rank counts.
    Count(Slot, u8),
    /// An error, unless nothing is in it.
    Error,
    /// What an error has that has no member `error`: a code that is not success, its own code, a text.
    Code,
    ErrorCode,
    Status,
    Message,
    Detail,
    ErrorText,
    Success,
    /// Whether a part of Gemini's is thought.
    Thought,
    /// What a guardrail of Bedrock's did.
    Guardrail,
    /// The tier that served the request.
    Tier,
    /// What the call cost, in US dollars; in ten-billionths of one.
    Cost,
    Ticks,
    /// A usage that counts seconds, not tokens.
    Seconds,
    /// A tool call, and its number.
    Call,
    CallIndex,
    /// The name that only tool calls have; the type that may be one of a call.
    CallName,
    CallType,
}

impl Role {
    pub(super) const fn code(self) -> usize {
        match self {
            Self::None => 0,
            Self::Kind => 1,
            Self::Object => 2,
            Self::Tag => 3,
            Self::Model => 4,
            Self::IterationKind => 5,
            Self::Choice => 6,
            Self::Index => 7,
            Self::Metadata => 8,
            Self::Iteration => 9,
            Self::Error => 10,
            Self::Code => 11,
            Self::ErrorCode => 12,
            Self::Status => 13,
            Self::Message => 14,
            Self::Detail => 15,
            Self::ErrorText => 16,
            Self::Success => 17,
            Self::Thought => 18,
            Self::Guardrail => 19,
            Self::Tier => 20,
            Self::Cost => 21,
            Self::Ticks => 22,
            Self::Seconds => 23,
            Self::Call => 24,
            Self::CallIndex => 25,
            Self::CallName => 26,
            Self::CallType => 27,
            Self::Usage(place) => 100 + place as usize,
            Self::IterationCount(slot) => 200 + slot as usize,
            Self::Count(slot, rank) => 1000 + slot as usize * 256 + rank as usize,
        }
    }

    pub(super) const fn want(self) -> Want {
        match self {
            Self::Kind
            | Self::Object
            | Self::Tag
            | Self::Model
            | Self::IterationKind
            | Self::Code
            | Self::ErrorCode
            | Self::Status
            | Self::Guardrail
            | Self::Tier
            | Self::CallType => Want::Text,
            Self::Error | Self::Message | Self::Detail | Self::ErrorText | Self::CallName => {
                Want::Presence
            }
            _ => Want::Skip,
        }
    }

    /// Whether a member of the root with this role shows no API, since any may have it, or an error.
    pub(super) const fn is_anyones(self) -> bool {
        matches!(
            self,
            Self::Kind
                | Self::Object
                | Self::Model
                | Self::Error
                | Self::Code
                | Self::ErrorCode
                | Self::Status
                | Self::Message
                | Self::Detail
                | Self::Tier
        )
    }
}

/// A set of APIs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ApiSet(u64);

impl ApiSet {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn add(&mut self, more: Self) {
        self.0 |= more.0;
    }

    pub(crate) const fn has(self, api: Api) -> bool {
        self.0 & (1 << api as u32) != 0
    }

    pub(super) const fn with(self, api: usize) -> Self {
        Self(self.0 | 1 << api)
    }
}
