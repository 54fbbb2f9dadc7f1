//! AWS's binary event stream, as Bedrock streams
//! ([encoding](https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html)): length-prefixed
//! messages of headers and a payload, between two checksums. The checksums are the client's to verify.

use crate::meter::event::MAX_KIND;
use crate::meter::framing::payload::Payload;
use crate::meter::reader::Reader;
use crate::meter::seam::{Close, EventEnd, Note};
use crate::meter::short::Short;
use crate::meter::steps;

/// Lengths and checksum before the headers.
const PRELUDE: u32 = 12;
/// Checksum behind the payload.
const TRAILER: u32 = 4;
/// Bedrock's messages are far smaller; anything larger is not an event stream.
const MAX_MESSAGE: u32 = 1 << 25;
/// The longest header name and value of interest, and then some.
const MAX_TEXT: usize = 48;

/// Cuts a body into the messages of an event stream.
#[derive(Debug)]
pub(crate) struct EventStream {
    at: At,
    /// Bytes left of the current part.
    left: u32,
    /// Big-endian number in the making.
    number: u32,
    headers_left: u32,
    payload_left: u32,
    text: [u8; MAX_TEXT],
    text_len: usize,
    name: Header,
    exception: bool,
    kind: Short<MAX_KIND>,
    payload: Payload,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    TotalLength,
    HeadersLength,
    PreludeChecksum,
    NameLength,
    Name,
    ValueType,
    ValueLength(bool),
    Value(bool),
    Payload,
    Checksum,
    Broken,
}

/// The headers of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    EventType,
    MessageType,
    Other,
}

impl EventStream {
    pub(crate) fn new() -> Self {
        Self {
            at: At::TotalLength,
            left: 4,
            number: 0,
            headers_left: 0,
            payload_left: 0,
            text: [0; MAX_TEXT],
            text_len: 0,
            name: Header::Other,
            exception: false,
            kind: Short::EMPTY,
            payload: Payload::new(),
        }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], reader: &mut Reader) {
        while !bytes.is_empty() && self.at != At::Broken {
            steps::add(1);
            let take = bytes
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let (part, rest) = bytes.split_at(take);
            self.take(part, reader);
            // `take` is at most `left`.
            #[allow(clippy::cast_possible_truncation)]
            let taken = take as u32;
            self.left -= taken;
            bytes = rest;
            while self.left == 0 && self.at != At::Broken {
                steps::add(1);
                self.next(reader);
            }
        }
    }

    fn take(&mut self, part: &[u8], reader: &mut Reader) {
        match self.at {
            At::Payload => {
                let whole = part.len() == usize::try_from(self.payload_left).unwrap_or(usize::MAX);
                self.payload.push(part, whole, reader);
            }
            At::Name | At::Value(true) => {
                for &byte in part {
                    if let Some(room) = self.text.get_mut(self.text_len) {
                        *room = byte;
                    }
                    self.text_len += 1;
                }
            }
            At::TotalLength
            | At::HeadersLength
            | At::NameLength
            | At::ValueType
            | At::ValueLength(_) => {
                for &byte in part {
                    self.number = (self.number << 8) | u32::from(byte);
                }
            }
            At::PreludeChecksum | At::Value(false) | At::Checksum | At::Broken => {}
        }
    }

    /// The current part is whole: what comes next?
    fn next(&mut self, reader: &mut Reader) {
        let number = std::mem::take(&mut self.number);
        match self.at {
            At::TotalLength => {
                if !(PRELUDE + TRAILER..=MAX_MESSAGE).contains(&number) {
                    return self.fail(reader);
                }
                self.payload_left = number - PRELUDE - TRAILER;
                self.expect(At::HeadersLength, 4);
            }
            At::HeadersLength => {
                let Some(payload) = self.payload_left.checked_sub(number) else {
                    return self.fail(reader);
                };
                self.payload_left = payload;
                self.headers_left = number;
                self.expect(At::PreludeChecksum, 4);
            }
            At::PreludeChecksum => {
                self.kind.clear();
                self.exception = false;
                self.header();
            }
            At::NameLength => self.header_part(At::Name, number, reader),
            At::Name => {
                self.name = match self.text() {
                    b":event-type" => Header::EventType,
                    b":message-type" => Header::MessageType,
                    _ => Header::Other,
                };
                self.header_part(At::ValueType, 1, reader);
            }
            At::ValueType => match number {
                // true, false
                0 | 1 => self.header(),
                // byte, short, integer, long, timestamp, UUID
                2 => self.header_part(At::Value(false), 1, reader),
                3 => self.header_part(At::Value(false), 2, reader),
                4 => self.header_part(At::Value(false), 4, reader),
                5 | 8 => self.header_part(At::Value(false), 8, reader),
                9 => self.header_part(At::Value(false), 16, reader),
                // bytes, string
                6 => self.header_part(At::ValueLength(false), 2, reader),
                7 => self.header_part(At::ValueLength(true), 2, reader),
                _ => self.fail(reader),
            },
            At::ValueLength(string) => self.header_part(At::Value(string), number, reader),
            At::Value(string) => {
                if string {
                    self.header_value(reader);
                }
                self.header();
            }
            At::Payload => self.expect(At::Checksum, TRAILER),
            At::Checksum => {
                self.dispatch(reader);
                self.expect(At::TotalLength, 4);
            }
            At::Broken => {}
        }
    }

    fn expect(&mut self, at: At, left: u32) {
        self.at = at;
        self.left = left;
        self.text_len = 0;
    }

    /// The next header, or the payload behind the last.
    fn header(&mut self) {
        if self.headers_left == 0 {
            self.expect(At::Payload, self.payload_left);
        } else {
            self.headers_left -= 1;
            self.expect(At::NameLength, 1);
        }
    }

    fn header_part(&mut self, at: At, len: u32, reader: &mut Reader) {
        match self.headers_left.checked_sub(len) {
            Some(left) => {
                self.headers_left = left;
                self.expect(at, len);
            }
            None => self.fail(reader),
        }
    }

    fn header_value(&mut self, reader: &mut Reader) {
        let text = self.text.get(..self.text_len).unwrap_or_default();
        match (self.name, text) {
            (Header::EventType, b"chunk") => {
                reader.note(Note::Invoke);
                self.payload.wrapped();
            }
            (Header::EventType, name) => self.kind.set(Some(name)),
            (Header::MessageType, b"exception" | b"error") => self.exception = true,
            _ => {}
        }
    }

    fn text(&self) -> &[u8] {
        self.text.get(..self.text_len).unwrap_or_default()
    }

    fn dispatch(&mut self, reader: &mut Reader) {
        self.payload.finish();
        reader.end(Close::Event(EventEnd {
            name: &self.kind,
            error: self.exception,
            text: None,
        }));
    }

    fn fail(&mut self, reader: &mut Reader) {
        self.at = At::Broken;
        reader.note(Note::Broken);
    }
}
