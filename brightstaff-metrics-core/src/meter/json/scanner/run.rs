//! From token to token, as far as they lie whole in the bytes at hand.

use std::fmt;

use super::{Frame, MAX_FRAMES, Scanner, State};
use crate::meter::json::quote::{has_backslash, quote};
use crate::meter::json::skip::Skip;
use crate::meter::json::text::MAX_TEXT;
use crate::meter::json::{Literal, Number, Sink, Want, behind_space};
use crate::meter::steps;

impl<N: Copy + fmt::Debug> Scanner<N> {
    /// Goes on from between two tokens until the value or the bytes end, or a token that the end of the bytes
    /// cuts, or that is not as most are.
    pub(super) fn run<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let mut bytes = bytes;
        while self.state <= State::Colon {
            steps::add(1);
            bytes = behind_space(bytes);
            let Some((&byte, behind)) = bytes.split_first() else {
                return bytes;
            };
            bytes = match (self.state, byte) {
                (State::After, b',') => self.next(behind, sink),
                (State::FirstKey | State::NextKey, b'"') => self.member(behind, sink),
                (State::After, b'}' | b']')
                | (State::FirstElement, b']')
                | (State::FirstKey, b'}') => self.close(byte, behind),
                (State::Value | State::FirstElement, _) => self.value(bytes, sink),
                (State::Colon, b':') => {
                    self.state = State::Value;
                    behind
                }
                _ => {
                    self.state = State::Broken;
                    behind
                }
            };
        }
        bytes
    }

    /// At the first byte of a value.
    #[inline(never)]
    fn value<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let Some((&byte, behind)) = bytes.split_first() else {
            return bytes;
        };
        match byte {
            b'"' => self.string(behind, sink),
            b'{' | b'[' => self.open(byte == b'{', behind, sink),
            b'-' | b'0'..=b'9' => self.digits(bytes, sink),
            b't' => self.literal(Literal::True, behind, sink),
            b'f' => self.literal(Literal::False, behind, sink),
            b'n' => self.literal(Literal::Null, behind, sink),
            _ => {
                self.state = State::Broken;
                behind
            }
        }
    }

    /// Inside of a string that is a value.
    #[inline(always)]
    fn string<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let Some(node) = self.node else {
            return self.pass_string(bytes);
        };
        match (sink.want(node), bytes) {
            (Want::Skip, _) => self.pass_string(bytes),
            (Want::Presence, [first, ..]) => {
                if *first != b'"' {
                    sink.present(node);
                }
                self.pass_string(bytes)
            }
            (Want::Presence, []) => {
                self.state = State::Presence;
                bytes
            }
            (Want::Bytes, _) => {
                self.state = State::Bytes;
                bytes
            }
            (Want::Text, _) => self.text(node, bytes, sink),
        }
    }

    #[inline(always)]
    fn text<'a, S: Sink<Node = N>>(&mut self, node: N, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        if let Some(end) = quote(bytes) {
            let text = &bytes[..end];
            if !has_backslash(text) {
                sink.text(node, (text.len() <= MAX_TEXT).then_some(text));
                self.close_value();
                return &bytes[end + 1..];
            }
        }
        self.text.clear();
        self.state = State::Text;
        bytes
    }

    /// Inside of a string that nobody wants. Most have no quote in them that is escaped.
    #[inline(always)]
    fn pass_string<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        match quote(bytes) {
            Some(end) if end == 0 || bytes[end - 1] != b'\\' => {
                self.close_value();
                &bytes[end + 1..]
            }
            _ => self.skip(Skip::string(), bytes),
        }
    }

    #[inline(never)]
    fn skip<'a>(&mut self, mut skip: Skip, bytes: &'a [u8]) -> &'a [u8] {
        if let Some(behind) = skip.push(bytes) {
            self.close_value();
            return behind;
        }
        self.skip = skip;
        self.state = State::Skip;
        &[]
    }

    #[inline(always)]
    fn open<'a, S: Sink<Node = N>>(
        &mut self,
        object: bool,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> &'a [u8] {
        match self.node {
            Some(node) if self.depth < MAX_FRAMES && sink.open(node, object) => {
                self.frames[self.depth] = Frame { node, object };
                self.depth += 1;
                self.state = if object {
                    State::FirstKey
                } else {
                    State::FirstElement
                };
                bytes
            }
            _ => self.skip(Skip::container(), bytes),
        }
    }

    #[inline(always)]
    fn digits<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let passed = match self.node {
            Some(node) => Number::plain(bytes).map(|(number, behind)| {
                sink.number(node, number);
                behind
            }),
            None => Number::pass(bytes),
        };
        if let Some(behind) = passed {
            self.close_value();
            return behind;
        }
        self.number = Number::ZERO;
        self.state = State::Number;
        bytes
    }

    /// A literal of which the first byte was seen.
    #[inline(always)]
    fn literal<'a, S: Sink<Node = N>>(
        &mut self,
        literal: Literal,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> &'a [u8] {
        if let Some(behind) = bytes.strip_prefix(&literal.text()[1..]) {
            if let Some(node) = self.node {
                sink.literal(node, literal);
            }
            self.close_value();
            return behind;
        }
        self.literal = (literal, 1);
        self.state = State::Literal;
        bytes
    }

    /// Inside of a key. Its value follows at once, almost always: one turn less.
    #[inline(always)]
    fn member<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let Some(end) = quote(bytes) else {
            return self.cut_key(bytes);
        };
        let (key, behind) = (&bytes[..end], &bytes[end + 1..]);
        let node = self.frames[self.depth - 1].node;
        self.node = match sink.member(node, key) {
            // No key that is known has a backslash.
            None if has_backslash(key) => return self.cut_key(bytes),
            None => sink.stranger(node),
            known => known,
        };
        match behind {
            [b':', first, ..] if *first > b' ' => self.value(&behind[1..], sink),
            [b':', value @ ..] => {
                self.state = State::Value;
                value
            }
            _ => {
                self.state = State::Colon;
                behind
            }
        }
    }

    /// A key that is not all here, or has escapes.
    #[cold]
    fn cut_key<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        self.text.clear();
        self.state = State::Key;
        bytes
    }

    /// Behind a comma: the next member, or the next element. The former follows at once, too.
    #[inline(always)]
    fn next<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let frame = self.frames[self.depth - 1];
        if !frame.object {
            self.node = Some(frame.node);
            self.state = State::Value;
            return bytes;
        }
        match bytes {
            [b'"', key @ ..] => self.member(key, sink),
            _ => {
                self.state = State::NextKey;
                bytes
            }
        }
    }

    fn close<'a>(&mut self, byte: u8, behind: &'a [u8]) -> &'a [u8] {
        // Only reached inside a frame: the states that lead here are set when one is opened.
        if self.frames[self.depth - 1].object == (byte == b'}') {
            self.depth -= 1;
            self.close_value();
        } else {
            self.state = State::Broken;
        }
        behind
    }
}
