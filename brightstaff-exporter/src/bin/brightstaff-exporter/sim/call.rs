//! What happened to one call, as the provider knows it.

use std::{sync::Arc, time::Instant};

use super::{book::Book, script::Frame};

/// One call: what it asked for, and what was put on the wire, when.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The plan that it named.
    pub(crate) plan: Option<u64>,
    /// Which attempt of that plan it is, from 0.
    pub(crate) attempt: usize,
    /// The name that the gateway has for whom it called.
    pub(crate) upstream: Arc<str>,
    pub(crate) model: String,
    pub(crate) streamed: bool,
    pub(crate) arrived: Instant,
    /// The status, and when the head was handed to the server.
    pub(crate) answered: Option<(u16, Instant)>,
    pub(crate) first_byte: Option<Instant>,
    pub(crate) first_token: Option<Instant>,
    pub(crate) terminal: Option<Instant>,
    /// Tokens as last reported.
    pub(crate) usage: Usage,
    /// Whether the last report that the API owes was sent.
    pub(crate) settled: bool,
    pub(crate) finish: Finish,
    pub(crate) ended: Instant,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The caller went away before the end.
    HungUp,
    /// The body came to its end.
    End,
    /// The stream told of an error, and came to its end.
    Error,
    /// The connection was cut.
    Cut,
}

/// Token counts as reported so far, in the words of the metrics: the prompt is all input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: Option<u64>,
    pub(crate) completion: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_write: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    /// Whether the reasoning passed as events.
    pub(crate) reasoning_streamed: bool,
}

impl Usage {
    /// A later report replaces an earlier one, where it says anything.
    pub(crate) fn replaced_by(self, later: Self) -> Self {
        Self {
            prompt: later.prompt.or(self.prompt),
            completion: later.completion.or(self.completion),
            cache_read: later.cache_read.or(self.cache_read),
            cache_write: later.cache_write.or(self.cache_write),
            reasoning: later.reasoning.or(self.reasoning),
            reasoning_streamed: later.reasoning_streamed || self.reasoning_streamed,
        }
    }
}

/// After how many bytes of the body its instants are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// The first event with generated output is complete.
    pub(crate) first_token: Option<u64>,
    /// The event that is the protocol's end is complete.
    pub(crate) terminal: Option<u64>,
    /// All that will ever be sent.
    pub(crate) sent: u64,
}

/// A call that goes on. Whatever becomes of it, dropping it writes it into the book.
#[derive(Debug)]
pub(super) struct OpenCall {
    pub(super) call: Option<Call>,
    pub(super) book: Arc<Book>,
}

impl OpenCall {
    pub(super) fn answered(&mut self, status: u16, streamed: bool) {
        if let Some(call) = &mut self.call {
            call.answered = Some((status, Instant::now()));
            call.streamed = streamed;
        }
    }

    /// The frame is about to be handed to the server.
    pub(super) fn frame(&mut self, frame: &Frame) {
        let Some(call) = &mut self.call else { return };
        let now = Instant::now();
        call.first_byte.get_or_insert(now);
        if frame.tokens > 0 {
            call.first_token.get_or_insert(now);
            self.book.sent(frame.tokens);
        }
        if frame.terminal {
            call.terminal.get_or_insert(now);
        }
        if let Some(usage) = frame.usage {
            call.usage = call.usage.replaced_by(usage);
            call.settled |= frame.settled;
        }
    }

    pub(super) fn end(&mut self, finish: Finish) {
        if let Some(mut call) = self.call.take() {
            call.finish = finish;
            call.ended = Instant::now();
            self.book.close(call);
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.end(Finish::HungUp);
    }
}
