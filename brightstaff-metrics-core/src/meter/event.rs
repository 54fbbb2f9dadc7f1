//! What one event says: collected as it passes, judged when it is whole, so that the order of its
//! members does not matter.

use super::apis::Api;
use super::choices::{Choices, Element};
use super::failure;
use super::finish::Finish;
use super::json::{Literal, Number, Sink, Want};
use super::model::Model;
use super::paths::{ApiSet, Node, Role, TABLE};
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
    /// The finish reason, as it stands.
    pub(crate) reason: Short<MAX_WORD>,
    pub(crate) tier: Short<MAX_WORD>,
    /// In ten-billionths of a dollar.
    pub(crate) cost: Option<u64>,
    /// Where the usage stands that was taken.
    place: Option<Place>,
    element: Element,
    iteration: Iteration,
}

/// All of it that may be told again of an event of the same shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    seen: Seen,
    signs: ApiSet,
    own: ApiSet,
    output: ApiSet,
    reasoning: ApiSet,
    finish: ApiSet,
    failed: ApiSet,
    last: ApiSet,
    end: ApiSet,
    done: ApiSet,
    not_done: ApiSet,
    kind: Short<MAX_KIND>,
    object: Short<MAX_WORD>,
    tag: Short<MAX_WORD>,
}

/// An entry of a usage report of Anthropic's.
#[derive(Clone, Copy, Debug)]
struct Iteration {
    open: bool,
    compaction: bool,
    counts: [u64; 4],
}

impl Iteration {
    const NONE: Self = Self {
        open: false,
        compaction: false,
        counts: [0; 4],
    };
}

/// A set of things seen in an event that mean the same in every API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u32);

