//! The event at hand as it came, for as long as it may be worth to be remembered.

use memchr::memchr2;

use crate::meter::json::MAX_EVENT;
use crate::meter::seam::Text;

/// The longest event that is remembered of those that come in pieces. With what else there is of a meter this
/// stays within 4 KiB.
const MAX_PIECES: usize = 704;
/// The room that is made for one at first.
const MIN_PIECES: usize = 256;

/// The text of the event at hand, unless that is too long.
#[derive(Debug)]
pub(super) struct Draft {
    text: Vec<u8>,
    /// Some of it is not here.
    spoiled: bool,
}

impl Draft {
    pub(super) const EMPTY: Self = Self {
        text: Vec::new(),
        spoiled: false,
    };

    /// Another event begins.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.spoiled = false;
    }

    /// More of it came.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        let (len, room) = (self.text.len() + bytes.len(), self.text.capacity());
        self.spoiled |= len > MAX_PIECES;
        if self.spoiled {
            return;
        }
        if len > room {
            let room = len.max(room * 2).clamp(MIN_PIECES, MAX_PIECES);
            self.text.reserve_exact(room - self.text.len());
        }
        self.text.extend_from_slice(bytes);
    }

    /// It is not worth it.
    pub(super) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// The last of it came; all of it, if that is here.
    pub(super) fn end<'a>(&'a mut self, last: &'a [u8]) -> Option<Text<'a>> {
        let begun = !self.text.is_empty();
        if begun {
            self.keep(last);
        }
        let event = if begun { &self.text } else { last };
        if self.spoiled || event.len() > MAX_EVENT {
            return None;
        }
        Some(Text {
            event,
            payload: data(event)?,
            // Lines end in CRLF: dispatched is at the CR.
            line_feed: event.ends_with(b"\r\n\r"),
        })
    }
}

/// Where the value of the first field `data` is, if it is an object: a string may be an end marker.
fn data(event: &[u8]) -> Option<(usize, usize)> {
    let mut start = 0;
    loop {
        let line = event.get(start..)?;
        let len = memchr2(b'\n', b'\r', line)?;
        if let Some(value) = line[..len].strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            let object = value.first() == Some(&b'{');
            return object.then_some((start + len - value.len(), start + len));
        }
        start += len + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, MAX_EVENT, MAX_PIECES, MIN_PIECES};

    fn end<'a>(draft: &'a mut Draft, pieces: &[&'a [u8]]) -> Option<(&'a [u8], &'a [u8], bool)> {
        draft.clear();
        let (last, first) = pieces.split_last()?;
        first.iter().for_each(|piece| draft.keep(piece));
        let text = draft.end(last)?;
        let (start, end) = text.payload;
        Some((text.event, &text.event[start..end], text.line_feed))
    }

    #[test]
    fn the_event_is_whole_and_its_data_found() {
        let mut draft = Draft::EMPTY;
        let event = b"event: a\ndata: {}\n\n";
        let expected = Some((&event[..], &b"{}"[..], false));
        assert_eq!(end(&mut draft, &[event]), expected);
        assert_eq!(end(&mut draft, &[&event[..4], &event[4..]]), expected);
        let event = b"data:{ }\r\n\r";
        let expected = Some((&event[..], &b"{ }"[..], true));
        assert_eq!(end(&mut draft, &[event]), expected);
        assert_eq!(end(&mut draft, &[b"event: a\n\n"]), None);
        assert_eq!(end(&mut draft, &[b"data: \"[DANE]\"\n\n"]), None);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut draft = Draft::EMPTY;
        let long = b"data: x".repeat(MAX_EVENT / 7 + 1);
        assert_eq!(end(&mut draft, &[&long, b"\n\n"]), None);
        assert_eq!(end(&mut draft, &[&[&long[..], b"\n\n"].concat()]), None);
        let long = &long[..MAX_PIECES];
        assert_eq!(end(&mut draft, &[long, b"\n\n"]), None);
        let pieces: Vec<_> = long.chunks(16).chain([&b"\n\n"[..]]).collect();
        assert_eq!(end(&mut draft, &pieces), None);
        assert!((MIN_PIECES..=MAX_PIECES).contains(&draft.text.capacity()));
    }
}
