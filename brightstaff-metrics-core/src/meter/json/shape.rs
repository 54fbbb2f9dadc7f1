//! The fast path of a stream: an event that differs from one before it only in free text, in numbers or
//! in white space says nothing that the one before did not say.
//!
//! Chunks of a response are alike but for a word of text. Comparing with the last one that said nothing
//! new costs a few vectorised comparisons; the parts that vary are found as they first differ. Of
//! `benches/meter.rs`, a chat event of 200 bytes takes 37 ns so instead of 322, one of Anthropic's 56 instead of
//! 216, one of the Responses API 54 instead of 227.

use memchr::memchr2;

use super::is_space;
use crate::meter::steps;

/// The longest event that is remembered.
const MAX_EVENT: usize = 1024;
/// The most parts of it that may vary.
const MAX_HOLES: usize = 12;

/// Members whose text or number is news wherever it differs: what the event is, whose it is, at which price.
const BOUND: [&[u8]; 5] = [b"type", b"event_type", b"object", b"index", b"service_tier"];

/// An event to compare with.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    bytes: [u8; MAX_EVENT],
    len: usize,
    holes: [Hole; MAX_HOLES],
    /// How many of the holes are known, in the order of the text.
    known: usize,
}

/// A part of the event that may vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hole {
    start: u16,
    end: u16,
    holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// The inside of a string.
    Text,
    Number,
    /// White space between tokens.
    Space,
}

impl Shape {
    pub(crate) const NONE: Self = Self {
        bytes: [0; MAX_EVENT],
        len: 0,
        holes: [Hole {
            start: 0,
            end: 0,
            holds: Holds::Space,
        }; MAX_HOLES],
        known: 0,
    };

    /// Remembers an event: one whole JSON value, already scanned. One that is too long is not remembered.
    pub(crate) fn learn(&mut self, event: &[u8]) {
        self.known = 0;
        self.len = 0;
        if let Some(room) = self.bytes.get_mut(..event.len()) {
            room.copy_from_slice(event);
            self.len = event.len();
        }
    }

    pub(crate) fn forget(&mut self) {
        self.len = 0;
    }

    /// Whether an event has this shape. Finds out on the way which parts may vary.
    pub(crate) fn fits(&mut self, event: &[u8]) -> bool {
        if self.len == 0 {
            return false;
        }
        while let Err((at, byte)) = self.compare(event) {
            if !self.widen(at, byte) {
                return false;
            }
        }
        true
    }

    /// `Err`: where in this shape the event first differs, and its byte there.
    fn compare(&self, event: &[u8]) -> Result<(), (usize, Option<u8>)> {
        steps::add(event.len());
        let mut rest = event;
        let mut start = 0;
        for hole in &self.holes[..self.known] {
            rest = literal(&self.bytes[start..usize::from(hole.start)], rest, start)?;
            rest = hole.fill(rest).ok_or((self.len, None))?;
            start = usize::from(hole.end);
        }
        match literal(&self.bytes[start..self.len], rest, start)?.first() {
            None => Ok(()),
            Some(&byte) => Err((self.len, Some(byte))),
        }
    }

    /// Makes a hole where the event differs, if the meaning allows it.
    fn widen(&mut self, at: usize, byte: Option<u8>) -> bool {
        let Some(hole) = self.hole_at(at, byte) else {
            return false;
        };
        let known = &self.holes[..self.known];
        let place = known.partition_point(|other| other.start < hole.start);
        let clear = known
            .iter()
            .all(|other| other.end < hole.start || hole.end < other.start);
        if !clear || self.known == MAX_HOLES {
            return false;
        }
        self.holes.copy_within(place..self.known, place + 1);
        self.holes[place] = hole;
        self.known += 1;
        true
    }

