//! The words in which a framing speaks to the reader.

use super::event::MAX_KIND;
use super::short::Short;

/// How far the payload at hand has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Open,
    /// A JSON value is whole.
    Whole,
    /// No JSON value begins so.
    Broken,
}

/// How an event ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Close<'a> {
    /// An event of a stream.
    Event(EventEnd<'a>),
    /// The end marker of OpenAI's streams.
    Marker,
    /// A JSON document: an event if it is part of a stream, the whole response else.
    Document { ndjson: bool, element: bool },
    /// JSON where no event is: only an error in it counts.
    Stray,
    /// The body ended, or the event is none after all.
    Dropped,
}

/// An event of a stream, as it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventEnd<'a> {
    /// The name that its framing gives it.
    pub(crate) name: &'a Short<MAX_KIND>,
    /// The framing says that it is an error.
    pub(crate) error: bool,
    /// All of it, where that is at hand and others may come that are like it.
    pub(crate) text: Option<Text<'a>>,
}

/// An event as it came, with the lines around its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    pub(crate) event: &'a [u8],
    /// Where the payload is in it.
    pub(crate) payload: (usize, usize),
    /// It belongs to the event as well, and comes behind it.
    pub(crate) line_feed: bool,
}

/// What a framing sees of a body beside its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Bytes passed.
    Bytes,
    /// It is a stream, or not.
    Streaming(bool),
    /// It has no known form, or breaks the one it has.
    Broken,
    /// Its encoding is not read here.
    Unsupported,
    /// It reported an error outside of any event.
    Failed,
    /// Its payloads are not the service's own, but those of the model it runs.
    Invoke,
}
