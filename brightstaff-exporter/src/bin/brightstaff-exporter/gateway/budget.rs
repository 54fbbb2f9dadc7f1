//! What all request bodies together may hold.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use bytes::Bytes;

use crate::config::SHORT_BODIES_SHARE;

/// What is short: only such bodies get the last part of the budget, so that a few long ones that are sent
/// slowly lock nobody out.
const SHORT_BYTES: usize = 1 << 20;

/// What a body holds at least, once the first of it has come, unless it announces less.
const FIRST_BYTES: usize = 8 << 10;

/// The bytes that request bodies may hold at once.
#[derive(Debug)]
pub(super) struct Budget {
    held: AtomicUsize,
    max: AtomicUsize,
}

/// There is no room for as many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            held: AtomicUsize::new(0),
            max: AtomicUsize::new(max),
        })
    }

    /// From now on they may hold as much; those that hold more are not cut.
    pub(super) fn set_max(&self, max: usize) {
        self.max.store(max, Relaxed);
    }

    /// Whether a body of this length would find room now. Reserves none.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.take(self.held.load(Relaxed), 0, bytes).is_some()
    }

    /// What is held once a body that holds `from` holds `to`.
    fn take(&self, held: usize, from: usize, to: usize) -> Option<usize> {
        let mut max = self.max.load(Relaxed);
        if to > SHORT_BYTES {
            max -= max / SHORT_BODIES_SHARE;
        }
        held.checked_add(to - from).filter(|held| *held <= max)
    }
}

/// Bytes in memory, which the budget knows of as long as this lives: as [`Bytes`], until the last part
/// of them is gone.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    held: Held,
}

/// A part of the budget, until this is gone.
#[derive(Debug)]
pub(super) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Buffer {
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self {
            bytes: Vec::new(),
            held: Held::new(budget),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Makes room for `capacity` bytes in all.
    pub(super) fn grow(&mut self, capacity: usize) -> Result<(), Exhausted> {
        if capacity > self.held.bytes {
            self.held.grow(capacity)?;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        Ok(())
    }

    /// Adds bytes, for which there is room already or there is made more: for twice as many as there are,
    /// so that they are seldom moved, up to `most`.
    pub(super) fn push(&mut self, bytes: &[u8], most: usize) -> Result<(), Exhausted> {
        let len = self.bytes.len() + bytes.len();
        if len > self.held.bytes {
            self.grow((2 * len).max(FIRST_BYTES).min(most).max(len))?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Gives back what is not used.
    pub(super) fn freeze(mut self) -> Bytes {
        self.bytes.shrink_to_fit();
        self.held.shrink(self.bytes.len());
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Held {
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self {
            budget: Arc::clone(budget),
            bytes: 0,
        }
    }

    /// Holds so many bytes in all, if it does not hold as many already.
    pub(super) fn grow(&mut self, to: usize) -> Result<(), Exhausted> {
        let Self { budget, bytes } = self;
        if to <= *bytes {
            return Ok(());
        }
        let grown = budget
            .held
            .fetch_update(Relaxed, Relaxed, |held| budget.take(held, *bytes, to));
        grown.map_err(|_| Exhausted)?;
        *bytes = to;
        Ok(())
    }

    fn shrink(&mut self, to: usize) {
        // All threads write to it: most bodies have nothing to give back when they are whole.
        if to < self.bytes {
            self.budget.held.fetch_sub(self.bytes - to, Relaxed);
            self.bytes = to;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::least_buffered_bytes;

    fn held(budget: &Budget) -> usize {
        budget.held.load(Relaxed)
    }

    #[test]
    fn bytes_are_held_until_the_last_part_of_them_is_gone() {
        let budget = Budget::new(100_000);
        let mut buffer = Buffer::new(&budget);
        buffer.push(&[1; 10], 20_000).unwrap();
        assert_eq!((held(&budget), buffer.len()), (FIRST_BYTES, 10));
        buffer.push(&[2; 8990], 20_000).unwrap();
        assert_eq!(held(&budget), 18_000);
        buffer.push(&[3; 9001], 20_000).unwrap();
        assert_eq!(held(&budget), 20_000, "no more than it may become");
        assert_eq!(buffer.push(&[4; 50_000], 200_000), Err(Exhausted));
        assert_eq!((held(&budget), buffer.len()), (20_000, 18_001));
        let bytes = buffer.freeze();
        assert_eq!(held(&budget), 18_001);
        let part = bytes.slice(18_000..);
        drop(bytes);
        assert_eq!((held(&budget), &*part), (18_001, &[3][..]));
        drop(part);
        assert_eq!(held(&budget), 0);
        drop(Buffer::new(&budget).freeze());
        assert_eq!(held(&budget), 0);
    }

    #[test]
    fn the_last_part_is_for_short_bodies() {
        let budget = Budget::new(80 << 20);
        let mut long = Buffer::new(&budget);
        long.grow(70 << 20).unwrap();
        assert_eq!(long.grow((70 << 20) + 1), Err(Exhausted));
        assert!(!budget.has_room(SHORT_BYTES + 1));
        let mut short: Vec<_> = (0..10).map(|_| Buffer::new(&budget)).collect();
        for buffer in &mut short {
            assert!(budget.has_room(SHORT_BYTES));
            buffer.grow(SHORT_BYTES).unwrap();
        }
        assert!(!budget.has_room(1));
        assert!(budget.has_room(0));
    }

    #[test]
    fn the_longest_body_and_its_copy_fit_into_the_least_budget() {
        for longest in [1, 7, 1000, SHORT_BYTES + 1, 32 << 20] {
            let budget = Budget::new(least_buffered_bytes(longest));
            let mut request = Buffer::new(&budget);
            request.grow(longest).unwrap();
            Buffer::new(&budget).grow(longest + 1000).unwrap();
        }
    }
}
