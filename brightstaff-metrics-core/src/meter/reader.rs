//! Events in, facts out: what a framing finds is scanned as it comes and judged when it is whole.
//!
//! This is all that a framing says: [`note`](Reader::note) what the body is like, hand on the
//! [`payload`](Reader::payload) of an event in pieces of any size, and [`end`](Reader::end) it.

mod follow;
mod judge;

use super::apis::Api;
use super::calls::Tally;
use super::choices::Choices;
use super::event::{Event, MAX_KIND};
use super::facts::Facts;
use super::json::{Scanner, Shape, Trace};
use super::places::Node;
use super::said::Said;
use super::seam::{Close, EventEnd, Note, Progress};
use super::seen::Seen;
use super::short::Short;
use super::spec::Verdict;
use super::usage::Counts;

/// Reads the events of one response.
#[derive(Debug)]
pub(crate) struct Reader {
    facts: Facts,
    scanner: Scanner<Node>,
    event: Event,
    /// What is spoken inside the events; differs from the API where Bedrock wraps a family's own events.
    family: Option<Api>,
    /// The API was only guessed.
    guessed: bool,
    /// All events are a Bedrock model's own.
    invoke: bool,
    counts: Counts,
    choices: Choices,
    calls: Tally,
    /// The protocol's end passed; a choice finished.
    ended: bool,
    finished: bool,
    /// The last event that said nothing new, and the name that its framing gave it.
    shape: Shape,
    plain: Option<Short<MAX_KIND>>,
    /// How far the bytes at hand are an event of that shape.
    trace: Trace,
    /// The event at hand is one, as far as is known yet.
    learned: bool,
    /// The event at hand has that shape, and was not scanned.
    skimmed: bool,
    /// The only event of a document that may yet prove to be a stream.
    held: Option<Verdict>,
}

impl Reader {
    /// As it stands before the first event: copied as a whole, where setting each part would take several copies.
    const NEW: Self = Self {
        facts: Facts::NONE,
        scanner: Scanner::new(Node::ROOT),
        event: Event::NONE,
        family: None,
        guessed: true,
        invoke: false,
        counts: Counts::NONE,
        choices: Choices::NONE,
        calls: Tally::NONE,
        ended: false,
        finished: false,
        shape: Shape::NONE,
        plain: None,
        trace: Trace::START,
        learned: false,
        skimmed: false,
        held: None,
    };

