//! What the `gen_ai` view keeps of a pair of provider and model: its calls by what they were for, and by how they failed.
//!
//! All labels are closed, so that a pair bounds what it holds: five operations, and of each as many ends as there are
//! values of `error.type`. What exists is what was met.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use super::{LazySet, NativeHistogram, RareSet};
use crate::{
    buckets::Unit,
    clock::WallTime,
    labels::{ErrorType, Operation},
};

/// The calls of one pair, by what they were for.
pub(crate) struct Operations(LazySet<Box<Calls>, Operation>);

/// Calls for one kind of operation.
pub(crate) struct Calls {
    created: WallTime,
    pub(crate) operation: Operation,
    pub(crate) input: Tokens,
    pub(crate) output: Tokens,
    pub(crate) cache_read: Count,
    pub(crate) cache_write: Count,
    pub(crate) reasoning: Count,
    ended_well: OnceLock<Box<Ended>>,
    failed: RareSet<Box<Ended>, ErrorType>,
    pub(crate) time_to_first_chunk: Times,
    pub(crate) time_per_output_chunk: Times,
    pub(crate) time_to_first_token: Times,
    pub(crate) time_per_output_token: Times,
}

/// Calls that ended alike.
pub(crate) struct Ended {
    /// `None` where they ended well.
    pub(crate) error: Option<ErrorType>,
    pub(crate) duration: NativeHistogram,
    pub(crate) input: TokensOfCall,
    pub(crate) output: TokensOfCall,
}

/// The tokens of each call.
pub(crate) struct TokensOfCall {
    pub(crate) histogram: NativeHistogram,
    /// How many of its zeros somebody told; the others are of calls of which nobody did.
    pub(crate) told_zeros: Count,
}

/// A number that only rises.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

/// What tokens are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modality {
    /// The provider did not say, or said it of the others only.
    Unknown,
    /// By the provider's count.
    Audio,
    /// By the provider's count.
    Image,
}

impl Modality {
    pub(crate) const ALL: [Self; 3] = [Self::Unknown, Self::Audio, Self::Image];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Audio => "audio",
            Self::Image => "image",
        }
    }
}

/// Tokens by what they are of.
#[derive(Debug, Default)]
pub(crate) struct Tokens([Count; Modality::ALL.len()]);

/// Seconds that only some calls have.
#[derive(Debug, Default)]
pub(crate) struct Times(OnceLock<Box<NativeHistogram>>);

impl Operations {
    pub(crate) fn new() -> Self {
        Self(LazySet::new())
    }

    pub(crate) fn calls(&self, operation: Operation, now: impl FnOnce() -> WallTime) -> &Calls {
        self.0
            .get_or_init(operation, || Box::new(Calls::new(operation, now())))
    }

    /// Those for this operation, if there were any.
    pub(crate) fn get(&self, operation: Operation) -> Option<&Calls> {
        self.0.get(operation).map(AsRef::as_ref)
    }
}

impl Calls {
    fn new(operation: Operation, created: WallTime) -> Self {
        Self {
            created,
            operation,
            input: Tokens::default(),
            output: Tokens::default(),
            cache_read: Count::default(),
            cache_write: Count::default(),
            reasoning: Count::default(),
            ended_well: OnceLock::new(),
            failed: RareSet::new(),
            time_to_first_chunk: Times::default(),
            time_per_output_chunk: Times::default(),
            time_to_first_token: Times::default(),
            time_per_output_token: Times::default(),
        }
    }

    /// When the first of them ended, and its counts began at 0.
    pub(crate) fn created(&self) -> WallTime {
        self.created
    }

    pub(crate) fn ended(&self, error: Option<ErrorType>, now: impl Fn() -> WallTime) -> &Ended {
        let make = || Box::new(Ended::new(error, now()));
        match error {
            None => self.ended_well.get_or_init(make),
            Some(error) => self.failed.get_or_init(error, make),
        }
    }

    /// Those that there were, calls that ended well first.
    pub(crate) fn ends(&self) -> impl Iterator<Item = &Ended> {
        let ended_well = self.ended_well.get().into_iter();
        ended_well.chain(self.failed.iter()).map(AsRef::as_ref)
    }
}

impl Ended {
    fn new(error: Option<ErrorType>, created: WallTime) -> Self {
        Self {
            error,
            duration: NativeHistogram::new(Unit::Seconds, created),
            input: TokensOfCall::new(created),
            output: TokensOfCall::new(created),
        }
    }
}

impl TokensOfCall {
    fn new(created: WallTime) -> Self {
        Self {
            histogram: NativeHistogram::new(Unit::Tokens, created),
            told_zeros: Count::default(),
        }
    }

    /// The tokens of one call: 0 where nobody told.
    pub(crate) fn observe(&self, told: Option<u64>) {
        if told == Some(0) {
            self.told_zeros.add(1);
        }
        self.histogram.observe(told.unwrap_or(0));
    }
}

impl Count {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Tokens {
    /// The parts that the provider told; the rest is of what nobody knows. A part that is larger than what is left of
    /// all ends there, so that the sum is right.
    pub(crate) fn add(&self, all: u64, audio: Option<u64>, image: Option<u64>) {
        let mut rest = all;
        for (modality, part) in [(Modality::Audio, audio), (Modality::Image, image)] {
            let part = part.unwrap_or(0).min(rest);
            self.of(modality).add(part);
            rest -= part;
        }
        self.of(Modality::Unknown).add(rest);
    }

    pub(crate) fn of(&self, modality: Modality) -> &Count {
        &self.0[modality as usize]
    }
}

impl Times {
    pub(crate) fn get(&self) -> Option<&NativeHistogram> {
        self.0.get().map(AsRef::as_ref)
    }

    pub(crate) fn get_or_init(&self, now: impl FnOnce() -> WallTime) -> &NativeHistogram {
        let make = || Box::new(NativeHistogram::new(Unit::Seconds, now()));
        self.0.get_or_init(make)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::native_histogram::NO_COUNTS;

    #[test]
    fn parts_never_add_up_to_more_than_all() {
        // Unknown, audio, images.
        for (all, audio, image, expected) in [
            (0, None, None, [0, 0, 0]),
            (9, None, None, [9, 0, 0]),
            (9, Some(4), Some(2), [3, 4, 2]),
            (9, Some(7), Some(7), [0, 7, 2]),
        ] {
            let tokens = Tokens::default();
            tokens.add(all, audio, image);
            let told = Modality::ALL.iter().map(|&of| tokens.of(of).get());
            assert_eq!(told.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_was_not_met_is_not_there() {
        let now = WallTime::default;
        let gen_ai = Operations::new();
        assert!(gen_ai.get(Operation::Embeddings).is_none());
        let calls = gen_ai.calls(Operation::Embeddings, now);
        assert_eq!(calls.ends().count(), 0);
        calls.ended(Some(ErrorType::OTHER), now).input.observe(None);
        calls.ended(None, now).input.observe(Some(0));
        calls.ended(None, now).input.observe(Some(3));
        let ends = calls.ends().map(|ended| {
            let mut counts = NO_COUNTS;
            ended.input.histogram.add_to(&mut counts);
            let all = counts.iter().sum::<u64>();
            (ended.error, all, ended.input.told_zeros.get())
        });
        assert_eq!(
            ends.collect::<Vec<_>>(),
            [(None, 2, 1), (Some(ErrorType::OTHER), 1, 0)]
        );
        assert!(calls.time_to_first_token.get().is_none());
        assert!(gen_ai.get(Operation::Embeddings).is_some());
        assert!(gen_ai.get(Operation::Chat).is_none());
    }
}
