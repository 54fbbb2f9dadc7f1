//! Server-sent events ([WHATWG HTML, 9.2](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

mod done;
mod draft;
mod field;

use done::Done;
use draft::Draft;
use field::{Field, MAX_NAME};
use memchr::memchr2;

use crate::meter::event::MAX_KIND;
use crate::meter::reader::Reader;
use crate::meter::seam::{Close, EventEnd, Note, Progress};
use crate::meter::short::Short;
use crate::meter::steps;

/// Cuts a body into server-sent events. Lines end in LF, CRLF or CR, at any split.
#[derive(Debug)]
pub(crate) struct Sse {
    at: At,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    name: Short<MAX_NAME>,
    event: Short<MAX_KIND>,
    /// `data` lines of the event so far.
    data_lines: u64,
    done: Done,
    draft: Draft,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    Name,
    /// Behind the colon: one space is dropped.
    Space(Field),
    Value(Field),
    /// In JSON outside of any field: this is how Google breaks off its streams with an error.
    Stray,
    StrayLine,
}

impl Sse {
    pub(crate) fn new() -> Self {
        Self {
            at: At::LineStart,
            after_cr: false,
            name: Short::EMPTY,
            event: Short::EMPTY,
            data_lines: 0,
            done: Done::NEW,
            draft: Draft::EMPTY,
        }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], reader: &mut Reader) {
        while let Some((&byte, behind)) = bytes.split_first() {
            if self.is_between() {
                if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                    bytes = behind;
                    continue;
                }
                bytes = reader.follow(bytes);
                if bytes.is_empty() {
                    return;
                }
                self.leave(reader);
            }
            bytes = self.read(bytes, reader);
        }
    }

    /// Whether nothing of an event has come that is still to be dispatched.
    #[inline]
    fn is_between(&self) -> bool {
        self.at == At::LineStart && self.data_lines == 0 && self.event.is_empty()
    }

    /// What comes now is read line by line: it has no shape that is known.
    fn leave(&mut self, reader: &mut Reader) {
        reader.leave(|mut bytes, reader| {
            while !bytes.is_empty() {
                bytes = self.read(bytes, reader);
            }
        });
    }

    /// Reads on, at most until nothing of an event is left; what follows then.
    fn read<'a>(&mut self, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        if self.is_between() {
            self.draft.clear();
        }
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            steps::add(1);
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                rest = behind;
                continue;
            }
            if self.at == At::LineStart && matches!(byte, b'\n' | b'\r') {
                self.after_cr = byte == b'\r';
                self.dispatch(&bytes[..bytes.len() - behind.len()], reader);
                rest = behind;
            } else {
                rest = self.field(byte, rest, reader);
            }
            if self.is_between() {
                return rest;
            }
        }
        if reader.is_settled() {
            self.draft.keep(bytes);
        } else {
            self.draft.spoil();
        }
        rest
    }

    /// Reads on in a line, which has this byte next.
    fn field<'a>(&mut self, byte: u8, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        match self.at {
            At::LineStart => self.line(bytes, reader),
            At::Name => self.field_name(bytes, reader),
            At::Space(field) => {
                self.at = At::Value(field);
                let fresh = self.data_lines == 1;
                let value = if byte == b' ' { &bytes[1..] } else { bytes };
                self.value(field, value, fresh, reader)
            }
            At::Value(field) => self.value(field, bytes, false, reader),
            // No JSON has these at the start of a line: a field begins after all.
            At::StrayLine if matches!(byte, b'd' | b'e' | b'i' | b'r' | b':') => {
                reader.end(Close::Dropped);
                self.at = At::LineStart;
                bytes
            }
            At::Stray | At::StrayLine => self.stray(bytes, reader),
        }
    }

    #[inline]
    fn line<'a>(&mut self, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        if let Some(value) = bytes.strip_prefix(b"data:") {
            self.at = At::Space(Field::Data);
            self.start_data(reader);
            return value;
        }
        let stray = matches!(bytes.first(), Some(b'{' | b'[')) && self.data_lines == 0;
        self.at = if stray { At::Stray } else { At::Name };
        self.name.clear();
        bytes
    }

    fn stray<'a>(&mut self, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        let end = memchr2(b'\n', b'\r', bytes).map_or(bytes.len(), |end| end + 1);
        steps::add(end);
        let (line, behind) = bytes.split_at(end);
        reader.payload(line, false);
        let ended = matches!(line.last(), Some(b'\n' | b'\r'));
        self.at = match (reader.progress(), ended) {
            (Progress::Open, true) => At::StrayLine,
            (Progress::Open, false) => At::Stray,
            (_, ended) => {
                reader.end(Close::Stray);
                if ended {
                    At::LineStart
                } else {
                    At::Value(Field::Other)
                }
            }
        };
        self.after_cr = line.last() == Some(&b'\r');
        behind
    }

    /// The body is over: a last event that no blank line closed is dispatched if it is whole.
    pub(crate) fn finish(&mut self, reader: &mut Reader) {
        self.leave(reader);
        self.draft.spoil();
        match self.at {
            At::LineStart => {}
            At::Name => self.end_name(reader),
            At::Space(_) | At::Value(_) => self.at = At::LineStart,
            At::Stray | At::StrayLine => reader.end(Close::Stray),
        }
        if self.done.is_whole() || reader.close() {
            self.dispatch(&[], reader);
        }
        self.data_lines = 0;
    }

    fn field_name<'a>(&mut self, bytes: &'a [u8], reader: &mut Reader) -> &'a [u8] {
        let end = bytes
            .iter()
            .position(|byte| matches!(byte, b':' | b'\n' | b'\r'));
        self.name.extend(&bytes[..end.unwrap_or(bytes.len())]);
        let Some(end) = end else { return &[] };
        if bytes[end] == b':' {
            let field = Field::named(&self.name);
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

    /// A line without a colon: a field with an empty value.
    fn end_name(&mut self, reader: &mut Reader) {
        match Field::named(&self.name) {
            Field::Data => self.start_data(reader),
            Field::Event => self.event.clear(),
            Field::Error | Field::Other => {}
        }
        self.at = At::LineStart;
    }

    fn start_data(&mut self, reader: &mut Reader) {
        if self.data_lines > 0 {
            self.done.take(b"\n");
            reader.payload(b"\n", false);
        }
        self.data_lines += 1;
    }

    /// More of a value; `fresh` says that it begins here.
    fn value<'a>(
        &mut self,
        field: Field,
        bytes: &'a [u8],
        fresh: bool,
        reader: &mut Reader,
    ) -> &'a [u8] {
        let end = match bytes {
            // Too little to set up a search for.
            [byte] => matches!(byte, b'\n' | b'\r').then_some(0),
            _ => memchr2(b'\n', b'\r', bytes),
        };
        let value = &bytes[..end.unwrap_or(bytes.len())];
        steps::add(value.len());
        match field {
            Field::Data => self.data(value, fresh && end.is_some(), reader),
            Field::Event => self.event.extend(value),
            // Not of the standard, but seen: the provider's last words.
            Field::Error if !value.is_empty() => reader.note(Note::Failed),
            Field::Error | Field::Other => {}
        }
        let Some(end) = end else { return &[] };
        self.end_line(bytes[end]);
        &bytes[end + 1..]
    }

    fn end_line(&mut self, byte: u8) {
        self.at = At::LineStart;
        self.after_cr = byte == b'\r';
    }

    /// More of the event's data; `whole` says that it is one line, and all here.
    fn data(&mut self, value: &[u8], whole: bool, reader: &mut Reader) {
        self.done.take(value);
        if whole {
            reader.line(value);
        } else {
            reader.payload(value, false);
        }
    }

    /// A blank line ends the event: `last` is what came of it in this chunk.
    fn dispatch(&mut self, last: &[u8], reader: &mut Reader) {
        if self.data_lines > 0 {
            let name = self.event.get();
            let error = name == Some(b"error");
            // It is only the default, and says nothing.
            if name == Some(b"message") {
                self.event.clear();
            }
            reader.end(if self.done.is_whole() {
                Close::Marker
            } else {
                let learnable = self.data_lines == 1 && reader.is_settled();
                let text = learnable.then(|| self.draft.end(last)).flatten();
                Close::Event(EventEnd {
                    name: &self.event,
                    error,
                    text,
                })
            });
        }
        self.event.clear();
        self.data_lines = 0;
        self.done = Done::NEW;
    }
}