    /// The hole that would take in position `at`, where the event has `byte`.
    fn hole_at(&self, at: usize, byte: Option<u8>) -> Option<Hole> {
        let bytes = &self.bytes[..self.len];
        let mut free = true;
        let mut here = 0;
        while here <= at && here < bytes.len() {
            match bytes[here] {
                _ if here == at && byte.is_some_and(is_space) => break,
                b'"' => {
                    let start = here + 1;
                    let end = start + string_end(&bytes[start..])?;
                    here = end + 1;
                    let text = &bytes[start..end];
                    let behind = bytes[here..].iter().find(|&&byte| !is_space(byte));
                    if behind == Some(&b':') {
                        if text.contains(&b'\\') {
                            return None;
                        }
                        free = !BOUND.contains(&text);
                    } else if at <= end && at >= start {
                        // An empty string stays empty: text in it would be news.
                        return hole(start, end, Holds::Text).filter(|_| free && start < end);
                    }
                    if at < here {
                        return None;
                    }
                }
                b'-' | b'0'..=b'9' => {
                    let end = here + number_len(&bytes[here..]);
                    if at < end || (at == end && byte.is_some_and(is_number)) {
                        return hole(here, end, Holds::Number).filter(|_| free);
                    }
                    here = end;
                }
                _ => here += 1,
            }
        }
        self.space_at(at, byte)
    }

    /// White space may vary beside punctuation.
    fn space_at(&self, at: usize, byte: Option<u8>) -> Option<Hole> {
        let bytes = &self.bytes[..self.len];
        let before = bytes[..at]
            .iter()
            .rposition(|&byte| !is_space(byte))
            .map_or(0, |last| last + 1);
        let behind = at
            + bytes[at..]
                .iter()
                .take_while(|&&byte| is_space(byte))
                .count();
        let some = before < behind || byte.is_some_and(is_space);
        let beside = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_none_or(|&byte| is_punctuation(byte))
        };
        (some && (beside(before.checked_sub(1)) || beside(Some(behind))))
            .then(|| hole(before, behind, Holds::Space))
            .flatten()
    }
}

impl Hole {
    /// What follows the hole's content in an event.
    fn fill(self, event: &[u8]) -> Option<&[u8]> {
        let len = match self.holds {
            Holds::Text => string_end(event)?,
            Holds::Number if matches!(event.first(), Some(b'-' | b'0'..=b'9')) => number_len(event),
            Holds::Number => return None,
            Holds::Space => event.iter().take_while(|&&byte| is_space(byte)).count(),
        };
        Some(&event[len..])
    }
}

/// What follows a literal part; else where it first differs.
fn literal<'a>(
    part: &[u8],
    event: &'a [u8],
    start: usize,
) -> Result<&'a [u8], (usize, Option<u8>)> {
    event.strip_prefix(part).ok_or_else(|| {
        let same = part.iter().zip(event).take_while(|(a, b)| a == b).count();
        (start + same, event.get(same).copied())
    })
}

fn hole(start: usize, end: usize, holds: Holds) -> Option<Hole> {
    let (start, end) = (u16::try_from(start).ok()?, u16::try_from(end).ok()?);
    Some(Hole { start, end, holds })
}

/// Where the closing quote is.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        let at = start + memchr2(b'"', b'\\', text.get(start..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        start = at + 2;
    }
}

fn number_len(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| is_number(byte)).count()
}

const fn is_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

const fn is_punctuation(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':')
}

#[cfg(test)]
mod tests {
    use super::Shape;

    const EVENT: &str = r#"{"type":"d","n":12,"text":"Hi","none":"","last":null} "#;

    fn fits(event: &str) -> bool {
        let mut shape = Shape::NONE;
        shape.learn(EVENT.as_bytes());
        shape.fits(event.as_bytes())
    }

    #[test]
    fn text_numbers_and_white_space_may_vary() {
        for event in [
            EVENT,
            r#"{"type":"d","n":-1.5e3,"text":"\"\\","none":"","last":null}"#,
            r#"{"type":"d","n":123,"text":"","none":"","last":null}  "#,
            r#"{ "type" :"d", "n":1,"text":"a long text { \" }","none":"","last":null }"#,
        ] {
            assert!(fits(event), "{event}");
        }
    }

    #[test]
    fn nothing_else_may_vary() {
        for event in [
            "",
            r#"{"type":"e","n":12,"text":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"x","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":"x"}"#,
            r#"{"type":"d","n":12,"text":null,"none":"","last":null}"#,
            r#"{"type":"d","n":null,"text":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":1 2,"text":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":nu ll}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":null,"usage":{}}"#,
            r#"{"type":"d","n":12,"test":"Hi","none":"","last":null}"#,
            r#"{"type":"d","n":12,"text":"Hi","none":"","last":null"#,
        ] {
            assert!(!fits(event), "{event}");
        }
    }
}