impl Seen {
    const NONE: Self = Self(0);
    /// A usage object, or a count, whatever is in it.
    pub(crate) const USAGE: Self = Self(1);
    /// An error that is not empty.
    pub(crate) const ERROR: Self = Self(1 << 1);
    /// A code that is not success.
    pub(crate) const CODE: Self = Self(1 << 2);
    pub(crate) const ERROR_CODE: Self = Self(1 << 3);
    /// An HTTP status of an error.
    pub(crate) const STATUS_BAD: Self = Self(1 << 4);
    /// `failed` or `error` as a status.
    pub(crate) const STATUS_FAILED: Self = Self(1 << 5);
    pub(crate) const MESSAGE: Self = Self(1 << 6);
    pub(crate) const DETAIL: Self = Self(1 << 7);
    /// `"success": false`.
    pub(crate) const NO_SUCCESS: Self = Self(1 << 8);
    /// Anything of the kind that errors are made of, well or not: the next event may tell another tale.
    pub(crate) const ODD: Self = Self(1 << 9);
    /// Gemini's mark that a part is thought.
    pub(crate) const THOUGHT: Self = Self(1 << 10);
    pub(crate) const GUARDRAIL: Self = Self(1 << 11);
    pub(crate) const SECONDS: Self = Self(1 << 12);
    /// A list of choices, whatever is in it.
    pub(crate) const CHOICES: Self = Self(1 << 13);
    /// What no event may hold that says nothing new.
    pub(crate) const NEWS: Self = Self(Self::USAGE.0 | Self::ERROR.0 | Self::ODD.0);
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
        self.reason.clear();
        self.tier.clear();
        self.cost = None;
        self.place = None;
        self.element = Element::NONE;
        self.iteration.open = false;
    }

    /// The event is whole.
    pub(crate) fn close(&mut self) {
        self.element.close(&mut self.choices);
        self.close_iteration();
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
        self.marks.seen.0 & of.0 != 0
    }

    pub(crate) fn signs_of(&self, api: Api) -> bool {
        self.marks.signs.has(api)
    }

    fn see(&mut self, more: Seen) {
        self.marks.seen.0 |= more.0;
    }

    fn close_iteration(&mut self) {
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

    fn finish(&mut self, finish: Finish, of: ApiSet) {
        self.see(Seen::ODD);
        if finish == Finish::GoesOn {
            return;
        }
        self.marks.finish.add(of);
        self.element.finish();
        if finish == Finish::Failed {
            self.marks.failed.add(of);
        }
    }

    fn failure(&mut self, sign: Seen) {
        self.see(Seen::ODD);
        self.see(sign);
    }

    fn role_text(&mut self, role: Role, text: Option<&[u8]>) {
        let empty = text == Some(b"");
        match role {
            Role::Kind if !empty => self.marks.kind.set(text),
            Role::Object => self.marks.object.set(text),
            Role::Tag => self.marks.tag.set(text),
            Role::IterationKind => self.iteration.compaction = text == Some(b"compaction"),
            Role::Model if !empty => self.model = Model::new(text),
            Role::Tier => self.tier.set(text),
            Role::Code if !text.is_some_and(failure::is_success) => self.failure(Seen::CODE),
            Role::ErrorCode if !text.is_some_and(failure::is_success) => {
                self.failure(Seen::ERROR_CODE);
            }
            Role::Status if !empty => {
                self.see(Seen::ODD);
                if matches!(
                    text,
                    Some(b"failed" | b"error" | b"failure" | b"FAILED" | b"ERROR")
                ) {
                    self.see(Seen::STATUS_FAILED);
                }
            }
            Role::Guardrail => {
                self.see(Seen::ODD);
                if text == Some(b"INTERVENED") {
                    self.see(Seen::GUARDRAIL);
                }
            }
            _ => {}
        }
    }

    fn role_number(&mut self, role: Role, number: Number) {
        let count = number.count();
        match role {
            Role::Count(slot, rank) => {
                self.see(Seen::USAGE);
                if let Some(count) = count {
                    self.counts.take(slot, rank, count);
                }
            }
            Role::IterationCount(slot) => {
                let at = match slot {
                    Slot::Prompt => 0,
                    Slot::Completion => 1,
                    Slot::CacheRead => 2,
                    _ => 3,
                };
                self.iteration.counts[at] = count.unwrap_or(0);
            }
            Role::Index => self.element.number(count),
            Role::Error if count != Some(0) => self.failure(Seen::ERROR),
            Role::Code if !matches!(count, Some(0 | 200..=299 | 20000)) => {
                self.failure(Seen::CODE);
            }
            Role::ErrorCode if !matches!(count, Some(0 | 200..=299)) => {
                self.failure(Seen::ERROR_CODE);
            }
            Role::Status if matches!(count, Some(400..=599)) => self.failure(Seen::STATUS_BAD),
            Role::Error | Role::Code | Role::ErrorCode | Role::Status => self.see(Seen::ODD),
            Role::Cost => self.cost = number.shifted(10),
            Role::Ticks => self.cost = self.cost.or(number.shifted(0)),
            Role::Seconds => self.see(Seen::SECONDS),
            _ => {}
        }
    }
}

impl Sink for Event {
    type Node = Node;

    fn member(&mut self, node: Node, key: &[u8]) -> Option<Node> {
        let place = TABLE.place(node);
        let Some(member) = TABLE.member(place, key) else {
            // Whatever is in an error makes it one.
            return (place.role == Role::Error).then_some(node);
        };
        let place = TABLE.place(member);
        self.marks.signs.add(place.signs);
        self.marks.own.add(place.own);
        self.marks.end.add(place.end);
        Some(member)
    }

    fn open(&mut self, node: Node, object: bool) -> bool {
        let place = TABLE.place(node);
        match place.role {
            Role::Usage(usage) => {
                if self.place.is_some_and(|found| found < usage) {
                    return false;
                }
                self.place = Some(usage);
                self.counts.clear_usage();
                self.see(Seen::USAGE);
            }
            Role::Metadata => {
                self.counts.clear_usage();
                self.see(Seen::USAGE);
            }
            Role::Choice => {
                self.see(Seen::CHOICES);
                if object {
                    self.element.open(&mut self.choices);
                }
            }
            Role::Iteration if object => {
                self.close_iteration();
                self.iteration.open = true;
            }
            // A list of them, as FastAPI has it.
            Role::Detail if object => {
                self.failure(Seen::DETAIL);
                return false;
            }
            Role::Detail | Role::Error => return true,
            _ => {}
        }
        place.opens
    }

