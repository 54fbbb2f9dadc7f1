//! Numbers, read digit by digit as counts.

/// The largest count that is believed. A Prometheus sample, a 64-bit float, holds two million of them
/// exactly.
const MAX_COUNT: u64 = 1 << 32;

/// More decimal places than this can no longer change a count.
const MAX_SCALE: i32 = 400;

/// A number in the making. Any spelling of a whole number will do: `28`, `28.0`, `2.8e1`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    /// The digits so far, up to 19 significant ones.
    mantissa: u64,
    /// The power of ten that the mantissa is to be multiplied by, the exponent left out.
    scale: i32,
    exponent: i32,
    negative: bool,
    negative_exponent: bool,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Fraction,
    Exponent,
}

impl Number {
    pub(crate) const ZERO: Self = Self {
        mantissa: 0,
        scale: 0,
        exponent: 0,
        negative: false,
        negative_exponent: false,
        part: Part::Whole,
    };

    /// A whole number without sign or exponent, as almost all counts are, and what follows; `None` if this is
    /// another, or may go on behind these bytes.
    #[inline]
    pub(crate) fn plain(bytes: &[u8]) -> Option<(Self, &[u8])> {
        // No more digits than a mantissa holds.
        const MOST: usize = 18;
        let mut mantissa = 0;
        for (at, &byte) in bytes.iter().enumerate().take(MOST + 1) {
            match byte {
                b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
                _ if at == 0 || is_part(byte) => return None,
                _ => {
                    let number = Self {
                        mantissa,
                        ..Self::ZERO
                    };
                    return Some((number, &bytes[at..]));
                }
            }
        }
        None
    }

    /// What follows a number; `None` if it may go on behind these bytes.
    #[inline]
    pub(crate) fn pass(bytes: &[u8]) -> Option<&[u8]> {
        let end = bytes.iter().position(|&byte| !is_part(byte))?;
        Some(&bytes[end..])
    }

    /// Takes one byte; `false` if it is not part of a number.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        match (byte, self.part) {
            (b'0'..=b'9', Part::Exponent) => {
                self.exponent = (self.exponent * 10 + i32::from(byte - b'0')).min(MAX_SCALE * 2);
            }
            (b'0'..=b'9', part) => self.digit(u64::from(byte - b'0'), part == Part::Fraction),
            (b'.', _) => self.part = Part::Fraction,
            (b'e' | b'E', _) => self.part = Part::Exponent,
            (b'-', Part::Exponent) => self.negative_exponent = true,
            (b'-', _) => self.negative = true,
            (b'+', _) => {}
            _ => return false,
        }
        true
    }

    fn digit(&mut self, digit: u64, fraction: bool) {
        if self.mantissa < u64::MAX / 10 - 1 {
            self.mantissa = self.mantissa * 10 + digit;
            self.scale -= i32::from(fraction);
        } else {
            self.scale += i32::from(!fraction);
        }
        self.scale = self.scale.clamp(-MAX_SCALE, MAX_SCALE);
    }

    /// The count, a fraction cut off; `None` where the number is negative or beyond belief.
    pub(crate) fn count(&self) -> Option<u64> {
        self.shifted(0).filter(|&count| count <= MAX_COUNT)
    }

    /// The number times ten to the power of `places`, a fraction cut off; `None` where it is negative or
    /// does not fit.
    pub(crate) fn shifted(&self, places: i32) -> Option<u64> {
        let exponent = if self.negative_exponent {
            -self.exponent
        } else {
            self.exponent
        };
        if self.negative && self.mantissa > 0 {
            return None;
        }
        let mut count = self.mantissa;
        let scale = self.scale + exponent + places;
        for _ in 0..scale.unsigned_abs() {
            if count == 0 {
                break;
            }
            count = if scale < 0 {
                count / 10
            } else {
                count.checked_mul(10)?
            };
        }
        Some(count)
    }
}

const fn is_part(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

#[cfg(test)]
mod tests {
    use super::Number;

    fn count(text: &str) -> Option<u64> {
        let mut number = Number::ZERO;
        assert!(text.bytes().all(|byte| number.take(byte)), "{text}");
        number.count()
    }

    #[test]
    fn counts_in_any_spelling() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("28", Some(28)),
            ("28.0", Some(28)),
            ("2.8e1", Some(28)),
            ("2.8E+1", Some(28)),
            ("280e-1", Some(28)),
            ("28.9", Some(28)),
            ("-28", None),
            ("-2.5e-174", None),
            ("1e400", None),
            ("0e999999999999", Some(0)),
            ("1e-400", Some(0)),
            ("4294967296", Some(1 << 32)),
            ("4294967297", None),
            ("99999999999999999999999999", None),
            ("12.00000000000000000000000000000000000000000000", Some(12)),
            ("0.000000000000000000000000000000000000012e39", Some(12)),
        ] {
            assert_eq!(count(text), expected, "{text}");
            let text = format!("{text},1");
            assert_eq!(Number::pass(text.as_bytes()).map(<[u8]>::len), Some(2));
            if let Some((number, rest)) = Number::plain(text.as_bytes()) {
                assert_eq!((number.count(), rest), (expected, &b",1"[..]), "{text}");
            }
        }
    }

    #[test]
    fn a_plain_number_is_whole_and_has_nothing_but_digits() {
        for (text, plain) in [
            ("", false),
            ("7", false),
            ("7,", true),
            ("007}", true),
            ("999999999999999999,", true),
            ("9999999999999999999,", false),
            ("-7,", false),
            ("7.0,", false),
            ("7e1,", false),
            ("7-1,", false),
        ] {
            assert_eq!(Number::plain(text.as_bytes()).is_some(), plain, "{text}");
        }
    }
}
