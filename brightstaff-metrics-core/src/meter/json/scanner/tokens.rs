//! Tokens that the end of the bytes cuts, or that are not as most are: what came of them is kept.

use std::fmt;

use super::{Scanner, State};
use crate::meter::json::skip::Skip;
use crate::meter::json::text::unescape;
use crate::meter::json::{Literal, Sink};

impl<N: Copy + fmt::Debug> Scanner<N> {
    pub(super) fn key<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let (rest, ended) = self.keep(bytes);
        if ended {
            self.node = sink.member(self.frames[self.depth - 1].node, self.text.get());
            self.state = State::Colon;
        }
        rest
    }

    pub(super) fn captured<'a, S: Sink<Node = N>>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> &'a [u8] {
        let (rest, ended) = self.keep(bytes);
        if ended {
            if let Some(node) = self.node {
                sink.text(node, self.text.get());
            }
            self.state = self.closed();
        }
        rest
    }

    /// Keeps the string at hand, unescaped; says whether it ended.
    ///
    /// One with an escape that is none cannot be told, and breaks nothing: strings that nobody wants are
    /// not looked at, nor are those of an event that is compared with one before it.
    fn keep<'a>(&mut self, mut bytes: &'a [u8]) -> (&'a [u8], bool) {
        let Self { text, escape, .. } = self;
        loop {
            let (rest, end) = unescape(bytes, escape, |more| text.extend(more));
            match end {
                Some(false) => text.spoil(),
                ended => return (rest, ended.is_some()),
            }
            bytes = rest;
        }
    }

    pub(super) fn streamed<'a, S: Sink<Node = N>>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> &'a [u8] {
        let Some(node) = self.node else { return &[] };
        let (rest, end) = unescape(bytes, &mut self.escape, |more| sink.bytes(node, more));
        match end {
            Some(true) => self.state = self.closed(),
            Some(false) => self.state = State::Broken,
            None => {}
        }
        rest
    }

    /// Looks at the first byte of a string. It is still to be passed over, and may be the closing quote.
    pub(super) fn presence<S: Sink<Node = N>>(&mut self, byte: u8, sink: &mut S) {
        if let Some(node) = self.node.filter(|_| byte != b'"') {
            sink.present(node);
        }
        self.skip = Skip::string();
        self.state = State::Skip;
    }

    pub(super) fn number<'a, S: Sink<Node = N>>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> &'a [u8] {
        let taken = bytes
            .iter()
            .take_while(|&&byte| self.number.take(byte))
            .count();
        let rest = &bytes[taken..];
        if !rest.is_empty() {
            self.end_number(sink);
        }
        rest
    }

    pub(super) fn end_number<S: Sink<Node = N>>(&mut self, sink: &mut S) {
        if let Some(node) = self.node {
            sink.number(node, self.number);
        }
        self.state = self.closed();
    }

    pub(super) fn spell<S: Sink<Node = N>>(
        &mut self,
        literal: Literal,
        at: u8,
        byte: u8,
        sink: &mut S,
    ) {
        let text = literal.text();
        let at = usize::from(at);
        if text[at] != byte {
            self.state = State::Broken;
        } else if at + 1 < text.len() {
            // No literal is longer than five bytes.
            #[allow(clippy::cast_possible_truncation)]
            let next = at as u8 + 1;
            self.state = State::Literal(literal, next);
        } else {
            if let Some(node) = self.node {
                sink.literal(node, literal);
            }
            self.state = self.closed();
        }
    }
}
