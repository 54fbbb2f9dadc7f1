//! Tokens that the end of the bytes cuts, or that are not as most are: what came of them is kept.

use std::fmt;

use super::{Scanner, State};
use crate::meter::json::Sink;
use crate::meter::json::skip::Skip;
use crate::meter::json::text::unescape;

impl<N: Copy + fmt::Debug> Scanner<N> {
    pub(super) fn key<'a, S: Sink<Node = N>>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let (rest, ended) = self.keep(bytes);
        if ended {
            let node = self.frames[self.depth - 1].node;
            let known = self.text.get().and_then(|key| sink.member(node, key));
            self.node = known.or_else(|| sink.stranger(node));
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
            self.close_value();
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
            Some(true) => self.close_value(),
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
        self.close_value();
    }

    pub(super) fn spell<S: Sink<Node = N>>(&mut self, byte: u8, sink: &mut S) {
        let (literal, at) = self.literal;
        let text = literal.text();
        if text[usize::from(at)] != byte {
            self.state = State::Broken;
        } else if usize::from(at) + 1 < text.len() {
            self.literal.1 = at + 1;
        } else {
            if let Some(node) = self.node {
                sink.literal(node, literal);
            }
            self.close_value();
        }
    }
}
