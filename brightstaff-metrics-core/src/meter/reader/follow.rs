//! Events that have the shape of one before them, passed over on the bytes, their lines included.

use super::Reader;
use crate::meter::json::{Shape, Trace, Walk};
use crate::meter::seam::Text;
use crate::meter::seen::Seen;

impl Reader {
    /// Passes over events of the shape that is known, whole or in pieces, from the beginning of one on. Gives back
    /// the first bytes that it has no use for: of another event, or of the rest of one whose beginning came
    /// before and did have the shape. Then, [`leave`](Self::leave) tells of that beginning.
    #[inline]
    pub(crate) fn follow<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        if self.shape.is_none() {
            return bytes;
        }
        loop {
            if self.trace.is_start() {
                let (behind, events) = self.shape.pass(bytes, &mut self.trace);
                self.facts.events += events;
                bytes = behind;
            }
            if bytes.is_empty() {
                return bytes;
            }
            match self.walk(bytes) {
                Walk::On => return &[],
                Walk::Whole(behind) => bytes = behind,
                Walk::Off(rest) => return rest,
            }
        }
    }

    // Inlined, its frame would be set up for every event that is here as a whole.
    #[inline(never)]
    fn walk<'a>(&mut self, bytes: &'a [u8]) -> Walk<'a> {
        let begins = self.trace.is_start();
        let walk = self.shape.walk(&mut self.trace, bytes);
        match walk {
            Walk::On => walk,
            Walk::Whole(_) => {
                self.facts.events += 1;
                self.shape.count(self.trace.counts());
                self.trace = Trace::START;
                walk
            }
            Walk::Off(_) if begins => {
                self.trace = Trace::START;
                Walk::Off(bytes)
            }
            Walk::Off(_) => walk,
        }
    }

    /// What comes now is read: judges what the events before it counted, and tells of what has come of the event at
    /// hand, in bytes that mean what its own did.
    pub(crate) fn leave(&mut self, mut read: impl FnMut(&[u8], &mut Self)) {
        self.judge_counted();
        let trace = std::mem::replace(&mut self.trace, Trace::START);
        if !trace.is_start() {
            let shape = std::mem::replace(&mut self.shape, Shape::NONE);
            shape.retrace(&trace, |bytes| read(bytes, self));
            self.shape = shape;
        }
    }

    /// Of events that count in the same places, each replaces what the one before it said, so that only the last
    /// has to be judged.
    fn judge_counted(&mut self) {
        let Self {
            shape,
            scanner,
            event,
            ..
        } = self;
        let counted = shape.recount(|bytes| {
            scanner.push(bytes, event);
        });
        if counted && let Some(name) = self.plain {
            self.judge(&name);
            self.reset();
        }
    }

    /// Remembers the event at hand, if it says nothing that the next of its shape has to say again, counts apart.
    pub(super) fn learn(&mut self, text: Text<'_>) {
        let news = self.event.seen(Seen::ODD) || self.event.seen(Seen::ERROR);
        if !self.is_settled() || news {
            return;
        }
        let (start, end) = text.payload;
        let counts = self.event.seen(Seen::USAGE);
        self.shape.learn(text.event, start..end, counts);
        if text.line_feed {
            self.shape.extend(b'\n');
        }
        self.learned = true;
    }
}
