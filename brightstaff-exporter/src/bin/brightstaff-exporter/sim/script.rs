//! A response, written down before it is played: frames of bytes, and what each of them brings.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{
    behaviour::{Behaviour, Fault, Packing},
    call::{Marks, Usage},
};

/// A response, ready to be played.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// A header of this API alone.
    pub(super) header: Option<(&'static str, String)>,
    pub(super) streamed: bool,
    pub(super) frames: Vec<Frame>,
    pub(super) tail: Tail,
}

/// The media types of bodies.
pub(super) mod media {
    pub(in crate::sim) const JSON: &str = "application/json";
    pub(in crate::sim) const SSE: &str = "text/event-stream; charset=utf-8";
    pub(in crate::sim) const NDJSON: &str = "application/x-ndjson";
    pub(in crate::sim) const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
    pub(in crate::sim) const AUDIO: &str = "audio/mpeg";
    pub(in crate::sim) const BYTES: &str = "application/octet-stream";
    pub(in crate::sim) const TEXT: &str = "text/plain; charset=utf-8";
}

/// One chunk of a body.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    /// How long to wait before it.
    pub(super) wait: Duration,
    pub(super) bytes: Bytes,
    /// Completes an event with this many generated tokens.
    pub(super) tokens: u64,
    /// Completes the event that is the protocol's end.
    pub(super) terminal: bool,
    /// Completes a report of tokens.
    pub(super) usage: Option<Usage>,
    /// Whether that report is the last one.
    pub(super) settled: bool,
}

/// What comes after the last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// The end of the body, which is `error` if the stream told of one.
    End { error: bool },
    /// The connection breaks.
    Cut,
    /// Nothing, until the caller goes away.
    Hold,
}

impl Frame {
    /// A server-sent event without a name.
    pub(super) fn data(data: &Value) -> Self {
        Self::text(format!("data: {data}\n\n"))
    }

    /// A server-sent event.
    pub(super) fn event(name: &str, data: &Value) -> Self {
        Self::text(format!("event: {name}\ndata: {data}\n\n"))
    }

    /// A line of newline-delimited JSON.
    pub(super) fn line(data: &Value) -> Self {
        Self::text(format!("{data}\n"))
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::bytes(text.into())
    }

    pub(super) fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            ..Self::default()
        }
    }

    pub(super) fn tokens(self, tokens: u64) -> Self {
        Self { tokens, ..self }
    }

    pub(super) fn terminal(self) -> Self {
        Self {
            terminal: true,
            ..self
        }
    }

    pub(super) fn reports(self, usage: Usage) -> Self {
        Self {
            usage: Some(usage),
            ..self
        }
    }

    pub(super) fn settles(self, usage: Usage) -> Self {
        Self {
            settled: true,
            ..self.reports(usage)
        }
    }
}

impl Script {
    /// A response that is no success.
    pub(super) fn refusal(status: u16, error: &Value) -> Self {
        Self {
            status,
            ..Self::of(media::JSON, Frame::text(error.to_string()))
        }
    }

    /// What is no call to a model: a document, without a plan.
    pub(super) fn document(document: &Value) -> Self {
        Self::of(media::JSON, Frame::text(document.to_string()))
    }

    /// A whole body of this type.
    pub(super) fn of(content_type: &'static str, body: Frame) -> Self {
        Self {
            status: 200,
            content_type,
            header: None,
            streamed: false,
            frames: vec![body],
            tail: Tail::End { error: false },
        }
    }

    /// The same, of another type.
    pub(super) fn typed(self, content_type: &'static str) -> Self {
        Self {
            content_type,
            ..self
        }
    }

