//! What a call tells of itself for the `gen_ai` view, where that is on.

use super::record::Record;
use crate::{
    buckets::Unit,
    clock::{Clock, Tick, WallTime},
    labels::{ErrorType, Operation},
    meter::{Facts, Usage},
    series::{GenAiCalls, GenAiOperations, LocalSamples},
};

/// What the caller said the call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Unknown,
    For(Operation),
    /// For nothing that a model does.
    ForNone,
}

/// How long it was from each chunk of a stream to the next. Kept by the call, since it may be known at its end only which
/// model answered it.
#[derive(Debug)]
pub(super) struct ChunkTimes {
    last: Tick,
    /// There from the second chunk on, if the response is a stream by then.
    samples: Option<LocalSamples>,
}

impl ChunkTimes {
    /// The first chunk came then.
    pub(super) fn new(first: Tick) -> Self {
        Self {
            last: first,
            samples: None,
        }
    }

    /// Another chunk came.
    pub(super) fn next(&mut self, facts: &Facts, now: Tick, clock: &Clock) {
        if facts.streaming {
            let samples = self.samples.get_or_insert_default();
            samples.observe(Unit::Seconds, clock.nanos(self.last, now));
        }
        self.last = now;
    }
}

impl Record<'_> {
    /// Counts the call once more, by what it was for and how it failed.
    // Out of the way of those calls for which nobody wants to know.
    #[cold]
    #[inline(never)]
    pub(super) fn write_gen_ai(&self, gen_ai: &GenAiOperations) {
        let Some(operation) = self.operation() else {
            return;
        };
        let calls = gen_ai.calls(operation, || self.wall());
        self.gen_ai_ended(calls);
        if let Some(facts) = self.facts.filter(|facts| facts.streaming) {
            self.gen_ai_stream(calls, facts);
        }
    }

    /// What it was for: its response knows best.
    fn operation(&self) -> Option<Operation> {
        if let Some(api) = self.facts.and_then(|facts| facts.api) {
            return api.operation();
        }
        match self.asked {
            Asked::Unknown => Some(Operation::Chat),
            Asked::For(operation) => Some(operation),
            Asked::ForNone => None,
        }
    }

    fn gen_ai_ended(&self, calls: &GenAiCalls) {
        let error = ErrorType::of(self.error, self.status);
        let ended = calls.ended(error, || self.wall());
        ended
            .duration
            .observe_traced(self.since(self.end), self.traced.as_ref());
        let usage = self.facts.map_or_else(Usage::default, |facts| facts.usage);
        let details = self.facts.map(|facts| &facts.details);
        let details = |part: fn(&_) -> Option<u64>| details.and_then(part);
        ended.input.observe(usage.prompt);
        calls.input.add(
            usage.prompt.unwrap_or(0),
            details(|details| details.prompt_audio),
            details(|details| details.prompt_image),
        );
        // What has no output tells nothing of it.
        if calls.operation.generates() || usage.completion.is_some() {
            ended.output.observe(usage.completion);
            calls.output.add(
                usage.completion.unwrap_or(0),
                details(|details| details.completion_audio),
                details(|details| details.completion_image),
            );
        }
        for (count, tokens) in [
            (&calls.cache_read, usage.cache_read),
            (&calls.cache_write, usage.cache_write),
            (&calls.reasoning, usage.reasoning),
        ] {
            count.add(tokens.unwrap_or(0));
        }
    }

    fn gen_ai_stream(&self, calls: &GenAiCalls, facts: &Facts) {
        let now = || self.wall();
        let traced = self.traced.as_ref();
        if let Some(at) = self.timing.first_byte {
            let times = calls.time_to_first_chunk.get_or_init(now);
            times.observe_traced(self.since(at), traced);
        }
        if let Some(samples) = self.chunks.and_then(|chunks| chunks.samples.as_ref()) {
            let times = calls.time_per_output_chunk.get_or_init(now);
            times.absorb(samples);
        }
        // "For successful responses", the conventions say of these two.
        if let Some(at) = self.timing.first_token().filter(|_| self.ended_well()) {
            let times = calls.time_to_first_token.get_or_init(now);
            times.observe_traced(self.since(at), traced);
        }
        if let Some(nanos) = self.per_output_token(facts) {
            let times = calls.time_per_output_token.get_or_init(now);
            times.observe_traced(nanos, traced);
        }
    }

    fn wall(&self) -> WallTime {
        self.clock.wall()
    }
}
