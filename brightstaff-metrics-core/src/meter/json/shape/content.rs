//! What stands in a hole, passed over at the speed of a search.

use super::hole::{Holds, gap_len, is_number, number_len};

/// How far the content of a hole reaches in some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// To here.
    To(usize),
    /// At least to their end.
    On,
    /// It is none that the hole takes.
    Off,
}

/// What is known of a content whose bytes come in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// Some of it has come.
    pub(super) some: bool,
    /// The last of it is a backslash that escapes.
    pub(super) escaped: bool,
    /// The count, as far as it has come.
    pub(super) count: u32,
}

/// To the closing quote of a text that begins here. It ends with its line, however that goes on: the line is for
/// the framing to see.
#[inline]
pub(super) fn text(bytes: &[u8]) -> Pass {
    let found = quote_or_line_end(bytes);
    match found {
        Some(at) if bytes[at] == b'"' && (at == 0 || bytes[at - 1] != b'\\') => Pass::To(at),
        _ => odd_text(bytes, found),
    }
}

// Out of the way of the others: the first quote, if there is one, stands behind a backslash.
#[inline(never)]
fn odd_text(bytes: &[u8], mut found: Option<usize>) -> Pass {
    while let Some(at) = found {
        if bytes[at] != b'"' {
            return Pass::Off;
        }
        if !ends_in_escape(&bytes[..at]) {
            return Pass::To(at);
        }
        let from = at + 1;
        found = quote_or_line_end(&bytes[from..]).map(|at| from + at);
    }
    Pass::On
}

/// Over a number that begins here.
#[inline]
fn number(bytes: &[u8]) -> Pass {
    match bytes.first() {
        Some(b'-' | b'0'..=b'9') => to(number_len(bytes), bytes),
        Some(_) => Pass::Off,
        None => Pass::On,
    }
}

/// Over more of a whole number from 1 to 2^32 - 1 in plain digits, and what it is with that: a report of 0 may say
/// that nothing is known, and anything else is left to those who read numbers.
#[inline]
fn count(bytes: &[u8], mut count: u32) -> (Pass, u32) {
    for (at, &byte) in bytes.iter().enumerate() {
        if !byte.is_ascii_digit() {
            let off = count == 0 || is_number(byte);
            return (if off { Pass::Off } else { Pass::To(at) }, count);
        }
        let next = u64::from(count) * 10 + u64::from(byte - b'0');
        match u32::try_from(next) {
            Ok(next) if next > 0 => count = next,
            _ => return (Pass::Off, count),
        }
    }
    (Pass::On, count)
}

/// Over a content that begins here, and what it counts.
#[inline]
pub(super) fn over(holds: Holds, bytes: &[u8]) -> (Pass, u32) {
    match holds {
        Holds::Text => (text(bytes), 0),
        Holds::Number => (number(bytes), 0),
        Holds::Count => count(bytes, 0),
        Holds::Space => (to(gap_len(bytes), bytes), 0),
    }
}

impl Content {
    /// Passes over more of it.
    pub(super) fn pass(&mut self, holds: Holds, bytes: &[u8]) -> Pass {
        let pass = match holds {
            Holds::Text => self.text(bytes),
            Holds::Number if self.some => to(number_len(bytes), bytes),
            Holds::Number => number(bytes),
            Holds::Count => {
                let (pass, count) = count(bytes, self.count);
                if pass != Pass::Off {
                    self.count = count;
                }
                pass
            }
            Holds::Space => to(gap_len(bytes), bytes),
        };
        self.some |= match pass {
            Pass::To(len) => len > 0,
            Pass::On => !bytes.is_empty(),
            Pass::Off => false,
        };
        pass
    }

    fn text(&mut self, bytes: &[u8]) -> Pass {
        let bytes = match (self.escaped, bytes) {
            (false, bytes) => bytes,
            (true, []) => return Pass::On,
            (true, [b'\n' | b'\r', ..]) => return Pass::Off,
            (true, [_, behind @ ..]) => behind,
        };
        let skipped = usize::from(self.escaped);
        let pass = text(bytes);
        self.escaped = pass == Pass::On && ends_in_escape(bytes);
        match pass {
            Pass::To(len) => Pass::To(skipped + len),
            pass => pass,
        }
    }
}

#[inline]
fn to(len: usize, bytes: &[u8]) -> Pass {
    if len < bytes.len() {
        Pass::To(len)
    } else {
        Pass::On
    }
}

/// Whether what follows is escaped: behind an odd number of backslashes.
#[inline]
fn ends_in_escape(text: &[u8]) -> bool {
    let backslashes = text.iter().rev().take_while(|&&byte| byte == b'\\');
    backslashes.count() % 2 == 1
}

