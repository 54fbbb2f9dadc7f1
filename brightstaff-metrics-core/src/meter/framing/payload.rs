//! The payload of an event stream message: JSON, or JSON in base64 in JSON.
//!
//! Bedrock wraps what a model's own API streams as `{"bytes": "<base64>"}`
//! ([`PayloadPart`](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html)).

use super::base64::Base64;
use crate::meter::json::{Literal, Number, Scanner, Sink, Want};
use crate::meter::reader::Reader;

/// Hands on the payload of a message, unwrapped if it has to be.
#[derive(Debug)]
pub(crate) struct Payload {
    wrapped: bool,
    scanner: Scanner<Node>,
    base64: Base64,
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Root,
    Bytes,
}

impl Payload {
    pub(crate) fn new() -> Self {
        Self {
            wrapped: false,
            scanner: Scanner::new(Node::Root),
            base64: Base64::default(),
        }
    }

    /// The payload to come is wrapped.
    pub(crate) fn wrapped(&mut self) {
        self.wrapped = true;
    }

    /// More of the payload; `whole` says that it is all of it.
    pub(crate) fn push(&mut self, bytes: &[u8], whole: bool, reader: &mut Reader) {
        if self.wrapped {
            let base64 = &mut self.base64;
            self.scanner.push(bytes, &mut Unwrap { base64, reader });
        } else {
            reader.payload(bytes, whole);
        }
    }

    /// Makes ready for the next message.
    pub(crate) fn finish(&mut self) {
        self.wrapped = false;
        self.scanner.reset(Node::Root);
        self.base64 = Base64::default();
    }
}

struct Unwrap<'a> {
    base64: &'a mut Base64,
    reader: &'a mut Reader,
}

impl Sink for Unwrap<'_> {
    type Node = Node;

    fn member(&mut self, node: Node, key: &[u8]) -> Option<Node> {
        matches!((node, key), (Node::Root, b"bytes")).then_some(Node::Bytes)
    }

    fn stranger(&mut self, _: Node) -> Option<Node> {
        None
    }

    fn open(&mut self, node: Node, object: bool) -> bool {
        object && matches!(node, Node::Root)
    }

    fn want(&self, node: Node) -> Want {
        match node {
            Node::Root => Want::Skip,
            Node::Bytes => Want::Bytes,
        }
    }

    fn bytes(&mut self, _: Node, bytes: &[u8]) {
        self.base64.push(bytes, |decoded| {
            self.reader.payload(decoded, false);
        });
    }

    fn present(&mut self, _: Node) {}
    fn text(&mut self, _: Node, _: Option<&[u8]>) {}
    fn number(&mut self, _: Node, _: Number) {}
    fn literal(&mut self, _: Node, _: Literal) {}
}
