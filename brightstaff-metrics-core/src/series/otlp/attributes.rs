//! Labels as attributes: pairs of a name and a text.

use super::super::{label_set::pairs, wire::Message};

/// The attributes of all labels on a sheet: those that follow each other there do so here.
#[derive(Debug)]
pub(in super::super) struct Rendered {
    bytes: Box<[u8]>,
    /// Where each stands on the sheet, and where here.
    places: Box<[[u32; 2]]>,
}

impl Rendered {
    /// Of labels as they stand between the braces of a sample, with or without commas between them.
    pub(in super::super) fn of(text: &str) -> Self {
        let place = |at| u32::try_from(at).expect("labels are bounded");
        let (mut attributes, mut places) = (Attributes::default(), Vec::new());
        for (at, name, value) in pairs(text) {
            places.push([at, attributes.as_bytes().len()].map(place));
            attributes.add(name, &value);
        }
        Self {
            bytes: attributes.0.into_bytes().into(),
            places: places.into(),
        }
    }

    /// Those of the labels that stand on the sheet from the one place to the other.
    #[inline]
    pub(in super::super) fn between(&self, from: u32, to: u32) -> &[u8] {
        let here = |on_sheet| {
            let before = self.places.partition_point(|[at, _]| *at < on_sheet);
            self.places
                .get(before)
                .map_or(self.bytes.len(), |[_, here]| *here as usize)
        };
        &self.bytes[here(from)..here(to)]
    }
}

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
