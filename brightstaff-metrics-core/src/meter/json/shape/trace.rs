//! How far an event that comes in pieces has been compared with a shape.

use super::content::{Content, Pass};
use super::hole::{Holds, Hole};
use super::{Counts, MAX_HOLES, Shape};

/// How far an event has the shape that it is compared with.
///
/// What it held so far is not kept, and need not be: where the event turns out to be another, the shape's own text
/// stands in for its beginning. Only what matters of the holes is remembered: their counts, and whether they
/// are empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    /// The place in the text of the shape up to which the event is the same, the holes apart.
    place: u16,
    /// How many holes were passed.
    holes: u8,
    /// In the next hole, and what came of its content.
    inside: Option<Content>,
    /// The holes that are not empty, by their number.
    some: u16,
    counts: Counts,
}

const _: () = assert!(MAX_HOLES <= u16::BITS as usize);

impl Trace {
    pub(crate) const START: Self = Self {
        place: 0,
        holes: 0,
        inside: None,
        some: 0,
        counts: [0; MAX_HOLES],
    };

    /// A trace that begins here in the text of the shape.
    pub(super) fn at(place: usize) -> Self {
        let mut trace = Self::START;
        trace.advance(place);
        trace
    }

    #[inline]
    pub(crate) fn is_start(&self) -> bool {
        self.place == 0
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(super) fn counts_mut(&mut self) -> &mut Counts {
        &mut self.counts
    }

    pub(super) fn place(&self) -> usize {
        usize::from(self.place)
    }

    pub(super) fn holes(&self) -> usize {
        usize::from(self.holes)
    }

    pub(super) fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    // A place is one in a shape's text, which is far shorter than 2^16.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn advance(&mut self, by: usize) {
        self.place += by as u16;
    }

    pub(super) fn enter(&mut self) {
        self.inside = Some(Content::default());
    }

    /// Enters a hole of which this much was compared before it was known. `false`: it takes no such content.
    pub(super) fn enter_at(&mut self, hole: Hole, passed: &[u8]) -> bool {
        let mut content = Content::default();
        if content.pass(hole.holds, passed) != Pass::On {
            return false;
        }
        self.place = hole.start;
        self.inside = Some(content);
        true
    }

    /// Passes over more of the hole's content, and leaves it at its end.
    pub(super) fn pass(&mut self, hole: Hole, bytes: &[u8]) -> Pass {
        let Some(content) = &mut self.inside else {
            return Pass::Off;
        };
        let pass = content.pass(hole.holds, bytes);
        if let Pass::To(_) = pass {
            self.counts[usize::from(self.holes)] = content.count;
            self.some |= u16::from(content.some) << self.holes;
            self.inside = None;
            self.place = hole.end;
            self.holes += 1;
        }
        pass
    }

    /// Whether what came of the content of this hole, which it is inside of, may be all.
    pub(super) fn may_end(&self, hole: Hole) -> bool {
        match hole.holds {
            Holds::Text => false,
            Holds::Number | Holds::Count => self.inside.is_some_and(|content| content.some),
            Holds::Space => true,
        }
    }
}

impl Shape {
    /// Tells of an event as far as it was traced, in bytes that mean what its own did.
    pub(crate) fn retrace(&self, trace: &Trace, mut take: impl FnMut(&[u8])) {
        let mut start = 0;
        for (at, hole) in self.holes[..trace.holes()].iter().enumerate() {
            take(&self.text[start..hole.start()]);
            self.fill(
                *hole,
                trace.some & 1 << at != 0,
                trace.counts[at],
                &mut take,
            );
            start = hole.end();
        }
        match (self.inside(trace), trace.inside) {
            (Some(hole), Some(content)) => {
                take(&self.text[start..hole.start()]);
                self.fill(hole, content.some, content.count, &mut take);
                if content.escaped {
                    take(b"\\");
                }
            }
            _ => take(&self.text[start..trace.place()]),
        }
    }

    /// Tells, once, of the JSON of the last event whose numbers count; whether there was one.
    pub(crate) fn recount(&mut self, take: impl FnMut(&[u8])) -> bool {
        let counted = self.counted.take();
        if let Some(counts) = &counted {
            self.tell_of(counts, take);
        }
        counted.is_some()
    }

    /// Tells of the JSON of an event of this shape, whose numbers do not count.
    pub(crate) fn tell(&self, take: impl FnMut(&[u8])) {
        self.tell_of(&[0; MAX_HOLES], take);
    }

    fn tell_of(&self, counts: &Counts, mut take: impl FnMut(&[u8])) {
        let mut start = self.json.start;
        for (hole, count) in self.holes[..self.known].iter().zip(counts) {
            take(&self.text[start..hole.start()]);
            self.fill(*hole, true, *count, &mut take);
            start = hole.end();
        }
        take(&self.text[start..self.json.end]);
    }

    /// Stands in for the content of a hole: as short as can be, so that telling of an event is no more work than
    /// reading it would have been.
    fn fill(&self, hole: Hole, some: bool, count: u32, take: &mut impl FnMut(&[u8])) {
        match hole.holds {
            _ if !some => {}
            Holds::Text => take(b"x"),
            Holds::Number => take(b"1"),
            Holds::Space => take(b" "),
            // The hole was made by a later event: this one has what the shape has.
            Holds::Count if count == 0 => take(&self.text[hole.start()..hole.end()]),
            Holds::Count => take(digits(count, &mut [0; 10])),
        }
    }
}

/// A count as it is written, at the end of this room.
fn digits(mut count: u32, room: &mut [u8; 10]) -> &[u8] {
    let mut start = room.len();
    while count > 0 {
        start -= 1;
        // A digit.
        #[allow(clippy::cast_possible_truncation)]
        let digit = (count % 10) as u8;
        room[start] = b'0' + digit;
        count /= 10;
    }
    &room[start..]
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn counts_are_written_as_they_were() {
        for count in [1, 9, 10, 1_234_567_890, u32::MAX] {
            assert_eq!(digits(count, &mut [0; 10]), count.to_string().as_bytes());
        }
    }
}
