//! How the values of an event are taken as the scanner meets them.

use super::calls;
use super::event::Event;
use super::failure;
use super::finish::Finish;
use super::json::{Literal, Number, Sink, Want};
use super::model::Model;
use super::paths::{ApiSet, Role};
use super::places::{Node, TABLE};
use super::seen::Seen;
use super::usage::Slot;

impl Sink for Event {
    type Node = Node;

    #[inline(always)]
    fn member(&mut self, node: Node, key: &[u8]) -> Option<Node> {
        let member = TABLE.member(TABLE.place(node), key)?;
        let place = TABLE.place(member);
        self.marks.signs.add(place.signs);
        self.marks.end.add(place.end);
        Some(member)
    }

    fn stranger(&mut self, node: Node) -> Option<Node> {
        // Whatever is in an error makes it one.
        (TABLE.place(node).role == Role::Error).then_some(node)
    }

    fn open(&mut self, node: Node, object: bool) -> bool {
        let place = TABLE.place(node);
        if object {
            self.marks.own.add(place.own);
        }
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
                    self.close_choice();
                    self.element.open();
                }
            }
            Role::Iteration if object => {
                self.close_iteration();
                self.iteration.open = true;
            }
            Role::Call if object => self.calls.open(),
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

    #[inline]
    fn want(&self, node: Node) -> Want {
        let place = TABLE.place(node);
        if place.role == Role::Model && !self.model.is_none() {
            return Want::Skip;
        }
        place.want
    }

    #[inline]
    fn present(&mut self, node: Node) {
        let place = TABLE.place(node);
        let marks = &mut self.marks;
        marks.own.add(place.own);
        marks.output.add(place.output);
        marks.reasoning.add(place.reasoning);
        marks.last.add(place.last);
        match place.role {
            Role::None => {}
            Role::Error => self.failure(Seen::ERROR),
            Role::Message => self.failure(Seen::MESSAGE),
            Role::Detail => self.failure(Seen::DETAIL),
            Role::ErrorText => self.failure(Seen::ERROR_CODE),
            Role::CallName => self.calls.add(),
            _ => {}
        }
    }

    fn text(&mut self, node: Node, text: Option<&[u8]>) {
        let place = TABLE.place(node);
        if text != Some(b"") {
            self.marks.own.add(place.own);
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
        self.marks.own.add(place.own);
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

    #[inline]
    fn literal(&mut self, node: Node, literal: Literal) {
        let place = TABLE.place(node);
        match literal {
            Literal::True => self.marks.done.add(place.done),
            Literal::False => self.marks.not_done.add(place.done),
            Literal::Null => return,
        }
        self.marks.own.add(place.own);
        match (place.role, literal) {
            (Role::Thought, Literal::True) => self.see(Seen::THOUGHT),
            (Role::Error, Literal::True) => self.failure(Seen::ERROR),
            (Role::Success, Literal::False) => self.failure(Seen::NO_SUCCESS),
            _ => {}
        }
    }
}

impl Event {
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
            Role::CallType if text.is_some_and(calls::is_call) => self.calls.add(),
            Role::Code if !text.is_some_and(failure::is_success) => self.failure(Seen::CODE),
            Role::ErrorCode if !text.is_some_and(failure::is_success) => {
                self.failure(Seen::ERROR_CODE);
            }
            // Another code in its place may be none of success.
            Role::Code | Role::ErrorCode if !empty => self.see(Seen::ODD),
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
            Role::CallIndex => self.calls.number(count),
            _ => {}
        }
    }
}
