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
    /// An event of a stream, under the name that its framing gives it; of an error where that says so.
    Event {
        name: &'a Short<MAX_KIND>,
        error: bool,
    },
    /// The end marker of OpenAI's streams.
    Marker,
    /// A JSON document: an event if it is part of a stream, the whole response else.
    Document { ndjson: bool, element: bool },
    /// JSON where no event is: only an error in it counts.
    Stray,
    /// The body ended, or the event is none after all.
    Dropped,
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
