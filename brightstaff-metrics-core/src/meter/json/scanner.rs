//! The scanner: a state machine over the bytes of one JSON value, which tells a [`Sink`] of the values
//! that it wants.
//!
//! Memory is bounded, whatever the value: the frames of the path (no deeper than the paths that the sink knows),
//! one short string, one number. Objects and arrays of no interest are only counted through. Arrays are
//! transparent: an element stands for the array's own node.
//!
//! What lies whole in the bytes at hand is taken in place; the states inside of tokens are for those that the end of
//! the bytes cut.
//!
//! On a broken value the scanner stops. Only escapes of strings are not held against it: those of most
//! strings are never looked at.

mod run;
mod tokens;

use std::fmt;

use super::Literal;
use super::number::Number;
use super::sink::Sink;
use super::skip::Skip;
use super::text::{Escape, Text};
use crate::meter::steps;

/// How deep the path of a wanted value may be. The deepest of any API has 10 frames.
const MAX_FRAMES: usize = 16;

/// Scans one JSON value.
#[derive(Debug)]
pub(crate) struct Scanner<N> {
    state: State,
    /// The open objects and arrays around the value at hand.
    frames: [Frame<N>; MAX_FRAMES],
    depth: usize,
    /// The place of the value at hand; `None` if it is not wanted.
    node: Option<N>,
    skip: Skip,
    text: Text,
    escape: Escape,
    number: Number,
    /// The literal at hand, and how much of it has come.
    literal: (Literal, u8),
}

#[derive(Clone, Copy, Debug)]
struct Frame<N> {
    node: N,
    object: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Behind a value inside an object or array.
    After,
    /// Before a value.
    Value,
    /// Before a value or `]`.
    FirstElement,
    /// Before a key or `}`.
    FirstKey,
    /// Before a key.
    NextKey,
    Colon,
    // Up to here a token begins next; from here on the bytes are inside of one.
    Key,
    /// At the first byte of a string of which only the presence is wanted.
    Presence,
    Text,
    Bytes,
    Skip,
    Number,
    Literal,
    Done,
    Broken,
}

impl<N: Copy + fmt::Debug> Scanner<N> {
    /// A scanner before a value at `root`.
    pub(crate) const fn new(root: N) -> Self {
        let object = false;
        Self {
            state: State::Value,
            frames: [Frame { node: root, object }; MAX_FRAMES],
            depth: 0,
            node: Some(root),
            skip: Skip::NONE,
            text: Text::EMPTY,
            escape: Escape::NONE,
            number: Number::ZERO,
            literal: (Literal::Null, 0),
        }
    }

    /// Makes ready for another value at `root`.
    pub(crate) fn reset(&mut self, root: N) {
        self.state = State::Value;
        self.depth = 0;
        self.node = Some(root);
        self.escape = Escape::NONE;
    }

    /// Whether no byte of the value but white space has come.
    pub(crate) fn is_blank(&self) -> bool {
        self.state == State::Value && self.depth == 0
    }

    /// Whether the value is whole.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the bytes so far can begin no JSON value.
    pub(crate) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Scans on; gives back what follows the value, or the byte that broke it. Empty if it goes on.
    pub(crate) fn push<'a, S: Sink<Node = N>>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> &'a [u8] {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            steps::add(1);
            match self.state {
                State::Done | State::Broken => break,
                State::Skip => match self.skip.push(rest) {
                    Some(behind) => {
                        rest = behind;
                        self.close_value();
                    }
                    None => return &[],
                },
                State::Key => rest = self.key(rest, sink),
                State::Text => rest = self.captured(rest, sink),
                State::Bytes => rest = self.streamed(rest, sink),
                State::Presence => self.presence(byte, sink),
                State::Number => rest = self.number(rest, sink),
                State::Literal => {
                    rest = &rest[1..];
                    self.spell(byte, sink);
                }
                _ => rest = self.run(rest, sink),
            }
        }
        rest
    }

    /// The bytes are over: a number at the root ends with them. Anything else unfinished is broken.
    pub(crate) fn finish<S: Sink<Node = N>>(&mut self, sink: &mut S) {
        if self.state == State::Number && self.depth == 0 {
            self.end_number(sink);
        } else if self.state != State::Done {
            self.state = State::Broken;
        }
    }

    /// A value ended.
    #[inline(always)]
    fn close_value(&mut self) {
        self.state = if self.depth == 0 {
            State::Done
        } else {
            State::After
        };
    }
}
