//! Passing over what nobody wants, at the speed of a vectorised scan.

use super::quote::quote;
use crate::meter::steps;

/// Where a skip stands inside objects and arrays of no interest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skip {
    /// Objects and arrays still open.
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Skip {
    pub(crate) const NONE: Self = Self {
        depth: 0,
        in_string: false,
        escaped: false,
    };

    /// An object or array of no interest was opened.
    pub(crate) fn container() -> Self {
        Self {
            depth: 1,
            ..Self::NONE
        }
    }

    /// A string of no interest was opened.
    pub(crate) fn string() -> Self {
        Self {
            in_string: true,
            ..Self::NONE
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

    /// What follows the string.
    #[inline]
    fn string_end<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let open = usize::from(self.escaped);
        let Some(end) = string_end(bytes, open) else {
            if !bytes.is_empty() {
                self.escaped = is_escaped(bytes, open, bytes.len());
            }
            return None;
        };
        self.in_string = false;
        self.escaped = false;
        Some(&bytes[end + 1..])
    }
}

/// The quote that ends a string of which the bytes from `open` on are no escape's.
#[inline]
fn string_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open;
    loop {
        at += quote(bytes.get(at..)?)?;
        if !is_escaped(bytes, open, at) {
            return Some(at);
        }
        at = pass_escaped(bytes, at + 1);
    }
}

/// Whether an odd number of backslashes stands before a byte.
#[inline]
fn is_escaped(bytes: &[u8], open: usize, at: usize) -> bool {
    let first = at.checked_sub(1).filter(|&first| first >= open);
    if first.and_then(|first| bytes.get(first)) != Some(&b'\\') {
        return false;
    }
    let before = bytes.get(open..at).unwrap_or_default().iter().rev();
    let backslashes = before.take_while(|&&byte| byte == b'\\').count();
    steps::add(backslashes);
    backslashes % 2 == 1
}

/// Behind an escaped quote: passes over bytes as long as each quote among them has one backslash before it, and no
/// more. Text and code are mostly so, and this is one comparison of vectors, however many quotes there are.
fn pass_escaped(bytes: &[u8], mut at: usize) -> usize {
    const STEP: usize = 64;
    while let Some(window) = bytes[at - 2..].first_chunk::<{ STEP + 2 }>() {
        // Without a branch within a step: the compiler makes vector instructions of it.
        let mut other = false;
        for byte in 0..STEP {
            let alone = (window[byte] != b'\\') & (window[byte + 1] == b'\\');
            other |= (window[byte + 2] == b'"') & !alone;
        }
        if other {
            break;
        }
        steps::add(STEP);
        at += STEP;
    }
    at
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

    /// What follows, byte by byte.
    fn plainly(mut skip: Skip, bytes: &[u8]) -> Option<usize> {
        let (mut string, mut escaped) = (skip.in_string, false);
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if string => escaped = true,
                b'"' => string = !string,
                b'{' | b'[' if !string => skip.depth += 1,
                b'}' | b']' if !string => skip.depth -= 1,
                _ => continue,
            }
            if !string && skip.depth == 0 {
                return Some(at + 1);
            }
        }
        None
    }

    /// Backslashes, quotes and braces, also where none belong.
    fn hostile(mut seed: u32) -> Vec<u8> {
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::from(seed.to_be_bytes()[0])
        };
        let kinds: [&[u8]; 6] = [
            br"\",
            br#"\"x"#,
            br#""{}[]"#,
            br#"x, 1\"{"#,
            br#"\\"#,
            b"text ",
        ];
        let mut bytes = Vec::new();
        while bytes.len() < 500 {
            let kind = kinds[next() % kinds.len()];
            let whole = next() % 2 == 0;
            for at in 0..next() % 80 {
                let any = if whole { at } else { next() };
                bytes.push(kind[any % kind.len()]);
            }
        }
        bytes
    }

    #[test]
    fn steps_pass_over_what_single_bytes_do() {
        let mut ended = 0;
        for seed in 0..3_000 {
            let bytes = hostile(seed);
            for skip in [Skip::container(), Skip::string()] {
                let expected = plainly(skip, &bytes);
                ended += usize::from(expected.is_some_and(|end| end > 66));
                for chunk in [1, 3, 64, 67, 200, bytes.len()] {
                    let mut skip = skip;
                    let mut passed = 0;
                    let found = bytes.chunks(chunk).find_map(|chunk| {
                        passed += chunk.len();
                        skip.push(chunk).map(|rest| passed - rest.len())
                    });
                    assert_eq!(found, expected, "{seed} by {chunk}");
                }
            }
        }
        assert!(ended > 100, "{ended} ended behind a step");
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
