//! The [wire format](https://protobuf.dev/programming-guides/encoding/) of protocol buffers, as far as writing needs it.

/// A message, field by field.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// Where the length of a message stands that is begun, and not yet ended.
#[derive(Debug)]
#[must_use]
pub(super) struct Open(usize);

/// Where a long message begins that is not yet ended.
#[cfg(feature = "otlp")]
#[derive(Debug)]
#[must_use]
pub(super) struct OpenLong(usize);

/// How long messages are that hold many others. Their lengths are put before them once all is written, so that what is
/// in them moves once, and not once for each that it is in.
#[cfg(feature = "otlp")]
#[derive(Debug, Default)]
pub(super) struct Lengths(Vec<(usize, u64)>);

/// How a field's bytes are to be read.
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    LengthDelimited = 2,
}

impl Message {
    #[cfg(feature = "otlp")]
    pub(super) fn in_memory(empty: Vec<u8>) -> Self {
        Self(empty)
    }

    #[cfg(feature = "otlp")]
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What was written from there on.
    #[cfg(feature = "otlp")]
    pub(super) fn tail(&mut self, start: usize) -> &mut [u8] {
        &mut self.0[start..]
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// A bare number: the length before a message of a stream is one.
    pub(super) fn varint(&mut self, value: u64) {
        let mut bytes = [0; MAX_VARINT_BYTES];
        let len = encode(value, &mut bytes);
        self.0.extend_from_slice(&bytes[..len]);
    }

    /// `uint32`, `uint64`, an enum, or an `int` that is not negative.
    pub(super) fn unsigned(&mut self, field: u32, value: u64) {
        self.key(field, WireType::Varint);
        self.varint(value);
    }

    /// `int32` or `int64`: a negative one takes ten bytes.
    pub(super) fn signed(&mut self, field: u32, value: i64) {
        self.unsigned(field, value.cast_unsigned());
    }

    /// `sint32` or `sint64`.
    pub(super) fn zigzag(&mut self, field: u32, value: i64) {
        self.unsigned(field, zigzag(value));
    }

    /// A repeated `sint64`, packed; left out where there is none.
    pub(super) fn zigzags(&mut self, field: u32, values: &[i64]) {
        if !values.is_empty() {
            self.delimited(field, |packed| {
                for &value in values {
                    packed.varint(zigzag(value));
                }
            });
        }
    }

    /// `fixed64`, or `sfixed64` or `double` by its bits, as a field below 16.
    #[cfg(feature = "otlp")]
    #[inline]
    pub(super) fn fixed(&mut self, field: u32, value: u64) {
        let mut bytes = [0; 9];
        #[expect(clippy::cast_possible_truncation, reason = "fields below 16")]
        let key = (field as u8) << 3 | WireType::Fixed64 as u8;
        bytes[0] = key;
        bytes[1..].copy_from_slice(&value.to_le_bytes());
        self.0.extend_from_slice(&bytes);
    }

    /// What stands before a message of which it is known how long it is.
    #[cfg(feature = "otlp")]
    pub(super) fn sized(&mut self, field: u32, bytes: usize) {
        self.key(field, WireType::LengthDelimited);
        self.varint(bytes as u64);
    }

    /// A repeated `fixed64`, `sfixed64` or `double`, packed; left out where there is none.
    #[cfg(feature = "otlp")]
    pub(super) fn packed(&mut self, field: u32, values: impl ExactSizeIterator<Item = [u8; 8]>) {
        if values.len() > 0 {
            self.key(field, WireType::LengthDelimited);
            self.varint(8 * values.len() as u64);
            for value in values {
                self.0.extend_from_slice(&value);
            }
        }
    }

    /// Fields that are written already.
    #[cfg(feature = "otlp")]
    pub(super) fn fields(&mut self, written: &[u8]) {
        self.0.extend_from_slice(written);
    }

    pub(super) fn double(&mut self, field: u32, value: f64) {
        self.key(field, WireType::Fixed64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn string(&mut self, field: u32, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    pub(super) fn bytes(&mut self, field: u32, value: &[u8]) {
        self.key(field, WireType::LengthDelimited);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    /// A message inside of this one.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.delimited(field, write);
    }

    fn delimited(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let open = self.begin(field);
        write(self);
        self.end(open);
    }

    /// What is written from here on, up to its end, is a message inside of this one.
    pub(super) fn begin(&mut self, field: u32) -> Open {
        self.key(field, WireType::LengthDelimited);
        let start = self.0.len();
        self.0.push(0);
        Open(start)
    }

    /// Puts its length before a message, which was not known before. One byte was kept free for it, and what was
    /// written moves on where it takes more.
    pub(super) fn end(&mut self, Open(start): Open) {
        let end = self.0.len();
        let mut bytes = [0; MAX_VARINT_BYTES];
        let len = encode((end - start - 1) as u64, &mut bytes);
        self.0.resize(end + len - 1, 0);
        self.0.copy_within(start + 1..end, start + len);
        self.0[start..start + len].copy_from_slice(&bytes[..len]);
    }

    fn key(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from(field) << 3 | wire_type as u64);
    }
}

#[cfg(feature = "otlp")]
impl Lengths {
    /// What is written from here on, up to its end, is a message inside of this one.
    pub(super) fn begin(&self, out: &mut Message, field: u32) -> OpenLong {
        out.key(field, WireType::LengthDelimited);
        OpenLong(out.0.len())
    }

    /// The message ends here.
    pub(super) fn end(&mut self, out: &Message, OpenLong(start): OpenLong) {
        let inside = self.0.iter().filter(|(at, _)| *at > start);
        let inside: usize = inside.map(|(_, len)| varint_bytes(*len)).sum();
        let len = out.0.len() - start + inside;
        self.0.push((start, len as u64));
    }

    /// Puts all lengths where they belong. Nothing is open any more.
    pub(super) fn insert(mut self, out: &mut Message) {
        self.0.sort_unstable();
        let mut end = out.0.len();
        let more: usize = self.0.iter().map(|(_, len)| varint_bytes(*len)).sum();
        let mut to = end + more;
        out.0.resize(to, 0);
        for (at, len) in self.0.into_iter().rev() {
            to -= end - at;
            out.0.copy_within(at..end, to);
            end = at;
            let mut bytes = [0; MAX_VARINT_BYTES];
            let count = encode(len, &mut bytes);
            to -= count;
            out.0[to..to + count].copy_from_slice(&bytes[..count]);
        }
    }
}

#[cfg(feature = "otlp")]
fn varint_bytes(value: u64) -> usize {
    encode(value, &mut [0; MAX_VARINT_BYTES])
}

/// 64 bits, 7 to a byte.
const MAX_VARINT_BYTES: usize = 10;

/// Seven bits a byte, the lowest first; all but the last byte have their highest bit set. Tells how many there are.
fn encode(mut value: u64, bytes: &mut [u8; MAX_VARINT_BYTES]) -> usize {
    let mut len = 0;
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        bytes[len] = if value == 0 { low } else { low | 0x80 };
        len += 1;
        if value == 0 {
            return len;
        }
    }
}

/// Numbers near 0 take few bytes, whatever their sign: 0, -1, 1, -2 become 0, 1, 2, 3.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message::default();
        write(&mut message);
        message.0
    }

