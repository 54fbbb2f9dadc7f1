//! A body, decompressed: which framing it has, and what the framing finds.

use super::facts::Facts;
use super::framing::{EventStream, Sse, Values};
use super::json::is_space;
use super::reader::Reader;
use super::seam::Note;

/// What a content type promises. Content has the last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    Sse,
    EventStream,
    Json,
    Ndjson,
    /// Audio, images: content of another kind is an error, or a mistake.
    Media,
    Nothing,
}

impl Promise {
    pub(crate) fn of(content_type: Option<&str>) -> Self {
        match content_type {
            // As almost all write them.
            Some("application/json") => Self::Json,
            Some("text/event-stream") => Self::Sse,
            None => Self::Nothing,
            Some(_) => Self::of_any(content_type),
        }
    }

    /// What is known of a body of which no byte came.
    pub(crate) const fn unread(self) -> &'static Facts {
        const STREAM: Facts = Facts {
            streaming: true,
            ..Facts::NONE
        };
        const MEDIA: Facts = Facts {
            media: true,
            ..Facts::NONE
        };
        match self {
            Self::Sse | Self::EventStream | Self::Ndjson => &STREAM,
            Self::Media => &MEDIA,
            Self::Json | Self::Nothing => &Facts::NONE,
        }
    }

    /// Parameters are of no interest (RFC 9110, section 8.3.1).
    fn of_any(content_type: Option<&str>) -> Self {
        let essence = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is("text/event-stream") {
            Self::Sse
        } else if is("application/vnd.amazon.eventstream") {
            Self::EventStream
        } else if [
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
            "application/stream+json",
        ]
        .into_iter()
        .any(is)
        {
            Self::Ndjson
        } else if is("application/json") {
            Self::Json
        } else if is("application/octet-stream")
            || ["audio/", "image/", "video/"]
                .into_iter()
                .any(|kind| starts_with(essence, kind))
        {
            Self::Media
        } else {
            Self::Nothing
        }
    }
}

fn starts_with(essence: &str, kind: &str) -> bool {
    let start = essence.get(..kind.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(kind))
}

/// Reads a body as it comes.
#[derive(Debug)]
pub(crate) struct Body {
    framing: Framing,
    reader: Reader,
}

#[derive(Debug)]
enum Framing {
    /// Nothing but white space yet, and this much of a byte order mark.
    Unknown(Promise, usize),
    Sse(Sse),
    Values(Values),
    /// Large, and rare.
    EventStream(Box<EventStream>),
    /// No known form.
    Opaque,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Body {
    #[inline(always)]
    pub(crate) fn new(promise: Promise) -> Self {
        let framing = match promise {
            Promise::EventStream => Framing::EventStream(Box::new(EventStream::new())),
            promise => Framing::Unknown(promise, 0),
        };
        let reader = Reader::new(promise.unread());
        Self { framing, reader }
    }

    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let Self { framing, reader } = self;
        match framing {
            Framing::Sse(sse) => sse.push(bytes, reader),
            Framing::Values(values) => values.push(bytes, reader),
            Framing::EventStream(messages) => messages.push(bytes, reader),
            Framing::Unknown(..) => self.begin(bytes),
            Framing::Opaque => {}
        }
    }

    /// The first bytes: finds out which framing they have.
    #[cold]
    fn begin(&mut self, bytes: &[u8]) {
        let Self { framing, reader } = self;
        let mut rest = bytes;
        while let Framing::Unknown(promise, mark) = framing {
            let Some((&byte, behind)) = rest.split_first() else {
                return;
            };
            reader.note(Note::Bytes);
            let (promise, marked) = (*promise, *mark);
            if BYTE_ORDER_MARK.get(marked) == Some(&byte) {
                *mark += 1;
                rest = behind;
            } else if matches!(marked, 1 | 2) {
                *framing = Framing::Opaque;
                reader.note(Note::Broken);
            } else if is_space(byte) {
                *mark = BYTE_ORDER_MARK.len();
                rest = behind;
            } else {
                *framing = recognise(promise, byte, reader);
            }
        }
        self.push(rest);
    }

    pub(crate) fn finish(&mut self) {
        match &mut self.framing {
            Framing::Sse(sse) => sse.finish(&mut self.reader),
            Framing::Values(values) => values.finish(&mut self.reader),
            Framing::Unknown(..) | Framing::EventStream(_) | Framing::Opaque => {}
        }
    }

    /// No more can be read: its encoding is not supported, or it is broken.
    pub(crate) fn give_up(&mut self, unsupported: bool) {
        self.reader.note(if unsupported {
            Note::Unsupported
        } else {
            Note::Broken
        });
    }

    pub(crate) fn facts(&self) -> &Facts {
        self.reader.facts()
    }
}

/// The framing, by the first byte that is not white space.
fn recognise(promise: Promise, first: u8, reader: &mut Reader) -> Framing {
    let json = matches!(first, b'{' | b'[');
    let ndjson = promise == Promise::Ndjson;
    // `data`, `event`, `id`, `retry`, or a comment.
    let field = matches!(first, b'd' | b'e' | b'i' | b'r' | b':');
    reader.note(Note::Streaming(ndjson));
    match promise {
        // The first message will have to show it.
        Promise::Nothing if first == 0 => Framing::EventStream(Box::new(EventStream::new())),
        _ if json => Framing::Values(Values::new(ndjson)),
        Promise::Json | Promise::Ndjson if !field => Framing::Values(Values::new(ndjson)),
        Promise::Nothing | Promise::Media if !field => {
            reader.note(Note::Broken);
            Framing::Opaque
        }
        _ => {
            // Unless it is promised, the first event will have to show it.
            reader.note(Note::Streaming(promise == Promise::Sse));
            Framing::Sse(Sse::new())
        }
    }
}
