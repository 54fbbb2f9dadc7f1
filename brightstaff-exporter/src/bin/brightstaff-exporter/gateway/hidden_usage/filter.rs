use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::scan::Scanner;

/// Where chunks are put together, in bytes: room for several, so that most of them need no memory of their own.
const ROOM: usize = 4 << 10;

/// Takes out of a stream what is only there since its usage was asked for: the event that tells nothing else, and
/// `"usage": null` in those before it.
///
/// Everything else passes as it came, in the order in which it came. Until a choice has its finish reason only such a
/// null waits for the rest of its event; from then on each event waits until it is whole.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// What is held, and before it, room for the chunk that is put together.
    buffer: BytesMut,
    scanner: Scanner,
    /// Kept for its memory.
    cut: Vec<Range<usize>>,
}

impl Filter {
    /// What of the chunks so far may pass now, if anything.
    pub(super) fn push(&mut self, chunk: &Bytes) -> Bytes {
        self.cut.clear();
        if !self.buffer.is_empty() {
            self.buffer.extend_from_slice(chunk);
            return self.pass_held(false);
        }
        let pass = self.scanner.scan(chunk, false, &mut self.cut);
        let passed = if self.cut.is_empty() {
            chunk.slice(..pass)
        } else {
            if self.buffer.capacity() < chunk.len() {
                self.buffer.reserve(chunk.len().max(ROOM));
            }
            for kept in kept(&self.cut, pass) {
                self.buffer.extend_from_slice(&chunk[kept]);
            }
            self.buffer.split().freeze()
        };
        self.buffer.extend_from_slice(&chunk[pass..]);
        passed
    }

    /// What was held when the stream ended, whatever its end.
    pub(super) fn finish(&mut self) -> Bytes {
        self.cut.clear();
        self.pass_held(true)
    }

    /// Whether something is held.
    pub(super) fn holds(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn pass_held(&mut self, end: bool) -> Bytes {
        let pass = self.scanner.scan(&self.buffer, end, &mut self.cut);
        let mut passed = self.buffer.split_to(pass);
        if !self.cut.is_empty() {
            let mut len = 0;
            for kept in kept(&self.cut, pass) {
                passed.copy_within(kept.clone(), len);
                len += kept.len();
            }
            passed.truncate(len);
        }
        passed.freeze()
    }
}

/// What is left of the first `len` bytes.
fn kept(cut: &[Range<usize>], len: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = std::iter::once(0).chain(cut.iter().map(|cut| cut.end));
    let ends = cut.iter().map(|cut| cut.start).chain(std::iter::once(len));
    starts.zip(ends).map(|(start, end)| start..end)
}

#[cfg(test)]
mod tests;
