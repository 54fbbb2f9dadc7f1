//! Events in, facts out: what a framing finds is scanned as it comes and judged when it is whole.

use super::api::{self, Verdict};
use super::captures::{Captures, Seen};
use super::facts::{Api, Facts};
use super::json::{Scanner, Shape};
use super::kind::Kind;
use super::schema::Node;
use super::usage::Counts;

/// What no event may hold that says nothing new.
const NEWS: Seen = Seen::USAGE.and(Seen::FINISH).and(Seen::ERROR);

/// Reads the events of one answer.
#[derive(Debug)]
pub(crate) struct Reader {
    facts: Facts,
    scanner: Scanner<Node>,
    event: Captures,
    /// The type that the framing gives the event.
    name: Kind,
    /// What is spoken inside the events; differs from the API where Bedrock wraps a family's own events.
    family: Option<Api>,
    /// The API was only guessed.
    guessed: bool,
    /// All events are a Bedrock model's own.
    invoke: bool,
    counts: Counts,
    /// The events' end, or an error, was seen.
    ended: bool,
    /// The last event that said nothing new, and what it was.
    shape: Shape,
    plain: Plain,
    /// That is the event at hand, as far as is known yet.
    learned: bool,
    /// The event at hand has that shape, and was not scanned.
    skimmed: bool,
    /// The only event of a document that may yet prove to be a stream.
    held: Option<Verdict>,
}

/// What an event was that said nothing new.
#[derive(Clone, Copy, Debug)]
struct Plain {
    name: Kind,
    kind: Kind,
    seen: Seen,
}

impl Reader {
    pub(crate) fn new(streaming: bool) -> Self {
        Self {
            facts: Facts {
                streaming,
                ..Facts::NONE
            },
            scanner: Scanner::new(Node::Root),
            event: Captures::NONE,
            name: Kind::Absent,
            family: None,
            guessed: true,
            invoke: false,
            counts: Counts::NONE,
            ended: false,
            shape: Shape::NONE,
            plain: Plain {
                name: Kind::Absent,
                kind: Kind::Absent,
                seen: Seen::NONE,
            },
            learned: false,
            skimmed: false,
            held: None,
        }
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// The framing's own name for the event at hand.
    pub(crate) fn name(&mut self, name: Kind) {
        self.name = name;
    }

    /// The payload is not the service's own, but that of the model it runs.
    pub(crate) fn invoke(&mut self) {
        self.invoke = true;
    }

    /// More of the event's payload; gives back what follows the JSON value in it.
    pub(crate) fn data<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if self.skimmed {
            return bytes;
        }
        self.scanner.push(bytes, &mut self.event)
    }

    /// The whole payload of an event, at once: as [`Reader::data`], but fast behind the first token.
    pub(crate) fn whole_data(&mut self, bytes: &[u8]) {
        if self.scanner.is_blank() && !self.skimmed && self.shape.fits(bytes) {
            self.skimmed = true;
        } else {
            let blank = self.scanner.is_blank();
            self.data(bytes);
            if blank && self.scanner.is_done() {
                self.learn(bytes);
            }
        }
    }

    /// Whether events may say nothing new: the first token came, and the API is known.
    pub(crate) fn is_settled(&self) -> bool {
        self.facts.first_token_event.is_some() && !self.guessed
    }

    /// A whole document, at once; whether it says nothing new, and is done with.
    pub(crate) fn skim(&mut self, bytes: &[u8]) -> bool {
        let fits = self.shape.fits(bytes);
        self.facts.events += u64::from(fits);
        fits
    }

    /// The scanned event may be one that says nothing new.
    pub(crate) fn learn(&mut self, event: &[u8]) {
        if self.is_settled() && !self.event.seen.any(NEWS) {
            self.shape.learn(event);
            self.learned = true;
        }
    }

    pub(crate) fn is_value_done(&self) -> bool {
        self.scanner.is_done()
    }

    pub(crate) fn is_value_broken(&self) -> bool {
        self.scanner.is_broken()
    }

    /// The payload is over; whether it was one whole value.
    pub(crate) fn finish_value(&mut self) -> bool {
        if !self.skimmed {
            self.scanner.finish(&mut self.event);
        }
        self.skimmed || self.scanner.is_done()
    }

