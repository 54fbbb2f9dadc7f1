//! The parts of an event that may vary, and where they are.

use memchr::memchr2;

use crate::meter::json::is_space;

/// Members whose text or number is news wherever it differs: what the event is, whose it is, at which price.
pub(crate) const BOUND: [&[u8]; 6] = [
    b"type",
    b"event_type",
    b"object",
    b"index",
    b"service_tier",
    b"serviceTier",
];

/// A part of an event that may vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) start: u16,
    pub(super) end: u16,
    pub(super) holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// The inside of a string.
    Text,
    Number,
    /// A whole number whose value matters.
    Count,
    /// White space between tokens.
    Space,
}

impl Hole {
    pub(super) const NONE: Self = Self {
        start: 0,
        end: 0,
        holds: Holds::Space,
    };

    fn new(start: usize, end: usize, holds: Holds) -> Option<Self> {
        let (start, end) = (u16::try_from(start).ok()?, u16::try_from(end).ok()?);
        Some(Self { start, end, holds })
    }

    pub(super) fn start(self) -> usize {
        usize::from(self.start)
    }

    pub(super) fn end(self) -> usize {
        usize::from(self.end)
    }

    /// Moves it on in the text. Of a text that is too long for it there is no shape.
    pub(super) fn shift(&mut self, by: usize) {
        let by = u16::try_from(by).unwrap_or(u16::MAX);
        self.start = self.start.saturating_add(by);
        self.end = self.end.saturating_add(by);
    }

    /// The hole that would take in position `at` of a JSON text, where an event has `byte`.
    pub(super) fn at(json: &[u8], at: usize, byte: Option<u8>) -> Option<Self> {
        let mut free = true;
        let mut here = 0;
        while here <= at && here < json.len() {
            match json[here] {
                _ if here == at && byte.is_some_and(is_gap) => break,
                b'"' => {
                    let start = here + 1;
                    let end = start + string_end(&json[start..])?;
                    here = end + 1;
                    let text = &json[start..end];
                    let behind = json[here..].iter().find(|&&byte| !is_space(byte));
                    if behind == Some(&b':') {
                        if text.contains(&b'\\') {
                            return None;
                        }
                        free = !BOUND.contains(&text);
                    } else if at <= end && at >= start {
                        // An empty string stays empty: text in it would be news.
                        return Self::new(start, end, Holds::Text).filter(|_| free && start < end);
                    }
                    if at < here {
                        return None;
                    }
                }
                b'-' | b'0'..=b'9' => {
                    let end = here + number_len(&json[here..]);
                    if at < end || (at == end && byte.is_some_and(is_number)) {
                        return Self::new(here, end, Holds::Number).filter(|_| free);
                    }
                    here = end;
                }
                _ => here += 1,
            }
        }
        Self::space_at(json, at, byte)
    }

    /// White space may vary beside punctuation.
    fn space_at(json: &[u8], at: usize, byte: Option<u8>) -> Option<Self> {
        let before = json[..at].iter().rposition(|&byte| !is_gap(byte));
        let before = before.map_or(0, |last| last + 1);
        let behind = at + gap_len(&json[at..]);
        let some = before < behind || byte.is_some_and(is_gap);
        let beside = |at: Option<usize>| {
            at.and_then(|at| json.get(at))
                .is_none_or(|&byte| is_punctuation(byte))
        };
        (some && (beside(before.checked_sub(1)) || beside(Some(behind))))
            .then(|| Self::new(before, behind, Holds::Space))
            .flatten()
    }
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

pub(super) fn number_len(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| is_number(byte)).count()
}

pub(super) fn gap_len(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| is_gap(byte)).count()
}

pub(super) const fn is_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// White space within a line.
const fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const fn is_punctuation(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':')
}
