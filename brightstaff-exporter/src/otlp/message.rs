//! The two messages that receivers respond with, as far as they say anything: `ExportMetricsServiceResponse` of
//! OpenTelemetry, and `Status` of Google's RPC.

/// What of an export was not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartialSuccess {
    /// How many data points the receiver left out; with none, the message is a warning.
    pub(super) rejected: i64,
    pub(super) message: String,
}

/// Reads an `ExportMetricsServiceResponse`; `None` for what is none.
pub(super) fn partial_success(bytes: &[u8]) -> Option<PartialSuccess> {
    let mut partial = PartialSuccess::default();
    for field in Fields(bytes) {
        // ExportMetricsServiceResponse.partial_success
        if let (1, Value::Bytes(inner)) = field? {
            for field in Fields(inner) {
                match field? {
                    // ExportMetricsPartialSuccess.rejected_data_points
                    (1, Value::Number(rejected)) => partial.rejected = rejected.cast_signed(),
                    // ExportMetricsPartialSuccess.error_message
                    (2, Value::Bytes(text)) => partial.message = lossy(text),
                    _ => {}
                }
            }
        }
    }
    Some(partial)
}

/// Reads the message of a `Status`; `None` for what is none.
pub(super) fn status(bytes: &[u8]) -> Option<String> {
    let mut message = String::new();
    for field in Fields(bytes) {
        // Status.message
        if let (2, Value::Bytes(text)) = field? {
            message = lossy(text);
        }
    }
    Some(message)
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The fields of a message, one by one; `None` once, where it is none.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let number = tag >> 3;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Bytes(self.take(8)?),
            2 => {
                let len = self.varint()?;
                Value::Bytes(self.take(usize::try_from(len).ok()?)?)
            }
            5 => Value::Bytes(self.take(4)?),
            _ => return None,
        };
        (number != 0).then_some((number, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_left_out_is_read() {
        let full = b"\x0a\x09\x08\xac\x02\x12\x04late";
        let told = PartialSuccess {
            rejected: 300,
            message: "late".to_owned(),
        };
        assert_eq!(partial_success(full), Some(told));
        assert_eq!(partial_success(b""), Some(PartialSuccess::default()));
        // A field that is not known yet, of each type.
        let later = b"\x20\x07\x29--------\x35----\x3a\x01x";
        assert_eq!(partial_success(later), Some(PartialSuccess::default()));
        assert_eq!(status(b"\x08\x03\x12\x05no ID"), Some("no ID".to_owned()));
    }

    #[test]
    fn what_is_no_message_is_none() {
        for bytes in [
            &b"\x0a"[..],
            b"\x0a\x09\x08",
            b"ok",
            b"<html>",
            b"{}",
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x02\x00",
        ] {
            assert_eq!(partial_success(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = (partial_success(&bytes), status(&bytes));
        }
    }
}