    /// The event is whole.
    pub(crate) fn end_event(&mut self) {
        self.facts.streaming = true;
        let blank = self.scanner.is_blank();
        if self.skimmed {
            if self.name == self.plain.name {
                self.facts.events += 1;
                self.skimmed = false;
                return;
            }
            self.event.kind = self.plain.kind;
            self.event.seen = self.plain.seen;
        }
        let verdict = if self.finish_value() {
            self.judge()
        } else {
            self.facts.broken |= !blank;
            Verdict {
                error: self.name == Kind::Error,
                ..Verdict::default()
            }
        };
        self.record(verdict);
        self.reset();
    }

    /// The event is the end marker of OpenAI's streams.
    pub(crate) fn end_marker(&mut self) {
        self.facts.streaming = true;
        self.facts.recognised = true;
        self.record(Verdict {
            terminal: true,
            ..Verdict::default()
        });
        self.reset();
    }

    /// A document is whole: an event if it is part of a stream, the whole answer else.
    pub(crate) fn end_document(&mut self, ndjson: bool, element: bool) {
        if self.held.is_some() {
            // It was not the whole answer after all.
            self.facts.usage_final = false;
        }
        let verdict = self.judge();
        let only = self.facts.events == 0 && self.held.is_none();
        let seen = self.event.seen;
        let stream = match self.family {
            // Of all arrays only Gemini's is a stream, and one that tells of an error in its place.
            Some(Api::GeminiGenerate) if element => true,
            None if element && only => seen.any(Seen::ERROR),
            _ if element => self.facts.streaming,
            _ if !only => true,
            Some(Api::OllamaChat | Api::OllamaGenerate) => seen.any(Seen::NOT_DONE),
            Some(Api::CohereChat) if self.event.kind != Kind::Absent => true,
            _ => ndjson,
        };
        if stream {
            self.facts.streaming = true;
            if let Some(first) = self.held.take() {
                self.record(first);
            }
            self.record(verdict);
        } else {
            self.facts.streaming = false;
            self.facts.usage_final = self.counts.any_or_metrics();
            self.held = Some(verdict);
        }
        self.reset();
    }

    /// The line at hand is broken.
    pub(crate) fn end_broken(&mut self) {
        self.facts.broken = true;
        self.record(Verdict::default());
        self.reset();
    }

    /// The event at hand is dropped: it will never be whole.
    pub(crate) fn reset(&mut self) {
        self.scanner.reset(Node::Root);
        self.event.clear();
        self.name = Kind::Absent;
        self.learned = false;
        self.skimmed = false;
    }

    /// Takes what the event says of the whole answer; what it says of the stream is the verdict.
    fn judge(&mut self) -> Verdict {
        let Captures { kind, seen, .. } = self.event;
        if self.event.kind == Kind::Absent {
            self.event.kind = self.name;
        }
        self.recognise();
        self.facts.recognised |= self.family.is_some() || seen.any(Seen::ERROR);
        if self.facts.model.is_none() {
            self.facts.model = self.event.model;
        }
        let mut verdict = api::judge(self.family, &self.event);
        verdict.error |= self.name == Kind::Error;
        if self.learned {
            self.plain = Plain {
                name: self.name,
                kind,
                seen,
            };
            if verdict.terminal || verdict.error {
                self.shape.forget();
            }
        }
        self.ended |= verdict.terminal || verdict.error;
        api::update(self.family, &mut self.counts, &self.event.counts);
        self.facts.usage = api::normalise(self.family, &self.counts);
        self.facts.usage_final |=
            verdict.final_usage || (self.ended && self.event.counts.any_or_metrics());
        verdict
    }

    fn recognise(&mut self) {
        if !self.guessed {
            return;
        }
        if let Some((api, sure)) = api::recognise(&self.event) {
            self.family = Some(api);
            self.guessed = !sure;
        }
        self.facts.api = if self.invoke {
            Some(Api::BedrockInvoke)
        } else {
            self.family
        };
    }

    fn record(&mut self, verdict: Verdict) {
        let Facts {
            events,
            first_token_event,
            ..
        } = &mut self.facts;
        if verdict.token && first_token_event.is_none() {
            *first_token_event = Some(*events);
        }
        *events += 1;
        self.facts.reasoning_streamed |= verdict.reasoning;
        self.facts.terminal |= verdict.terminal;
        self.facts.error |= verdict.error;
    }
}
