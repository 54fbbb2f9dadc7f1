//! An incremental JSON scanner (RFC 8259): bytes go in as they come, what is wanted comes out, nothing
//! else is kept.

mod number;
mod quote;
mod scanner;
mod shape;
mod sink;
mod skip;
mod text;

pub(crate) use number::Number;
pub(crate) use scanner::Scanner;
#[cfg(test)]
pub(crate) use shape::{BOUND, without_shapes};
pub(crate) use shape::{MAX_EVENT, Shape, Trace, Walk};
pub(crate) use sink::{Sink, Want};

/// `true`, `false` or `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    True,
    False,
    Null,
}

impl Literal {
    const fn text(self) -> &'static [u8] {
        match self {
            Self::True => b"true",
            Self::False => b"false",
            Self::Null => b"null",
        }
    }
}

/// What follows white space.
#[inline(always)]
fn behind_space(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0..=b' ', ..] => behind_some_space(bytes),
        _ => bytes,
    }
}

fn behind_some_space(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            // Indentation.
            [b' ', b' ', b' ', b' ', rest @ ..] => rest,
            [byte, rest @ ..] if is_space(*byte) => rest,
            _ => return bytes,
        };
    }
}

/// White space between tokens (RFC 8259, section 2).
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