    /// The same, with this header.
    pub(super) fn header(self, name: &'static str, value: String) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }

    /// A whole JSON document.
    pub(super) fn whole(document: &Value, usage: Option<Usage>, fault: Option<Fault>) -> Self {
        let text = document.to_string();
        let frame = Frame::text(text.clone());
        let tail = match fault {
            Some(Fault::Cut(_)) => Tail::Cut,
            Some(Fault::HoldBody(_)) => Tail::Hold,
            _ => Tail::End { error: false },
        };
        let frame = match (tail, usage) {
            (Tail::End { .. }, Some(usage)) => frame.settles(usage),
            (Tail::End { .. }, None) => frame,
            // What is sent stops short of the usage.
            (Tail::Cut | Tail::Hold, _) => {
                let usage = text.find("\"usage\"").unwrap_or(text.len());
                Frame::text(&text[..usage.min(text.len() / 2)])
            }
        };
        Self {
            tail,
            ..Self::of(media::JSON, frame)
        }
    }

    /// A stream of events. `error` is what it says if it is to tell of an error.
    pub(super) fn stream(events: Vec<Frame>, behaviour: &Behaviour, error: Frame) -> Self {
        let mut frames = pace(events, behaviour);
        let tail = match behaviour.fault {
            None | Some(Fault::HoldHead) => Tail::End { error: false },
            Some(Fault::Cut(after)) => stop(&mut frames, after, Tail::Cut),
            Some(Fault::HoldBody(after)) => stop(&mut frames, after, Tail::Hold),
            Some(Fault::EarlyEnd(after)) => stop(&mut frames, after, Tail::End { error: false }),
            Some(Fault::ErrorEvent(after)) => {
                let tail = stop(&mut frames, after, Tail::End { error: true });
                frames.push(error);
                tail
            }
        };
        Self {
            status: 200,
            content_type: media::SSE,
            header: None,
            streamed: true,
            frames: pack(frames, behaviour.packing),
            tail,
        }
    }

    /// Where in the body its instants are, for those who see nothing but bytes.
    pub(super) fn marks(&self) -> Marks {
        let ends = self.frames.iter().scan(0, |sum, frame| {
            *sum += frame.bytes.len() as u64;
            Some((frame, *sum))
        });
        let first =
            |has: fn(&Frame) -> bool| ends.clone().find(|(f, _)| has(f)).map(|(_, end)| end);
        Marks {
            first_token: first(|frame| frame.tokens > 0),
            terminal: first(|frame| frame.terminal),
            sent: ends.clone().last().map_or(0, |(_, end)| end),
        }
    }
}

/// Waits for the first token, and between any two.
fn pace(mut events: Vec<Frame>, behaviour: &Behaviour) -> Vec<Frame> {
    let mut wait = behaviour.first_token;
    for event in events.iter_mut().filter(|event| event.tokens > 0) {
        event.wait = wait;
        wait = behaviour.token;
    }
    events
}

/// Ends a stream after so many tokens.
fn stop(frames: &mut Vec<Frame>, after: u64, tail: Tail) -> Tail {
    let mut tokens = 0;
    let last = frames.iter().position(|frame| {
        tokens += frame.tokens;
        tokens >= after
    });
    frames.truncate(last.map_or(frames.len(), |last| last + 1));
    tail
}

fn pack(frames: Vec<Frame>, packing: Packing) -> Vec<Frame> {
    match packing {
        Packing::Plain => frames,
        Packing::Glued => {
            let first = frames.iter().position(|frame| frame.tokens > 0);
            let mut rest = frames;
            let after = rest.split_off(first.map_or(0, |first| first + 1));
            let glued = rest.into_iter().reduce(glue);
            glued.into_iter().chain(after).collect()
        }
        Packing::Split => frames.into_iter().flat_map(split).collect(),
    }
}

fn glue(first: Frame, second: Frame) -> Frame {
    Frame {
        wait: first.wait + second.wait,
        bytes: [first.bytes, second.bytes].concat().into(),
        tokens: first.tokens + second.tokens,
        terminal: first.terminal || second.terminal,
        usage: match (first.usage, second.usage) {
            (Some(first), Some(second)) => Some(first.replaced_by(second)),
            (first, second) => second.or(first),
        },
        settled: first.settled || second.settled,
    }
}

/// The event is complete only with its second half.
fn split(frame: Frame) -> Vec<Frame> {
    if frame.tokens == 0 {
        return vec![frame];
    }
    let mut rest = frame.bytes.clone();
    let half = Frame {
        wait: frame.wait,
        bytes: rest.split_to(rest.len() / 2),
        ..Frame::default()
    };
    let second = Frame {
        wait: Duration::ZERO,
        bytes: rest,
        ..frame
    };
    vec![half, second]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<Frame> {
        vec![
            Frame::text("role"),
            Frame::text("one!").tokens(1),
            Frame::text("two!").tokens(1),
            Frame::text("done").terminal(),
        ]
    }

    fn script(fault: Option<Fault>, packing: Packing) -> Script {
        let behaviour = Behaviour {
            fault,
            packing,
            ..Behaviour::default()
        };
        Script::stream(events(), &behaviour, Frame::text("error"))
    }

    fn texts(script: &Script) -> Vec<&str> {
        script
            .frames
            .iter()
            .map(|frame| std::str::from_utf8(&frame.bytes).unwrap())
            .collect()
    }

    #[test]
    fn faults_stop_after_their_token() {
        let cut = script(Some(Fault::Cut(1)), Packing::Plain);
        assert_eq!(texts(&cut), ["role", "one!"]);
        assert_eq!(cut.tail, Tail::Cut);
        let error = script(Some(Fault::ErrorEvent(2)), Packing::Plain);
        assert_eq!(texts(&error), ["role", "one!", "two!", "error"]);
        assert_eq!(error.tail, Tail::End { error: true });
    }

    #[test]
    fn marks_are_where_an_event_is_complete() {
        for (packing, chunks, first) in [
            (Packing::Plain, 4, 8),
            (Packing::Glued, 3, 8),
            (Packing::Split, 6, 8),
        ] {
            let script = script(None, packing);
            assert_eq!(script.frames.len(), chunks, "{packing:?}");
            let marks = script.marks();
            assert_eq!(marks.first_token, Some(first), "{packing:?}");
            assert_eq!((marks.terminal, marks.sent), (Some(16), 16));
        }
    }

    #[test]
    fn a_broken_document_has_no_usage() {
        let document = serde_json::json!({"a": "text", "usage": {"prompt_tokens": 3}});
        let script = Script::whole(&document, Some(Usage::default()), Some(Fault::Cut(0)));
        assert!(!texts(&script)[0].contains("usage"));
        assert!(script.frames[0].usage.is_none());
    }
}
