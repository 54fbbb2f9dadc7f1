//! Server-sent events ([WHATWG HTML, 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use memchr::memchr2;

use crate::meter::kind::Kind;
use crate::meter::reader::Reader;
use crate::meter::steps;

/// The longest field name of interest, and then some.
const MAX_NAME: usize = 8;
/// The longest event name of interest, and then some.
const MAX_EVENT: usize = 48;

const DONE: &[u8] = b"[DONE]";

/// Cuts a body into server-sent events. Lines end in LF, CRLF or CR, at any split.
#[derive(Debug)]
pub(crate) struct Sse {
    at: At,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    name: Short<MAX_NAME>,
    event: Short<MAX_EVENT>,
    /// `data` lines of the event so far.
    data_lines: u64,
    done: Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    Name,
    /// Behind the colon: one space is dropped.
    Space(Field),
    Value(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Data,
    Event,
    Error,
    Other,
}

/// Whether the event's data is the end marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Matched(usize),
    No,
}

impl Sse {
    pub(crate) fn new() -> Self {
        Self {
            at: At::LineStart,
            after_cr: false,
            name: Short::EMPTY,
            event: Short::EMPTY,
            data_lines: 0,
            done: Done::Matched(0),
        }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], reader: &mut Reader) {
        while let Some((&byte, behind)) = bytes.split_first() {
            steps::add(1);
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                bytes = behind;
                continue;
            }
            match self.at {
                At::LineStart if byte == b'\n' || byte == b'\r' => {
                    self.after_cr = byte == b'\r';
                    self.dispatch(reader);
                    bytes = behind;
                }
                At::LineStart => {
                    self.at = At::Name;
                    self.name.clear();
                    if let Some(value) = bytes.strip_prefix(b"data:") {
                        self.at = At::Space(Field::Data);
                        self.start_data(reader);
                        bytes = value;
                    }
                }
                At::Name => bytes = self.field_name(bytes, reader),
                At::Space(field) => {
                    self.at = At::Value(field);
                    if byte == b' ' {
                        bytes = behind;
                    }
                    if field == Field::Data {
                        bytes = self.whole_data(bytes, reader);
                    }
                }
                At::Value(field) => bytes = self.value(field, bytes, reader),
            }
        }
    }

    /// The body is over: a last event that no blank line closed is dispatched if it is whole.
    pub(crate) fn finish(&mut self, reader: &mut Reader) {
        match self.at {
            At::LineStart => {}
            At::Name => self.end_name(reader),
            At::Space(_) | At::Value(_) => self.at = At::LineStart,
        }
        if self.done == Done::Matched(DONE.len()) || reader.finish_value() {
            self.dispatch(reader);
        }
        self.data_lines = 0;
        reader.reset();
    }

    fn field_name<'a>(&mut self, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        let end = bytes
            .iter()
            .position(|byte| matches!(byte, b':' | b'\n' | b'\r'));
        self.name.extend(&bytes[..end.unwrap_or(bytes.len())]);
        let Some(end) = end else { return &[] };
        if bytes[end] == b':' {
            let field = self.field();
            self.at = At::Space(field);
            if field == Field::Data {
                self.start_data(reader);
            } else if field == Field::Event {
                self.event.clear();
            }
        } else {
            self.end_name(reader);
            self.after_cr = bytes[end] == b'\r';
        }
        &bytes[end + 1..]
    }

    fn field(&self) -> Field {
        match self.name.get() {
            Some(b"data") => Field::Data,
            Some(b"event") => Field::Event,
            Some(b"error") => Field::Error,
            _ => Field::Other,
        }
    }

    /// A line without a colon: a field with an empty value.
    fn end_name(&mut self, reader: &mut Reader) {
        match self.field() {
            Field::Data => self.start_data(reader),
            Field::Event => self.event.clear(),
            Field::Error | Field::Other => {}
        }
        self.at = At::LineStart;
    }

    fn start_data(&mut self, reader: &mut Reader) {
        if self.data_lines > 0 {
            self.data(b"\n", reader);
        }
        self.data_lines += 1;
    }

    /// The fast path: a value that is all here.
    fn whole_data<'a>(&mut self, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        let Some(end) = memchr2(b'\n', b'\r', bytes) else {
            return bytes;
        };
        steps::add(end);
        let value = &bytes[..end];
        self.match_done(value);
        reader.whole_data(value);
        self.end_line(bytes[end]);
        &bytes[end + 1..]
    }

    fn value<'a>(&mut self, field: Field, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        let end = memchr2(b'\n', b'\r', bytes);
        let value = &bytes[..end.unwrap_or(bytes.len())];
        steps::add(value.len());
        match field {
            Field::Data => self.data(value, reader),
            Field::Event => self.event.extend(value),
            // Not of the standard, but seen: the provider's last words.
            Field::Error => reader.facts_mut().error |= !value.is_empty(),
            Field::Other => {}
        }
        let Some(end) = end else { return &[] };
        self.end_line(bytes[end]);
        &bytes[end + 1..]
    }

    fn end_line(&mut self, byte: u8) {
        self.at = At::LineStart;
        self.after_cr = byte == b'\r';
    }

    fn match_done(&mut self, value: &[u8]) {
        if let Done::Matched(matched) = self.done {
            self.done = match_done(matched, value);
        }
    }

    fn data(&mut self, value: &[u8], reader: &mut Reader) {
        self.match_done(value);
        reader.data(value);
    }

    fn dispatch(&mut self, reader: &mut Reader) {
        if self.data_lines > 0 {
            reader.name(self.event.get().map_or(Kind::Absent, event_kind));
            if self.done == Done::Matched(DONE.len()) {
                reader.end_marker();
            } else {
                reader.end_event();
            }
        }
        self.event.clear();
        self.data_lines = 0;
        self.done = Done::Matched(0);
    }
}

/// `message` is only the default name, and says nothing; Bedrock's names belong to another framing.
fn event_kind(name: &[u8]) -> Kind {
    match Kind::of(name) {
        Kind::Message | Kind::Converse | Kind::ConverseStop | Kind::Unknown => Kind::Absent,
        kind => kind,
    }
}

/// Matches on; white space behind the marker does no harm.
fn match_done(mut matched: usize, value: &[u8]) -> Done {
    for &byte in value {
        if DONE.get(matched) == Some(&byte) {
            matched += 1;
        } else if matched < DONE.len() || !matches!(byte, b' ' | b'\t' | b'\n') {
            return Done::No;
        }
    }
    Done::Matched(matched)
}

/// A string that is of no interest if it is long.
#[derive(Clone, Copy, Debug)]
struct Short<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Short<N> {
    const EMPTY: Self = Self {
        bytes: [0; N],
        len: 0,
    };

    fn clear(&mut self) {
        self.len = 0;
    }

    fn extend(&mut self, more: &[u8]) {
        let end = self.len.saturating_add(more.len());
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(more);
        }
        // Past the end from here on: too long to be of interest.
        self.len = end;
    }

    fn get(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len)
    }
}
