//! The ends of strings.

use memchr::memchr;

use crate::meter::steps;

const ONES: u64 = u64::MAX / 255;

/// The first quote. Most strings are short: eight bytes at a time in a register find their end before a vectorised
/// search has begun.
#[inline(always)]
pub(super) fn quote(bytes: &[u8]) -> Option<usize> {
    let found = first_quote(bytes);
    steps::add(found.unwrap_or(bytes.len()));
    found
}

#[inline(always)]
fn first_quote(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 4;
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().take(NEAR).enumerate() {
        if let Some(byte) = first(u64::from_le_bytes(*word), b'"') {
            return Some(at * 8 + byte);
        }
    }
    if words.len() > NEAR {
        return memchr(b'"', &bytes[NEAR * 8..]).map(|at| NEAR * 8 + at);
    }
    let at = tail.iter().position(|&byte| byte == b'"')?;
    Some(words.len() * 8 + at)
}

/// Whether a string has an escape. Few are long, and most have none.
#[inline]
pub(super) fn has_backslash(text: &[u8]) -> bool {
    steps::add(text.len());
    let (words, tail) = text.as_chunks::<8>();
    let word = |word: &[u8; 8]| first(u64::from_le_bytes(*word), b'\\').is_some();
    words.iter().any(word) || tail.contains(&b'\\')
}

/// Where a byte is first among eight.
#[inline(always)]
fn first(word: u64, byte: u8) -> Option<usize> {
    let word = word ^ (ONES * u64::from(byte));
    // The highest bit of each byte that is zero, and maybe of some behind the first.
    let found = word.wrapping_sub(ONES) & !word & (ONES << 7);
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_wherever_it_stands() {
        for len in 0..100 {
            let plain = b"k\xff\x21\xa2\x5b\x5d\x23".repeat(20)[..len].to_vec();
            assert_eq!(quote(&plain), None);
            assert!(!has_backslash(&plain));
            for at in 0..len {
                let mut bytes = plain.clone();
                bytes[at] = b'"';
                bytes[len - 1] = b'"';
                assert_eq!(quote(&bytes), Some(at));
                bytes[at] = b'\\';
                assert!(has_backslash(&bytes));
            }
        }
    }
}
