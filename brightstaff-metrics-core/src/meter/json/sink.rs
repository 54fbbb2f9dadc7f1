//! Who takes what the scanner finds, and what it wants to be told.

use std::fmt;

use super::{Literal, Number};

/// What a sink wants of the string at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Nothing.
    Skip,
    /// Only whether it is empty.
    Presence,
    /// The string itself, if it is short.
    Text,
    /// All its bytes, as they come.
    Bytes,
}

/// Who takes what the scanner finds. A node says where in the value the scanner is.
pub(crate) trait Sink {
    /// A place in the value that the sink knows.
    type Node: Copy + fmt::Debug;

    /// The place of a member that the sink knows. `key` is unescaped, unless it has a backslash: no key that is known
    /// has one.
    fn member(&mut self, node: Self::Node, key: &[u8]) -> Option<Self::Node>;
    /// The place of a member that it does not know, `None` if nothing in it is wanted.
    fn stranger(&mut self, node: Self::Node) -> Option<Self::Node>;
    /// An object or an array opens. `false` if nothing in it is wanted.
    fn open(&mut self, node: Self::Node, object: bool) -> bool;
    /// What is wanted of a string.
    fn want(&self, node: Self::Node) -> Want;
    /// A string that is not empty: [`Want::Presence`].
    fn present(&mut self, node: Self::Node);
    /// A string: [`Want::Text`]. `None` if it is longer than is kept.
    fn text(&mut self, node: Self::Node, text: Option<&[u8]>);
    /// More of a string: [`Want::Bytes`].
    fn bytes(&mut self, node: Self::Node, bytes: &[u8]);
    /// A number.
    fn number(&mut self, node: Self::Node, number: Number);
    /// `true`, `false` or `null`.
    fn literal(&mut self, node: Self::Node, literal: Literal);
}
