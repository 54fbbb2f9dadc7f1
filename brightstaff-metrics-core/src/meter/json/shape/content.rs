//! What stands in a hole, passed over at the speed of a search.

use memchr::memchr3;

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

impl Content {
    /// Passes over more of it.
    #[inline]
    pub(super) fn pass(&mut self, holds: Holds, bytes: &[u8]) -> Pass {
        let pass = match holds {
            Holds::Text => self.text(bytes),
            Holds::Number if self.some || starts_number(bytes) => to(number_len(bytes), bytes),
            Holds::Number if bytes.is_empty() => Pass::On,
            Holds::Number => Pass::Off,
            Holds::Count => self.count(bytes),
            Holds::Space => to(gap_len(bytes), bytes),
        };
        self.some |= match pass {
            Pass::To(len) => len > 0,
            Pass::On => !bytes.is_empty(),
            Pass::Off => false,
        };
        pass
    }

    /// To the closing quote. Text ends with its line, however it goes on: the line is for the framing to see.
    #[inline]
    fn text(&mut self, bytes: &[u8]) -> Pass {
        let mut start = 0;
        if self.escaped {
            match bytes.first() {
                None => return Pass::On,
                Some(b'\n' | b'\r') => return Pass::Off,
                Some(_) => start = 1,
            }
        }
        let mut from = start;
        loop {
            let Some(at) = quote_or_line_end(&bytes[from..]) else {
                self.escaped = ends_in_escape(&bytes[start..]);
                return Pass::On;
            };
            let at = from + at;
            if bytes[at] != b'"' {
                return Pass::Off;
            }
            if !ends_in_escape(&bytes[start..at]) {
                self.escaped = false;
                return Pass::To(at);
            }
            from = at + 1;
        }
    }

    /// A whole number from 1 to 2^32 - 1 in plain digits: a report of 0 may say that nothing is known, and
    /// anything else is left to those who read numbers.
    #[inline]
    fn count(&mut self, bytes: &[u8]) -> Pass {
        let mut count = self.count;
        for (at, &byte) in bytes.iter().enumerate() {
            if !byte.is_ascii_digit() {
                if count == 0 || is_number(byte) {
                    return Pass::Off;
                }
                self.count = count;
                return Pass::To(at);
            }
            let next = count.checked_mul(10);
            match next.and_then(|next| next.checked_add(u32::from(byte - b'0'))) {
                Some(next) if next > 0 => count = next,
                _ => return Pass::Off,
            }
        }
        self.count = count;
        Pass::On
    }
}

fn to(len: usize, bytes: &[u8]) -> Pass {
    if len < bytes.len() {
        Pass::To(len)
    } else {
        Pass::On
    }
}

fn starts_number(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(b'-' | b'0'..=b'9'))
}

/// Whether what follows is escaped: behind an odd number of backslashes.
#[inline]
fn ends_in_escape(text: &[u8]) -> bool {
    let others = text.iter().rev().take_while(|&&byte| byte == b'\\');
    others.count() % 2 == 1
}

/// The first quote, or the end of the line; maybe another control character before it, none of which belongs
/// into a string either.
#[inline]
fn quote_or_line_end(text: &[u8]) -> Option<usize> {
    /// Words that are looked at before a vectorised search is set up: most tokens are short.
    const NEAR: usize = 12;
    let (words, _) = text.as_chunks::<8>();
    let near = words.len().min(NEAR);
    for (at, word) in words[..near].iter().enumerate() {
        let found = quotes_or_controls(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let far = near * 8;
    Some(far + memchr3(b'"', b'\n', b'\r', &text[far..])?)
}

/// The highest bit of the first byte that is a quote or a control character, and maybe of some behind it.
#[inline]
const fn quotes_or_controls(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // With this bit turned, the quote is the one byte that joins the controls below all others.
    let turned = word ^ (ONES * 0x02);
    turned.wrapping_sub(ONES * 0x21) & !turned & (ONES << 7)
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