    /// The examples of the format's own description, and the ends of the ranges.
    #[test]
    fn numbers_are_varints() {
        assert_eq!(written(|m| m.unsigned(1, 150)), [0x08, 0x96, 0x01]);
        assert_eq!(written(|m| m.varint(0)), [0]);
        assert_eq!(written(|m| m.varint(127)), [0x7f]);
        assert_eq!(written(|m| m.varint(128)), [0x80, 0x01]);
        let most = [&[0xff; 9][..], &[0x01]].concat();
        assert_eq!(written(|m| m.varint(u64::MAX)), most);
        assert_eq!(written(|m| m.signed(16, -1))[2..], most);
        for (value, encoded) in [
            (0, 0),
            (-1, 1),
            (1, 2),
            (-2, 3),
            (i64::MAX, u64::MAX - 1),
            (i64::MIN, u64::MAX),
        ] {
            assert_eq!(zigzag(value), encoded);
        }
    }

    #[test]
    fn messages_stand_behind_their_length_however_long_it_is() {
        let testing = [0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g'];
        assert_eq!(written(|m| m.string(2, "testing")), testing);
        let inner = |m: &mut Message| m.unsigned(1, 150);
        assert_eq!(
            written(|m| m.message(3, inner)),
            [0x1a, 0x03, 0x08, 0x96, 0x01]
        );
        for len in [0, 1, 126, 127, 128, 16_382, 16_383, 16_384, 70_000] {
            let text = "x".repeat(len);
            let whole = written(|m| m.message(1, |m| m.message(2, |m| m.string(3, &text))));
            // The same, put together from the inside out.
            let string = written(|m| m.string(3, &text));
            let within = |field: u32, content: &[u8]| {
                let mut message = written(|m| {
                    m.key(field, WireType::LengthDelimited);
                    m.varint(content.len() as u64);
                });
                message.extend_from_slice(content);
                message
            };
            assert_eq!(whole, within(1, &within(2, &string)), "{len}");
        }
        assert_eq!(written(|m| m.zigzags(13, &[3, -2, 0])), [0x6a, 3, 6, 3, 0]);
        assert!(written(|m| m.zigzags(13, &[])).is_empty());
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn lengths_that_are_put_in_later_are_the_same() {
        for len in [0, 1, 120, 127, 128, 16_380, 16_384, 70_000] {
            let text = "x".repeat(len);
            let expected = written(|m| {
                m.message(1, |m| {
                    m.message(2, |m| m.string(3, &text));
                    m.unsigned(4, 1);
                    m.message(2, |m| m.message(5, |m| m.string(3, &text)));
                });
                m.message(1, |_| {});
            });
            let mut out = Message::default();
            let mut lengths = Lengths::default();
            let outer = lengths.begin(&mut out, 1);
            let first = lengths.begin(&mut out, 2);
            out.string(3, &text);
            lengths.end(&out, first);
            out.unsigned(4, 1);
            let second = lengths.begin(&mut out, 2);
            let within = lengths.begin(&mut out, 5);
            out.string(3, &text);
            lengths.end(&out, within);
            lengths.end(&out, second);
            lengths.end(&out, outer);
            let empty = lengths.begin(&mut out, 1);
            lengths.end(&out, empty);
            lengths.insert(&mut out);
            assert!(out.0 == expected, "{len}");
        }
    }
}