    fn want(&self, node: Node) -> Want {
        let place = TABLE.place(node);
        if place.role == Role::Model && !self.model.is_none() {
            return Want::Skip;
        }
        place.want
    }

    fn present(&mut self, node: Node) {
        let place = TABLE.place(node);
        let marks = &mut self.marks;
        marks.output.add(place.output);
        marks.reasoning.add(place.reasoning);
        marks.last.add(place.last);
        match place.role {
            Role::None => {}
            Role::Error => self.failure(Seen::ERROR),
            Role::Message => self.failure(Seen::MESSAGE),
            Role::Detail => self.failure(Seen::DETAIL),
            Role::ErrorText => self.failure(Seen::ERROR_CODE),
            _ => {}
        }
    }

    fn text(&mut self, node: Node, text: Option<&[u8]>) {
        let place = TABLE.place(node);
        if text != Some(b"") && place.is_text() {
            self.marks.output.add(place.output);
            self.marks.reasoning.add(place.reasoning);
            self.marks.last.add(place.last);
        }
        if place.finish != ApiSet::NONE && text != Some(b"") {
            let finish = Finish::of(text);
            self.finish(finish, place.finish);
            if finish != Finish::GoesOn {
                self.reason.set(text);
            }
        }
        self.role_text(place.role, text);
    }

    fn bytes(&mut self, _: Node, _: &[u8]) {}

    fn number(&mut self, node: Node, number: Number) {
        let place = TABLE.place(node);
        if place.finish != ApiSet::NONE {
            // Google's REST clients ask for enums as numbers; 0 is `UNSPECIFIED`.
            let finish = match number.count() {
                Some(1..) => Finish::Ended,
                _ => Finish::GoesOn,
            };
            self.finish(finish, place.finish);
        }
        self.role_number(place.role, number);
    }

    fn literal(&mut self, node: Node, literal: Literal) {
        let place = TABLE.place(node);
        match literal {
            Literal::True => self.marks.done.add(place.done),
            Literal::False => self.marks.not_done.add(place.done),
            Literal::Null => return,
        }
        match (place.role, literal) {
            (Role::Thought, Literal::True) => self.see(Seen::THOUGHT),
            (Role::Error, Literal::True) => self.failure(Seen::ERROR),
            (Role::Success, Literal::False) => self.failure(Seen::NO_SUCCESS),
            _ => {}
        }
    }
}

/// An event in the ears of an API: what its places mean there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) event: &'a Event,
    pub(crate) api: Option<Api>,
}

impl Said<'_> {
    fn is_in(&self, set: ApiSet) -> bool {
        self.api.is_some_and(|api| set.has(api))
    }

    pub(crate) fn kind(&self) -> &[u8] {
        self.event.kind()
    }

    pub(crate) fn seen(&self, of: Seen) -> bool {
        self.event.seen(of)
    }

    /// It has a member of the API's own.
    pub(crate) fn is_own(&self) -> bool {
        self.is_in(self.event.marks.own)
    }

    pub(crate) fn output(&self) -> bool {
        self.is_in(self.event.marks.output)
    }

    pub(crate) fn reasoning(&self) -> bool {
        self.is_in(self.event.marks.reasoning)
    }

    /// A finish reason that ends the answer, or one of several.
    pub(crate) fn finish(&self) -> bool {
        self.is_in(self.event.marks.finish)
    }

    pub(crate) fn failed(&self) -> bool {
        self.is_in(self.event.marks.failed)
    }

    /// The text or the member that only the last event has.
    pub(crate) fn last(&self) -> bool {
        self.is_in(self.event.marks.last) || self.is_in(self.event.marks.end)
    }

    pub(crate) fn done(&self) -> bool {
        self.is_in(self.event.marks.done)
    }

    pub(crate) fn not_done(&self) -> bool {
        self.is_in(self.event.marks.not_done)
    }
}