/// The first quote, or the end of the line; maybe another control character before it, none of which belongs
/// into a string either.
#[inline]
fn quote_or_line_end(text: &[u8]) -> Option<usize> {
    // Without a branch within a step: the compiler makes vector instructions of it.
    let any = |lanes: &[u8; 16]| {
        lanes
            .iter()
            .fold(0, |any, &byte| any | u8::from(is_quote_or_control(byte)))
    };
    let (steps, tail) = text.as_chunks::<16>();
    for (at, lanes) in steps.iter().enumerate() {
        if any(lanes) != 0 {
            let found = quotes_or_controls(u128::from_le_bytes(*lanes));
            return Some(at * 16 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = tail.iter().position(|&byte| is_quote_or_control(byte))?;
    Some(text.len() - tail.len() + at)
}

/// With this bit turned, the quote is the one byte that joins the controls below all others.
const TURNED: u8 = 0x02;
const BELOW: u8 = b'"' - 1;

const fn is_quote_or_control(byte: u8) -> bool {
    byte ^ TURNED < BELOW
}

/// The highest bit of the first byte that is one, and maybe of some behind it.
const fn quotes_or_controls(lanes: u128) -> u128 {
    const ONES: u128 = u128::MAX / 255;
    let turned = lanes ^ (ONES * TURNED as u128);
    turned.wrapping_sub(ONES * BELOW as u128) & !turned & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passed over whole, and at every split.
    fn pass(holds: Holds, text: &str) -> Pass {
        let bytes = text.as_bytes();
        let whole = Content::default().pass(holds, bytes);
        for at in 0..=bytes.len() {
            let mut content = Content::default();
            let (one, other) = bytes.split_at(at);
            let split = match content.pass(holds, one) {
                Pass::On => match content.pass(holds, other) {
                    Pass::To(len) => Pass::To(at + len),
                    pass => pass,
                },
                pass => pass,
            };
            assert_eq!(split, whole, "{text} at {at}");
        }
        whole
    }

    #[test]
    fn text_ends_at_its_quote() {
        for len in 0..20 {
            let text = "\u{e4}\\\" !#\\\\ ab".chars().cycle().take(len * 11);
            let text: String = text.collect();
            for behind in ["\"", "\",\"a\":1}\n"] {
                let end = pass(Holds::Text, &format!("{text}{behind}"));
                assert_eq!(end, Pass::To(text.len()), "{text}");
            }
            assert_eq!(pass(Holds::Text, &text), Pass::On);
            assert_eq!(pass(Holds::Text, &format!("{text}\\\\\n\"")), Pass::Off);
            assert_eq!(pass(Holds::Text, &format!("{text}\\\r\"")), Pass::Off);
        }
    }

    #[test]
    fn quotes_and_controls_are_told_from_all_others() {
        for byte in 0..=u8::MAX {
            let expected = byte == b'"' || byte < b' ';
            assert_eq!(is_quote_or_control(byte), expected, "{byte}");
            for len in 0..70 {
                let mut text = vec![byte; len];
                text.extend(b"\x80 !#\xFF"[..len % 5].iter().rev());
                let found = quote_or_line_end(&text);
                assert_eq!(found, (expected && len > 0).then_some(0), "{byte}");
                text.insert(0, b' ');
                text.push(b'"');
                let first = if expected && len > 0 {
                    1
                } else {
                    text.len() - 1
                };
                assert_eq!(quote_or_line_end(&text), Some(first), "{byte}");
            }
        }
    }

    #[test]
    fn counts_are_plain_and_not_zero() {
        for (text, expected) in [
            ("7,", Pass::To(1)),
            ("4294967295}", Pass::To(10)),
            ("4294967296}", Pass::Off),
            ("0}", Pass::Off),
            ("07}", Pass::Off),
            ("7.0}", Pass::Off),
            ("-7}", Pass::Off),
            ("7e1}", Pass::Off),
            ("}", Pass::Off),
            ("7", Pass::On),
        ] {
            assert_eq!(pass(Holds::Count, text), expected, "{text}");
        }
        let mut content = Content::default();
        content.pass(Holds::Count, b"12");
        content.pass(Holds::Count, b"34,");
        assert_eq!(content.count, 1234);
    }

    #[test]
    fn numbers_and_gaps_end_where_others_begin() {
        assert_eq!(pass(Holds::Number, "-1.5e+3]"), Pass::To(7));
        assert_eq!(pass(Holds::Number, "null"), Pass::Off);
        assert_eq!(pass(Holds::Space, " \t\n"), Pass::To(2));
        assert_eq!(pass(Holds::Space, "}"), Pass::To(0));
    }
}
