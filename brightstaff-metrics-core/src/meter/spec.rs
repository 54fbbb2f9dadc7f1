//! What the file of an API says, and how an event is judged by it.

use super::calls::Calls;
use super::event::Event;
use super::facts::Usage;
use super::failure;
use super::paths::Path;
use super::said::Said;
use super::seen::Seen;
use super::usage::{self, Counts, Update};
use crate::labels::Operation;

/// All that one API is.
#[derive(Debug)]
pub(crate) struct Spec {
    /// The name in reports.
    pub(crate) name: &'static str,
    /// Where the values of interest stand.
    pub(crate) paths: &'static [Path],
    /// Whether an event is this API's.
    pub(crate) speaks: fn(&Said<'_>) -> Speaks,
    /// What an event of it says.
    pub(crate) judge: fn(&Said<'_>) -> Verdict,
    /// Whether a JSON document is the first of a stream; `None` where only its content type can tell.
    pub(crate) goes_on: fn(&Said<'_>) -> Option<bool>,
    /// Whether the elements of an array are the events of a stream.
    pub(crate) arrays: bool,
    /// How a later report of usage replaces an earlier one.
    pub(crate) update: Update,
    /// Its counts in this project's words.
    pub(crate) usage: fn(&Counts) -> Usage,
    /// What an event says of tool calls.
    pub(crate) calls: fn(&Said<'_>) -> Calls,
    /// What a response owes.
    pub(crate) owes: Owes,
    /// What a call is for that is answered so; `None` where no model is asked.
    pub(crate) operation: Option<Operation>,
}

impl Spec {
    /// What most APIs have in common: a finish reason ends them, and their counts are OpenAI's.
    pub(crate) const DEFAULT: Self = Self {
        name: "",
        paths: &[],
        speaks: |_| Speaks::No,
        judge: Verdict::of,
        goes_on: |_| None,
        arrays: false,
        update: Update::Whole,
        usage: usage::inclusive,
        calls: |_| Calls::Unknown,
        owes: Owes::Both,
        operation: Some(Operation::Chat),
    };
}

/// Whether an event is an API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    No,
    /// Unless another says that it is its own.
    Maybe,
    Yes,
}

impl From<bool> for Speaks {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// The token counts that a provider owes with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owes {
    Both,
    /// There is no output.
    Prompt,
    /// The response is not from a model.
    Nothing,
}

/// What one event says of the response.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    /// It holds generated output.
    pub(crate) token: bool,
    pub(crate) reasoning: bool,
    /// It is the protocol's end, whatever choices there are.
    pub(crate) end: bool,
    /// It finishes a choice.
    pub(crate) finish: bool,
    pub(crate) error: bool,
    /// Its usage, if it has any, is the last word, wherever it stands.
    pub(crate) final_usage: bool,
}

impl Verdict {
    /// By the places alone.
    pub(crate) fn of(said: &Said<'_>) -> Self {
        Self {
            finish: said.finish() || said.last(),
            ..Self::but_finish(said)
        }
    }

    /// For APIs that end otherwise: a finish reason is not yet the end.
    pub(crate) fn ending(said: &Said<'_>, end: bool) -> Self {
        Self {
            end,
            ..Self::but_finish(said)
        }
    }

    fn but_finish(said: &Said<'_>) -> Self {
        let token = said.output() || said.reasoning();
        Self {
            token,
            reasoning: said.reasoning() || (token && said.seen(Seen::THOUGHT)),
            error: failure::is_error(said),
            ..Self::default()
        }
    }
}

/// What an event says in which nobody's words were recognised: an error, at most.
pub(crate) fn unknown(event: &Event) -> Verdict {
    let said = Said { event, api: None };
    Verdict {
        error: failure::is_error(&said),
        ..Verdict::default()
    }
}
