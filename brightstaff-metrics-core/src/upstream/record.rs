use std::time::Duration;

#[cfg(feature = "otlp")]
use super::gen_ai::{Asked, ChunkTimes};
use super::timing::Timing;
use crate::{
    clock::{Clock, Tick},
    families::Pair,
    labels::{ErrorClass, Outcome, StatusClass, TokenDetail, TokenKind},
    listener::EndedCall,
    meter::Facts,
    series::{Histogram, Keyed as _, Traced},
};

/// All that is known of a call at its end.
pub(super) struct Record<'a> {
    pub(super) pair: &'a Pair,
    pub(super) status: Option<u16>,
    #[cfg(feature = "otlp")]
    pub(super) asked: Asked,
    pub(super) error: ErrorClass,
    /// What told the instants.
    pub(super) clock: &'a Clock,
    pub(super) start: Tick,
    pub(super) end: Tick,
    pub(super) traced: Option<Traced>,
    pub(super) timing: Timing,
    /// How long it was from each chunk to the next, where that is wanted.
    #[cfg(feature = "otlp")]
    pub(super) chunks: Option<&'a ChunkTimes>,
    /// What the body of a 2xx told.
    pub(super) facts: Option<&'a Facts>,
}

impl Record<'_> {
    pub(super) fn write(&self) {
        let status = self.status.map_or(StatusClass::Error, StatusClass::of);
        self.pair.requests(status, self.error).inc();
        let outcome = if self.ended_well() {
            Outcome::Ok
        } else {
            Outcome::Error
        };
        self.observe(self.pair.duration(outcome), self.since(self.end));
        if let Some(facts) = self.facts {
            if facts.streaming {
                self.stream(facts);
            }
            self.usage(facts);
        }
        #[cfg(feature = "otlp")]
        if let Some(gen_ai) = self.pair.gen_ai() {
            self.write_gen_ai(gen_ai);
        }
    }

    /// The same, for a listener.
    pub(super) fn told(&self) -> EndedCall<'_> {
        let [provider, model] = self.pair.key();
        let since = |instant| Duration::from_nanos(self.since(instant));
        let streamed = self.facts.is_some_and(|facts| facts.streaming);
        let instant = |at: Option<_>| at.filter(|_| streamed).map(since);
        EndedCall {
            provider,
            model,
            status: self.status,
            error_class: self.error,
            duration: since(self.end),
            time_to_first_byte: instant(self.timing.first_byte),
            time_to_first_token: instant(self.timing.first_token()),
            facts: self.facts,
        }
    }

    fn stream(&self, facts: &Facts) {
        if let Some(at) = self.timing.first_byte {
            self.pair.time_to_first_byte.observe(self.since(at));
        }
        if let Some(at) = self.timing.first_token() {
            self.observe(&self.pair.time_to_first_token, self.since(at));
        }
        if let Some(nanos) = self.per_output_token(facts) {
            self.observe(&self.pair.time_per_output_token, nanos);
        }
    }

    /// Nanoseconds for each output token after the first, where that can be told.
    pub(super) fn per_output_token(&self, facts: &Facts) -> Option<u64> {
        if !self.ended_well() {
            return None;
        }
        let nanos = self.timing.generating(self.clock)?;
        let intervals = facts.streamed_tokens()?.checked_sub(1).filter(|&n| n > 0)?;
        Some(nanos.saturating_add(intervals / 2) / intervals)
    }

    fn usage(&self, facts: &Facts) {
        let usage = facts.usage;
        for (kind, tokens) in [
            (TokenKind::Prompt, usage.prompt),
            (TokenKind::Completion, usage.completion),
        ] {
            let Some(tokens) = tokens else { continue };
            self.pair.tokens.get(kind).add(tokens);
            if self.ended_well() {
                self.pair.request_tokens(kind).observe(tokens);
            }
        }
        for (detail, tokens) in [
            (TokenDetail::CacheRead, usage.cache_read),
            (TokenDetail::CacheWrite, usage.cache_write),
            (TokenDetail::Reasoning, usage.reasoning),
        ] {
            if let Some(tokens) = tokens {
                self.pair.token_details(detail).add(tokens);
            }
        }
        if let Some(reason) = facts.usage_missing(!self.ended_well()) {
            self.pair.usage_missing(reason).inc();
        }
    }

    pub(super) fn ended_well(&self) -> bool {
        self.error == ErrorClass::None
    }

    /// A sample that is an exemplar, where there is a trace.
    fn observe(&self, histogram: &Histogram, nanos: u64) {
        histogram.observe_traced(nanos, self.traced.as_ref());
    }

    pub(super) fn since(&self, instant: Tick) -> u64 {
        self.clock.nanos(self.start, instant)
    }
}
