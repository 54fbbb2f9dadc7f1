//! Numbers as text, to the byte what the standard library writes, and so the `prometheus` crate's encoder.

use std::{io::Write as _, time::Duration};

use crate::buckets::Unit;

/// Whole numbers.
#[inline]
pub(super) fn unsigned(out: &mut Vec<u8>, value: u64) {
    match u8::try_from(value) {
        // Most numbers have few digits.
        Ok(digit @ ..10) => out.push(b'0' + digit),
        Ok(pair @ ..100) => out.extend_from_slice(&PAIRS[usize::from(pair)]),
        _ => digits(out, value, value.ilog10() as usize + 1),
    }
}

/// As many digits, the foremost of which may be 0.
fn digits(out: &mut Vec<u8>, mut value: u64, count: usize) {
    let start = out.len();
    // Room for the longest number is made without a loop.
    out.extend_from_slice(&[b'0'; MAX_DIGITS]);
    out.truncate(start + count);
    let mut pairs = out[start..].rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if let [digit] = pairs.into_remainder() {
        *digit = PAIRS[(value % 10) as usize][1];
    }
}

/// Those of `u64::MAX`.
const MAX_DIGITS: usize = 20;

/// The numbers below 100, two digits each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 100")]
        let value = number as u8;
        pairs[number] = [b'0' + value / 10, b'0' + value % 10];
        number += 1;
    }
    pairs
};

/// Any number.
pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

/// A sum of samples in this unit, as [`float`] would write it.
///
/// Of up to 15 digits no two decimal numbers are the same float, so the shortest that means the float is this one.
pub(super) fn sum(out: &mut Vec<u8>, samples: u128, unit: Unit) {
    match u64::try_from(samples) {
        Ok(samples @ ..EXACT) => match unit {
            Unit::Seconds => nanoseconds(out, samples),
            Unit::Tokens => unsigned(out, samples),
        },
        _ => float(out, unit.of(samples)),
    }
}

/// 15 digits; in nanoseconds, eleven days.
const EXACT: u64 = 1_000_000_000_000_000;

/// Nanoseconds, as seconds.
fn nanoseconds(out: &mut Vec<u8>, nanos: u64) {
    const PER_SECOND: u64 = 1_000_000_000;
    unsigned(out, nanos / PER_SECOND);
    let mut fraction = nanos % PER_SECOND;
    if fraction > 0 {
        out.push(b'.');
        let mut count = 9;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            count -= 1;
        }
        digits(out, fraction, count);
    }
}

/// Seconds since the Unix epoch, with milliseconds.
pub(super) fn timestamp(out: &mut Vec<u8>, at: Duration) {
    unsigned(out, at.as_secs());
    out.push(b'.');
    digits(out, u64::from(at.subsec_millis()), 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"before ".to_vec();
        write(&mut out);
        String::from_utf8(out.split_off(7)).unwrap()
    }

    /// Around every power of ten, and of two.
    fn values() -> impl Iterator<Item = u64> {
        let tens = (0..20).map(|power| 10_u64.pow(power));
        let powers = tens.chain((0..64).map(|power| 1 << power));
        let around = powers.flat_map(|power| {
            let near = [power - 1, power, power.saturating_add(1)];
            near.into_iter()
                .chain([power / 3, power.wrapping_mul(7), power / 9 * 8])
        });
        around.chain([0, u64::MAX, u64::MAX - 1, 12_345_678_901_234_567_890])
    }

    #[test]
    fn whole_numbers_are_written_as_the_standard_library_writes_them() {
        for value in values() {
            assert_eq!(text(|out| unsigned(out, value)), value.to_string());
        }
    }

    #[test]
    fn sums_are_written_as_floats_are() {
        for samples in values() {
            for samples in [u128::from(samples), u128::from(samples) << 30] {
                for unit in [Unit::Seconds, Unit::Tokens] {
                    let written = text(|out| sum(out, samples, unit));
                    assert_eq!(written, unit.of(samples).to_string(), "{samples}");
                }
            }
        }
        for (nanos, written) in [(0, "0"), (10_000, "0.00001"), (1_500_000_000, "1.5")] {
            assert_eq!(text(|out| sum(out, nanos, Unit::Seconds)), written);
        }
    }

    #[test]
    fn a_timestamp_has_milliseconds() {
        for (nanos, written) in [(0, "0.000"), (7_999_999, "0.007"), (1_200_000_000, "1.200")] {
            let at = Duration::from_nanos(nanos);
            assert_eq!(text(|out| timestamp(out, at)), written);
        }
    }
}
