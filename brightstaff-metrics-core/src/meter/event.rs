//! What one event says: collected as it passes, judged when it is whole, so that the order of its
//! members does not matter.

use super::apis::Api;
use super::calls::Found;
use super::choices::{Choices, Element};
use super::model::Model;
use super::paths::ApiSet;
use super::seen::Seen;
use super::short::Short;
use super::usage::{Counts, Place, Slot};

/// The longest type of an event that is of interest, and then some.
pub(crate) const MAX_KIND: usize = 64;
/// The same of other words.
pub(crate) const MAX_WORD: usize = 32;

/// What one event was found to hold.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) marks: Marks,
    pub(crate) model: Model,
    pub(crate) counts: Counts,
    pub(crate) choices: Choices,
    pub(crate) calls: Found,
    /// The finish reason, as it stands.
    pub(crate) reason: Short<MAX_WORD>,
    pub(crate) tier: Short<MAX_WORD>,
    /// In ten-billionths of a dollar.
    pub(crate) cost: Option<u64>,
    /// Where the usage stands that was taken.
    pub(super) place: Option<Place>,
    pub(super) element: Element,
    pub(super) iteration: Iteration,
}

/// What it says by the places that it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    pub(super) seen: Seen,
    pub(super) signs: ApiSet,
    pub(super) own: ApiSet,
    pub(super) output: ApiSet,
    pub(super) reasoning: ApiSet,
    pub(super) finish: ApiSet,
    pub(super) failed: ApiSet,
    pub(super) last: ApiSet,
    pub(super) end: ApiSet,
    pub(super) done: ApiSet,
    pub(super) not_done: ApiSet,
    pub(super) kind: Short<MAX_KIND>,
    pub(super) object: Short<MAX_WORD>,
    pub(super) tag: Short<MAX_WORD>,
}

/// An entry of a usage report of Anthropic's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Iteration {
    pub(super) open: bool,
    pub(super) compaction: bool,
    pub(super) counts: [u64; 4],
}

impl Iteration {
    const NONE: Self = Self {
        open: false,
        compaction: false,
        counts: [0; 4],
    };
}

impl Event {
    pub(crate) const NONE: Self = Self {
        marks: Marks {
            seen: Seen::NONE,
            signs: ApiSet::NONE,
            own: ApiSet::NONE,
            output: ApiSet::NONE,
            reasoning: ApiSet::NONE,
            finish: ApiSet::NONE,
            failed: ApiSet::NONE,
            last: ApiSet::NONE,
            end: ApiSet::NONE,
            done: ApiSet::NONE,
            not_done: ApiSet::NONE,
            kind: Short::EMPTY,
            object: Short::EMPTY,
            tag: Short::EMPTY,
        },
        model: Model::NONE,
        counts: Counts::NONE,
        choices: Choices::NONE,
        calls: Found::NONE,
        reason: Short::EMPTY,
        tier: Short::EMPTY,
        cost: None,
        place: None,
        element: Element::NONE,
        iteration: Iteration::NONE,
    };

    /// Makes ready for the next event.
    pub(crate) fn clear(&mut self) {
        let marks = &mut self.marks;
        marks.seen = Seen::NONE;
        for set in [
            &mut marks.signs,
            &mut marks.own,
            &mut marks.output,
            &mut marks.reasoning,
            &mut marks.finish,
            &mut marks.failed,
            &mut marks.last,
            &mut marks.end,
            &mut marks.done,
            &mut marks.not_done,
        ] {
            *set = ApiSet::NONE;
        }
        marks.kind.clear();
        marks.object.clear();
        marks.tag.clear();
        self.model.clear();
        self.counts.clear();
        self.choices = Choices::NONE;
        self.calls.clear();
        self.reason.clear();
        self.tier.clear();
        self.cost = None;
        self.place = None;
        self.element = Element::NONE;
        self.iteration.open = false;
    }

    /// The event is whole.
    pub(crate) fn close(&mut self) {
        self.close_choice();
        self.close_iteration();
    }

    pub(super) fn close_choice(&mut self) {
        if let Some(number) = self.element.close(&mut self.choices) {
            self.calls.close(number);
        }
    }

    /// Its type, or the name that its framing gives it.
    pub(crate) fn kind(&self) -> &[u8] {
        self.marks.kind.or_unknown()
    }

    /// The framing's name for it, where it has no type of its own.
    pub(crate) fn name(&mut self, name: &Short<MAX_KIND>) {
        if self.marks.kind.is_empty() {
            self.marks.kind = *name;
        }
    }

    pub(crate) fn object(&self) -> &[u8] {
        self.marks.object.or_unknown()
    }

    /// The type of what it is about.
    pub(crate) fn tag(&self) -> &[u8] {
        self.marks.tag.or_unknown()
    }

    pub(crate) fn seen(&self, of: Seen) -> bool {
        self.marks.seen.any(of)
    }

    pub(crate) fn signs_of(&self, api: Api) -> bool {
        self.marks.signs.has(api)
    }

    pub(super) fn see(&mut self, more: Seen) {
        self.marks.seen.add(more);
    }

    pub(super) fn close_iteration(&mut self) {
        let Iteration {
            open,
            compaction,
            counts,
        } = std::mem::replace(&mut self.iteration, Iteration::NONE);
        if open && compaction {
            let slots = [
                Slot::CompactionPrompt,
                Slot::CompactionCompletion,
                Slot::CompactionRead,
                Slot::CompactionWrite,
            ];
            for (slot, count) in slots.into_iter().zip(counts) {
                self.counts.add(slot, count);
            }
        }
    }
}
