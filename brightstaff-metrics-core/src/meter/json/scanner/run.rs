//! From token to token, as far as they lie whole in the bytes at hand.

use std::fmt;

use super::{Frame, MAX_FRAMES, Scanner, State};
use crate::meter::json::skip::Skip;
use crate::meter::json::text::{MAX_TEXT, whole_string};
use crate::meter::json::{Literal, Number, Sink, Want, behind_space};
use crate::meter::steps;

/// The bytes that are left, and where between or inside of tokens they begin.
type Left<'a> = (&'a [u8], State);

impl<N: Copy + fmt::Debug> Scanner<N> {
    /// Goes on from between two tokens until the value or the bytes end, or a token that the end of the bytes
    /// cuts, or that is not as most are.
    pub(super) fn run<'a, S: Sink<Node = N>>(
        &mut self,
        state: State,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> Left<'a> {
        let mut left = (bytes, state);
        loop {
            steps::add(1);
            let (bytes, state) = left;
            let bytes = behind_space(bytes);
            let Some((&byte, behind)) = bytes.split_first() else {
                return (bytes, state);
            };
            left = match (state, byte) {
                (State::FirstElement, b']') | (State::FirstKey, b'}') => self.close(byte, behind),
                (State::Value | State::FirstElement, _) => self.value(byte, bytes, sink),
                (State::After, b',') => self.next(behind, sink),
                (State::FirstKey | State::NextKey, b'"') => self.member(behind, sink),
                (State::Colon, b':') => (behind, State::Value),
                (State::After, b'}' | b']') => self.close(byte, behind),
                _ => (behind, State::Broken),
            };
            if !left.1.is_between() {
                return left;
            }
        }
    }

    /// A value that begins with this byte.
    #[inline(never)]
    fn value<'a, S: Sink<Node = N>>(
        &mut self,
        byte: u8,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> Left<'a> {
        let behind = &bytes[1..];
        match byte {
            b'"' => self.string(behind, sink),
            b'{' | b'[' => self.open(byte == b'{', behind, sink),
            b'-' | b'0'..=b'9' => self.digits(bytes, sink),
            b't' => self.literal(Literal::True, behind, sink),
            b'f' => self.literal(Literal::False, behind, sink),
            b'n' => self.literal(Literal::Null, behind, sink),
            _ => (behind, State::Broken),
        }
    }

    /// Inside of a string that is a value.
    #[inline]
    fn string<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> Left<'a> {
        let Some(node) = self.node else {
            return self.skip(Skip::string(), bytes);
        };
        match (sink.want(node), bytes) {
            (Want::Skip, _) => self.skip(Skip::string(), bytes),
            (Want::Presence, []) => (bytes, State::Presence),
            (Want::Presence, [first, ..]) => {
                if *first != b'"' {
                    sink.present(node);
                }
                self.skip(Skip::string(), bytes)
            }
            (Want::Bytes, _) => (bytes, State::Bytes),
            (Want::Text, _) => match whole_string(bytes) {
                Some((text, behind)) => {
                    sink.text(node, kept(text));
                    (behind, self.closed())
                }
                None => {
                    self.text.clear();
                    (bytes, State::Text)
                }
            },
        }
    }

    #[inline]
    fn skip<'a>(&mut self, mut skip: Skip, bytes: &'a [u8]) -> Left<'a> {
        match skip.push(bytes) {
            Some(behind) => (behind, self.closed()),
            None => {
                self.skip = skip;
                (&[], State::Skip)
            }
        }
    }

    #[inline]
    fn open<'a, S: Sink<Node = N>>(
        &mut self,
        object: bool,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> Left<'a> {
        match self.node {
            Some(node) if self.depth < MAX_FRAMES && sink.open(node, object) => {
                self.frames[self.depth] = Frame { node, object };
                self.depth += 1;
                let first = if object {
                    State::FirstKey
                } else {
                    State::FirstElement
                };
                (bytes, first)
            }
            _ => self.skip(Skip::container(), bytes),
        }
    }

    #[inline]
    fn digits<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> Left<'a> {
        let passed = match self.node {
            Some(node) => Number::plain(bytes).map(|(number, behind)| {
                sink.number(node, number);
                behind
            }),
            None => Number::pass(bytes),
        };
        match passed {
            Some(behind) => (behind, self.closed()),
            None => {
                self.number = Number::default();
                (bytes, State::Number)
            }
        }
    }

    /// A literal of which the first byte was seen.
    #[inline]
    fn literal<'a, S: Sink<Node = N>>(
        &mut self,
        literal: Literal,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> Left<'a> {
        match bytes.strip_prefix(&literal.text()[1..]) {
            Some(behind) => {
                if let Some(node) = self.node {
                    sink.literal(node, literal);
                }
                (behind, self.closed())
            }
            None => (bytes, State::Literal(literal, 1)),
        }
    }

    /// Inside of a key. Its value follows at once, almost always: one turn less.
    #[inline(always)]
    fn member<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> Left<'a> {
        let Some((key, behind)) = whole_string(bytes) else {
            self.text.clear();
            return (bytes, State::Key);
        };
        self.node = sink.member(self.frames[self.depth - 1].node, kept(key));
        let Some((b':', value)) = behind.split_first() else {
            return (behind, State::Colon);
        };
        match value.first() {
            Some(&byte) if byte > b' ' => self.value(byte, value, sink),
            _ => (value, State::Value),
        }
    }

    /// Behind a comma: the next member, or the next element. The former follows at once, too.
    #[inline(always)]
    fn next<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> Left<'a> {
        let frame = self.frames[self.depth - 1];
        if !frame.object {
            self.node = Some(frame.node);
            return (bytes, State::Value);
        }
        match bytes {
            [b'"', key @ ..] => self.member(key, sink),
            _ => (bytes, State::NextKey),
        }
    }

    fn close<'a>(&mut self, byte: u8, behind: &'a [u8]) -> Left<'a> {
        // Only reached inside a frame: the states that lead here are set when one is opened.
        if self.frames[self.depth - 1].object == (byte == b'}') {
            self.depth -= 1;
            (behind, self.closed())
        } else {
            (behind, State::Broken)
        }
    }
}

impl State {
    /// Whether a token begins next.
    fn is_between(self) -> bool {
        matches!(
            self,
            Self::Value
                | Self::FirstElement
                | Self::FirstKey
                | Self::NextKey
                | Self::Colon
                | Self::After
        )
    }
}

/// A string, where it is no longer than is kept.
fn kept(text: &[u8]) -> Option<&[u8]> {
    (text.len() <= MAX_TEXT).then_some(text)
}
