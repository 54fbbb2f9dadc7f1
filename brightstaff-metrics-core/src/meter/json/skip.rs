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
    // Most are near. Lists of numbers have none for long: those are passed in larger steps.
    const NEAR: usize = 64;
    let mut start = plain::<16>(&bytes[..bytes.len().min(NEAR)]);
    if start == NEAR {
        start += plain::<64>(&bytes[start..]);
        start += plain::<16>(&bytes[start..]);
    }
    let at = bytes[start..].iter().position(|&byte| is_structure(byte))?;
    Some(start + at)
}

/// How many bytes can be passed over in steps of this length without meeting one.
fn plain<const LANES: usize>(bytes: &[u8]) -> usize {
    // Without a branch within a step: the compiler makes vector instructions of it.
    let any = |lanes: &[u8; LANES]| {
        lanes
            .iter()
            .fold(0, |any, &byte| any | u8::from(is_structure(byte)))
    };
    let (steps, _) = bytes.as_chunks::<LANES>();
    steps.iter().take_while(|lanes| any(lanes) == 0).count() * LANES
}

/// Braces differ from brackets in one bit.
const fn is_structure(byte: u8) -> bool {
    (byte == b'"') | (byte | 0x20 == b'{') | (byte | 0x20 == b'}')
}

#[cfg(test)]
mod tests {
    use super::{Skip, find_structure};

    #[test]
    fn finds_the_first_wherever_it_stands() {
        for len in 0..210 {
            let plain = b"-0.5,\xC3\xBF\x7F".repeat(30)[..len].to_vec();
            assert_eq!(find_structure(&plain), None);
            for at in 0..plain.len() {
                for structure in *b"\"[]{}" {
                    let mut bytes = plain.clone();
                    bytes[at] = structure;
                    // One behind it changes nothing.
                    if let Some(last) = bytes[at + 1..].last_mut() {
                        *last = b']';
                    }
                    assert_eq!(find_structure(&bytes), Some(at));
                }
            }
        }
    }

    #[test]
    fn a_list_of_numbers_ends_where_it_closes() {
        let numbers = "-0.012,".repeat(100);
        let list = format!("[{numbers}0],\"]\\\"\",{{\"[\":{{}}}}],1");
        for chunk in [1, 7, 16, 64, list.len()] {
            let mut skip = Skip::container();
            let mut passed = 0;
            for bytes in list.as_bytes().chunks(chunk) {
                let rest = skip.push(bytes);
                passed += bytes.len() - rest.map_or(0, <[u8]>::len);
                if rest.is_some() {
                    break;
                }
            }
            assert_eq!(&list[passed..], ",1", "by {chunk}");
        }
    }
}
