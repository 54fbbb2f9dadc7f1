//! Labels as attributes: pairs of a name and a text.

use super::super::wire::Message;

/// Attributes of a point, in the order in which they came, as `NumberDataPoint` numbers them.
#[derive(Debug, Default)]
pub(crate) struct Attributes(Message);

impl Attributes {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn add(&mut self, name: &str, value: &str) {
        attribute(&mut self.0, OF_NUMBER, name, value);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A `KeyValue`, as this field.
pub(super) fn attribute(out: &mut Message, field: u32, name: &str, value: &str) {
    out.message(field, |pair| {
        pair.string(1, name);
        pair.message(2, |any| any.string(1, value));
    });
}

/// Makes attributes those of a message that has them under this number, of one byte like the other.
pub(super) fn renumber(attributes: &mut [u8], field: u32) {
    const LENGTH_DELIMITED: u8 = 2;
    let mut rest = attributes;
    while let [key, after @ ..] = rest {
        #[expect(clippy::cast_possible_truncation, reason = "fields below 16")]
        let number = (field as u8) << 3 | LENGTH_DELIMITED;
        *key = number;
        let (mut len, mut shift, mut read) = (0, 0, 0);
        loop {
            let byte = after[read];
            len |= usize::from(byte & 0x7f) << shift;
            (shift, read) = (shift + 7, read + 1);
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = &mut after[read + len..];
    }
}

/// Of a `NumberDataPoint`, and of a `SummaryDataPoint`.
const OF_NUMBER: u32 = 7;
/// Of a `HistogramDataPoint`.
pub(super) const OF_HISTOGRAM: u32 = 9;
/// Of an `ExponentialHistogramDataPoint`.
pub(super) const OF_EXPONENTIAL: u32 = 1;
