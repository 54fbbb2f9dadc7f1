//! A few words that are read and written as one, without a lock: nobody waits for anybody.

use super::sync::{AtomicU64, Ordering};

/// Words of which a reader sees all of one writing, or none.
///
/// A writer makes the sequence odd, stores the words, and makes it even again. A reader that finds an odd one, or
/// another one behind its reading than before, has read nothing. Every word is an atomic, so that what is read
/// during a writing is old or new, and nothing worse.
#[derive(Debug)]
pub(crate) struct SequenceLock<const N: usize> {
    /// 0 as long as nothing was written.
    sequence: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> SequenceLock<N> {
    pub(crate) fn new() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            words: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Writes these words, unless another thread is writing at this moment: its own are as new.
    pub(crate) fn write(&self, words: [u64; N]) {
        // The acquisition keeps the words from being stored before the sequence is odd.
        let before = self.sequence.fetch_or(1, Ordering::Acquire);
        if before & 1 == 1 {
            return;
        }
        for (place, word) in self.words.iter().zip(words) {
            // Who sees the word sees the odd sequence, too.
            place.store(word, Ordering::Release);
        }
        // Even again. No plain store, so that who lost meanwhile cannot seem to have come later.
        self.sequence.fetch_add(1, Ordering::Release);
    }

    /// The words; `None` where nothing was written yet, or each of a few readings met a writer.
    pub(crate) fn read(&self) -> Option<[u64; N]> {
        (0..READINGS).find_map(|_| self.read_once())
    }

    fn read_once(&self) -> Option<[u64; N]> {
        let before = self.sequence.load(Ordering::Acquire);
        if before == 0 || before & 1 == 1 {
            return None;
        }
        let words = std::array::from_fn(|at| self.words[at].load(Ordering::Acquire));
        (self.sequence.load(Ordering::Relaxed) == before).then_some(words)
    }
}

/// A writing takes some ten stores: who meets one is past it the next time, or the slot is busier than a
/// scrape is worth waiting for.
const READINGS: usize = 4;