    /// `unread`: what is known before the first byte.
    #[inline(always)]
    pub(crate) fn new(unread: &Facts) -> Self {
        let mut reader = Self::NEW;
        reader.facts.streaming = unread.streaming;
        reader.facts.media = unread.media;
        reader
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn note(&mut self, note: Note) {
        let facts = &mut self.facts;
        match note {
            Note::Bytes => facts.any = true,
            Note::Streaming(streaming) => facts.streaming = streaming,
            Note::Broken => facts.broken = true,
            Note::Unsupported => facts.unsupported_encoding = true,
            Note::Failed => facts.error = true,
            Note::Invoke => self.invoke = true,
        }
    }

    /// More of the event's payload; gives back what follows the JSON value in it. `whole` says that it is all
    /// of the payload: behind the first token, most of those need no scan.
    #[inline]
    pub(crate) fn payload<'a>(&mut self, bytes: &'a [u8], whole: bool) -> &'a [u8] {
        if self.skimmed {
            return bytes;
        }
        if !(whole && self.scanner.is_blank()) {
            return self.scanner.push(bytes, &mut self.event);
        }
        if self.shape.fits(bytes) {
            self.skimmed = true;
            return &[];
        }
        let rest = self.scanner.push(bytes, &mut self.event);
        if self.is_settled() && self.scanner.is_done() && !self.event.seen(Seen::NEWS) {
            let document = &bytes[..bytes.len() - rest.len()];
            self.shape.learn(document, 0..document.len(), false);
            self.learned = true;
        }
        rest
    }

    /// A line that is all of the event's payload, unless another follows. The whole event is what will be learned.
    pub(crate) fn line(&mut self, bytes: &[u8]) {
        if self.scanner.is_blank() && self.shape.fits(bytes) {
            self.skimmed = true;
        } else {
            self.payload(bytes, false);
        }
    }

    /// Whether events may be learned: what an event says no longer depends on those before it.
    pub(crate) fn is_settled(&self) -> bool {
        self.facts.first_token_event.is_some() && !self.guessed
    }

    pub(crate) fn progress(&self) -> Progress {
        if self.skimmed || self.scanner.is_done() {
            Progress::Whole
        } else if self.scanner.is_broken() {
            Progress::Broken
        } else {
            Progress::Open
        }
    }

    /// The payload is over; whether it was one whole value.
    pub(crate) fn close(&mut self) -> bool {
        if !self.skimmed {
            self.scanner.finish(&mut self.event);
        }
        self.skimmed || self.scanner.is_done()
    }

    /// The event at hand ends.
    #[inline]
    pub(crate) fn end(&mut self, close: Close<'_>) {
        if self.skimmed && self.is_plain(&close) {
            // Nothing was scanned, so nothing is to be cleared.
            self.facts.streaming = true;
            self.facts.events += 1;
            self.skimmed = false;
            return;
        }
        match close {
            Close::Event(event) => return self.end_event(event),
            Close::Document { ndjson, element } => self.end_document(ndjson, element),
            Close::Marker => {
                self.facts.streaming = true;
                self.facts.recognised = true;
                self.record(Verdict {
                    end: true,
                    ..Verdict::default()
                });
            }
            Close::Stray => {
                if self.close() {
                    self.event.close();
                    let said = Said {
                        event: &self.event,
                        api: self.family,
                    };
                    self.facts.error |= super::failure::is_error(&said);
                }
            }
            Close::Dropped => self.facts.broken |= !self.facts.streaming,
        }
        self.reset();
    }

    /// Whether it says of a skimmed event what was said of the one that it is like.
    #[inline]
    fn is_plain(&self, close: &Close<'_>) -> bool {
        match close {
            Close::Event(event) => {
                let plain = self.plain.as_ref();
                !event.error && plain == Some(event.name)
            }
            Close::Document { .. } => true,
            _ => false,
        }
    }

    // Inlined, its frame would be set up for every event that is only compared: a tenth of what those cost.
    #[inline(never)]
    fn end_event(&mut self, event: EventEnd<'_>) {
        let EventEnd { name, error, text } = event;
        self.facts.streaming = true;
        if std::mem::take(&mut self.skimmed) {
            // It is called otherwise than the one that it is like.
            let Self {
                shape,
                scanner,
                event,
                ..
            } = self;
            shape.tell(|bytes| {
                scanner.push(bytes, event);
            });
        }
        let blank = self.scanner.is_blank();
        let mut verdict = if self.close() {
            if let Some(text) = text {
                self.learn(text);
            }
            self.judge(name)
        } else {
            self.facts.broken |= !blank;
            Verdict::default()
        };
        if error {
            verdict.error = true;
            self.shape.forget();
        }
        self.record(verdict);
        self.reset();
    }

    // As above.
    #[inline(never)]
    fn end_document(&mut self, ndjson: bool, element: bool) {
        if self.scanner.is_broken() {
            self.facts.broken = true;
            if self.facts.streaming && !element {
                self.record(Verdict::default());
            }
            return;
        }
        if self.held.is_some() {
            // It was not the whole response after all.
            self.facts.usage_final = false;
        }
        let verdict = self.judge(&Short::EMPTY);
        let only = self.facts.events == 0 && self.held.is_none();
        let spec = self.family.map(Api::spec);
        let said = Said {
            event: &self.event,
            api: self.family,
        };
        let stream = match spec {
            // Of all arrays only Gemini's is a stream, and one that reports an error in its place.
            Some(spec) if element && spec.arrays => true,
            None if element && only => verdict.error,
            _ if element => self.facts.streaming,
            _ if !only => true,
            Some(spec) => (spec.goes_on)(&said).unwrap_or(ndjson),
            None => ndjson,
        };
        if stream {
            self.facts.streaming = true;
            if let Some(first) = self.held.take() {
                self.record(first);
            }
            self.record(verdict);
        } else {
            self.facts.streaming = false;
            self.facts.error |= verdict.error;
            self.facts.usage_final = self.counts.any_or_metrics();
            self.held = Some(verdict);
        }
    }

    /// Makes ready for the next event.
    fn reset(&mut self) {
        self.scanner.reset(Node::ROOT);
        self.event.clear();
        self.learned = false;
        self.skimmed = false;
    }
}

#[cfg(test)]
mod tests;
