use crate::{
    clock::{Clock, Tick},
    meter::Facts,
};

/// The instants of a call, held until its end, when it is known whether the response was a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// Wraps: the chunks that are compared are the first token's and the last one's.
    chunks: u32,
    /// The first chunk came, and no other's instant is wanted for its own sake.
    settled: bool,
    pub(crate) first_byte: Option<Tick>,
    first_token: Option<Mark>,
    protocol_end: Option<Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Tick,
    chunk: u32,
}

impl Timing {
    /// A chunk passed, after which the facts are these. Whether its instant is wanted: the clock is read only where
    /// the chunk brought something new.
    #[inline]
    #[must_use]
    pub(crate) fn chunk(&mut self, facts: &Facts) -> bool {
        self.chunks = self.chunks.wrapping_add(1);
        !self.settled || self.is_news(facts)
    }

    /// Whether the facts tell of an instant that was not taken yet.
    #[inline]
    fn is_news(&self, facts: &Facts) -> bool {
        (self.first_token.is_none() && facts.first_token_event.is_some())
            || (self.protocol_end.is_none() && facts.terminal)
    }

    /// That chunk came now. `each`: the instants of those that follow are wanted, too.
    pub(crate) fn chunk_at(&mut self, facts: &Facts, now: Tick, each: bool) {
        self.settled = !each;
        self.first_byte.get_or_insert(now);
        self.mark(facts, || now);
    }

    /// An event came that is told by hand. The clock is read where it brought something new.
    pub(crate) fn event(&mut self, facts: &Facts, now: impl FnMut() -> Tick) {
        self.chunks = self.chunks.wrapping_add(1);
        self.mark(facts, now);
    }

    /// The body ended, which dispatched its last event.
    pub(crate) fn finish(&mut self, facts: &Facts, now: Tick) {
        self.mark(facts, || now);
    }

    /// The facts came later than the bytes that told them: when is not known.
    pub(crate) fn forget_events(&mut self) {
        (self.first_token, self.protocol_end) = (None, None);
    }

    fn mark(&mut self, facts: &Facts, mut now: impl FnMut() -> Tick) {
        let chunk = self.chunks;
        if self.first_token.is_none() && facts.first_token_event.is_some() {
            self.first_token = Some(Mark { at: now(), chunk });
        }
        if self.protocol_end.is_none() && facts.terminal {
            self.protocol_end = Some(Mark { at: now(), chunk });
        }
    }

    pub(crate) fn first_token(&self) -> Option<Tick> {
        self.first_token.map(|mark| mark.at)
    }

    /// Nanoseconds from the first token to the protocol's end, where two chunks brought them.
    pub(crate) fn generating(&self, clock: &Clock) -> Option<u64> {
        let (first, end) = (self.first_token?, self.protocol_end?);
        (first.chunk != end.chunk).then(|| clock.nanos(first.at, end.at))
    }
}
