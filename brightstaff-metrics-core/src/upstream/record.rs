use std::time::Duration;

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
    pub(super) status: StatusClass,
    pub(super) error: ErrorClass,
    /// What told the instants.
    pub(super) clock: &'a Clock,
    pub(super) start: Tick,
    pub(super) end: Tick,
    pub(super) traced: Option<Traced>,
    pub(super) timing: Timing,
    /// What the body of a 2xx told.
    pub(super) facts: Option<&'a Facts>,
}

impl Record<'_> {
    pub(super) fn write(&self) {
        self.pair.requests(self.status, self.error).inc();
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
    }

    /// The same, for a listener.
    pub(super) fn told(&self, status: Option<u16>) -> EndedCall<'_> {
        let [provider, model] = self.pair.key();
        let since = |instant| Duration::from_nanos(self.since(instant));
        let streamed = self.facts.is_some_and(|facts| facts.streaming);
        let instant = |at: Option<_>| at.filter(|_| streamed).map(since);
        EndedCall {
            provider,
            model,
            status,
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
        if self.ended_well()
            && let Some(nanos) = self.timing.generating(self.clock)
            && let Some(tokens) = facts.streamed_tokens()
            && tokens >= 2
        {
            let intervals = tokens - 1;
            let each = nanos.saturating_add(intervals / 2) / intervals;
            self.observe(&self.pair.time_per_output_token, each);
        }
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

    fn ended_well(&self) -> bool {
        self.error == ErrorClass::None
    }

    /// A sample that is an exemplar, where there is a trace.
    fn observe(&self, histogram: &Histogram, nanos: u64) {
        histogram.observe_traced(nanos, self.traced.as_ref());
    }

    fn since(&self, instant: Tick) -> u64 {
        self.clock.nanos(self.start, instant)
    }
}
