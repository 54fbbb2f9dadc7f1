//! What one event says: collected as it passes, judged when it is whole, so that the order of its
//! members does not matter.

use super::json::{Literal, Sink, Want};
use super::kind::{Kind, Object};
use super::model::Model;
use super::schema::Node;
use super::usage::{Counts, Place};

/// What one event was found to hold.
#[derive(Clone, Debug)]
pub(crate) struct Captures {
    pub(crate) seen: Seen,
    pub(crate) kind: Kind,
    pub(crate) object: Object,
    pub(crate) model: Model,
    pub(crate) counts: Counts,
    place: Option<Place>,
}

/// A set of things seen in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u32);

impl Seen {
    pub(crate) const NONE: Self = Self(0);
    /// Generated output that is not reasoning.
    pub(crate) const OUTPUT: Self = Self(1);
    /// Reasoning text.
    pub(crate) const REASONING: Self = Self(1 << 1);
    /// A root `delta` that is a string, and not empty.
    pub(crate) const DELTA: Self = Self(1 << 2);
    pub(crate) const ERROR: Self = Self(1 << 3);
    pub(crate) const FINISH: Self = Self(1 << 4);
    /// A finish reason that tells of an error.
    pub(crate) const FINISH_ERROR: Self = Self(1 << 5);
    /// `"done": true`.
    pub(crate) const DONE: Self = Self(1 << 6);
    /// `"done": false`.
    pub(crate) const NOT_DONE: Self = Self(1 << 7);
    /// Gemini's mark that a part is thought.
    pub(crate) const THOUGHT: Self = Self(1 << 8);
    pub(crate) const NOVA_STOP: Self = Self(1 << 9);

    // What tells the APIs apart.
    pub(crate) const CHOICES: Self = Self(1 << 10);
    pub(crate) const CHAT: Self = Self(1 << 11);
    pub(crate) const COMPLETIONS: Self = Self(1 << 12);
    pub(crate) const GEMINI: Self = Self(1 << 13);
    pub(crate) const CONVERSE: Self = Self(1 << 14);
    pub(crate) const NOVA: Self = Self(1 << 15);
    pub(crate) const INVOKE: Self = Self(1 << 16);
    pub(crate) const COHERE: Self = Self(1 << 17);
    pub(crate) const EMBEDDING: Self = Self(1 << 18);
    /// An embedding that is an object: Gemini's.
    pub(crate) const EMBEDDING_OBJECT: Self = Self(1 << 19);
    pub(crate) const EMBEDDING_DATA: Self = Self(1 << 20);
    /// A root `response` that is a string.
    pub(crate) const RESPONSE_TEXT: Self = Self(1 << 21);
    /// A usage object, or a count, whatever is in it.
    pub(crate) const USAGE: Self = Self(1 << 22);

    pub(crate) const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    pub(crate) const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    fn add(&mut self, more: Self) {
        self.0 |= more.0;
    }
}

impl Captures {
    pub(crate) const NONE: Self = Self {
        seen: Seen::NONE,
        kind: Kind::Absent,
        object: Object::Absent,
        model: Model::NONE,
        counts: Counts::NONE,
        place: None,
    };

    /// Makes ready for the next event.
    pub(crate) fn clear(&mut self) {
        *self = Self::NONE;
    }

    /// What a known member's presence says.
    fn mark(&mut self, node: Node) {
        let mark = match node {
            Node::ChoiceText => Seen::COMPLETIONS,
            Node::Candidates | Node::UsageMetadata | Node::PromptFeedback => Seen::GEMINI,
            Node::ConverseStop => Seen::CONVERSE,
            Node::NovaEvent => Seen::NOVA,
            Node::NovaStop => Seen::NOVA.and(Seen::NOVA_STOP),
            Node::Results | Node::Generation | Node::InvocationMetrics => Seen::INVOKE,
            Node::CohereTokens(_) => Seen::COHERE,
            Node::Embedding => Seen::EMBEDDING,
            _ => return,
        };
        self.seen.add(mark);
    }
}

