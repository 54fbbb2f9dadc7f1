//! Passing over what nobody wants, at the speed of a vectorised scan.

use memchr::memchr2;

use crate::meter::steps;

/// Where a skip stands inside objects and arrays of no interest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skip {
    /// Objects and arrays still open.
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Skip {
    /// An object or array of no interest was opened.
    pub(crate) fn container() -> Self {
        Self {
            depth: 1,
            ..Self::default()
        }
    }

    /// A string of no interest was opened.
    pub(crate) fn string() -> Self {
        Self {
            in_string: true,
            ..Self::default()
        }
    }

    /// Passes over bytes; the rest, once what was opened is closed, else `None`.
    pub(crate) fn push<'a>(&mut self, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            if self.in_string {
                bytes = self.string_end(bytes)?;
            }
            if self.depth == 0 {
                return Some(bytes);
            }
            let at = find_structure(bytes)?;
            steps::add(at);
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                _ => self.depth -= 1,
            }
            bytes = &bytes[at + 1..];
        }
    }

    fn string_end<'a>(&mut self, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            if self.escaped {
                bytes = bytes.split_first()?.1;
                self.escaped = false;
            }
            let at = memchr2(b'"', b'\\', bytes)?;
            steps::add(at);
            let quote = bytes[at] == b'"';
            bytes = &bytes[at + 1..];
            if quote {
                self.in_string = false;
                return Some(bytes);
            }
            self.escaped = true;
        }
    }
}

/// The first quote, bracket or brace.
fn find_structure(bytes: &[u8]) -> Option<usize> {
    // Sixteen at a time, without a branch in between: the compiler makes vector instructions of it.
    const LANES: usize = 16;
    let mut start = 0;
    for lanes in bytes.chunks_exact(LANES) {
        if lanes
            .iter()
            .fold(false, |any, &byte| any | is_structure(byte))
        {
            break;
        }
        start += LANES;
    }
    let tail = &bytes[start..];
    tail.iter()
        .position(|&byte| is_structure(byte))
        .map(|at| start + at)
}

/// Braces differ from brackets in one bit.
const fn is_structure(byte: u8) -> bool {
    (byte == b'"') | (byte | 0x20 == b'{') | (byte | 0x20 == b'}')
}