impl Sink for Captures {
    type Node = Node;

    fn member(&mut self, node: Node, key: &[u8]) -> Option<Node> {
        let member = node.member(key)?;
        self.mark(member);
        Some(member)
    }

    fn open(&mut self, node: Node, object: bool) -> bool {
        match node {
            Node::Usage(place) => {
                if self.place.is_some_and(|found| found < place) {
                    return false;
                }
                self.place = Some(place);
                self.counts.clear_usage();
                self.seen.add(Seen::USAGE);
            }
            Node::UsageMetadata => {
                self.counts.clear_usage();
                self.seen.add(Seen::USAGE);
            }
            Node::Choices => self.seen.add(Seen::CHOICES),
            Node::ChoiceMessage => self.seen.add(Seen::CHAT),
            Node::Error => {
                self.seen.add(Seen::ERROR);
                return false;
            }
            Node::Embedding => {
                if object {
                    self.seen.add(Seen::EMBEDDING_OBJECT);
                }
                return false;
            }
            Node::Data => self.seen.add(Seen::EMBEDDING_DATA),
            Node::Output
            | Node::ChoiceText
            | Node::Generation
            | Node::Thought
            | Node::NovaStop
            | Node::ConverseStop
            | Node::Count(..)
            | Node::Kind
            | Node::ItemKind
            | Node::Object
            | Node::Model
            | Node::Done
            | Node::Finish => return false,
            _ => {}
        }
        true
    }

    fn want(&self, node: Node) -> Want {
        match node {
            Node::Output
            | Node::Reasoning
            | Node::Delta
            | Node::Content
            | Node::Media
            | Node::Response
            | Node::Error
            | Node::ChoiceText
            | Node::Generation => Want::Presence,
            Node::Kind | Node::ItemKind | Node::Object | Node::Finish => Want::Text,
            Node::Model if self.model.is_none() => Want::Text,
            _ => Want::Skip,
        }
    }

    fn present(&mut self, node: Node) {
        self.seen.add(match node {
            Node::Reasoning => Seen::REASONING,
            Node::Delta => Seen::DELTA,
            Node::Error => Seen::ERROR,
            Node::Response => Seen::RESPONSE_TEXT.and(Seen::OUTPUT),
            _ => Seen::OUTPUT,
        });
    }

    fn text(&mut self, node: Node, text: Option<&[u8]>) {
        match node {
            Node::Kind => self.kind = text.map_or(Kind::Unknown, Kind::of),
            // This type is the tool's name; other calls have one of their own.
            Node::ItemKind if text == Some(b"code_interpreter_call") => self.seen.add(Seen::OUTPUT),
            Node::Object => self.object = text.map_or(Object::Unknown, Object::of),
            Node::Model if text != Some(b"") => self.model = Model::new(text),
            Node::Finish if text != Some(b"") => {
                self.seen.add(Seen::FINISH);
                if text
                    .is_some_and(|text| text.len() >= 5 && text[..5].eq_ignore_ascii_case(b"error"))
                {
                    self.seen.add(Seen::FINISH_ERROR);
                }
            }
            _ => {}
        }
    }

    fn bytes(&mut self, _: Node, _: &[u8]) {}

    fn count(&mut self, node: Node, count: Option<u64>) {
        if let Node::Count(slot, rank) = node {
            self.seen.add(Seen::USAGE);
            if let Some(count) = count {
                self.counts.take(slot, rank, count);
            }
        }
    }

    fn literal(&mut self, node: Node, literal: Literal) {
        match (node, literal) {
            (Node::Done, Literal::True) => self.seen.add(Seen::DONE),
            (Node::Done, Literal::False) => self.seen.add(Seen::NOT_DONE),
            (Node::Thought, Literal::True) => self.seen.add(Seen::THOUGHT),
            (Node::Error, Literal::True) => self.seen.add(Seen::ERROR),
            _ => {}
        }
    }
}
