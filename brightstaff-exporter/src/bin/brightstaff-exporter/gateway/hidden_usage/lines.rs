//! The lines of an event stream, which end with `\n`, `\r\n` or `\r`, and its events, which end with an empty one.

use memchr::{memchr2, memrchr2};

/// A mark that a stream may begin with, and that belongs to no line.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What a line with a part of an event's data begins with.
const DATA: &[u8] = b"data:";

/// Enough of a line to tell what it is.
const START: usize = BOM.len() + DATA.len();

/// The place in its line that a stream has come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// What the line begins with.
    start: [u8; START],
    len: usize,
    /// The last byte was `\r`: a `\n` behind it ends no line.
    after_cr: bool,
}

impl Place {
    /// These bytes passed.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        let line = match memrchr2(b'\n', b'\r', bytes) {
            Some(end) => {
                self.len = 0;
                &bytes[end + 1..]
            }
            None => bytes,
        };
        self.after_cr = *last == b'\r';
        let more = line.len().min(START - self.len);
        self.start[self.len..self.len + more].copy_from_slice(&line[..more]);
        self.len += more;
    }

    /// Whether nothing came of this line.
    pub(super) fn is_start(&self) -> bool {
        self.len == 0
    }

    /// Whether a `\n` now would belong to the line before.
    pub(super) fn is_after_cr(&self) -> bool {
        self.after_cr
    }

    /// Whether `text[at]`, where `text` is what comes next, is in a line of data.
    pub(super) fn is_data(&self, text: &[u8], at: usize) -> bool {
        match memrchr2(b'\n', b'\r', &text[..at]) {
            Some(end) => is_data(&text[end + 1..]),
            None => {
                let mut whole = *self;
                let more = text.len().min(START - whole.len);
                whole.start[whole.len..whole.len + more].copy_from_slice(&text[..more]);
                is_data(&whole.start[..whole.len + more])
            }
        }
    }
}

fn is_data(line: &[u8]) -> bool {
    line.strip_prefix(BOM).unwrap_or(line).starts_with(DATA)
}

/// Where the event ends that `text[at]` is in: behind the empty line. `is_start`: nothing of its line came before.
pub(super) fn event_end(text: &[u8], mut at: usize, mut is_start: bool) -> Option<usize> {
    loop {
        let line_end = at + memchr2(b'\n', b'\r', &text[at..])?;
        let is_empty = is_start && line_end == at;
        at = line_end + line_break(&text[line_end..]);
        if is_empty {
            return Some(at);
        }
        is_start = true;
    }
}

/// The length of the line break that a text begins with.
fn line_break(text: &[u8]) -> usize {
    if text.starts_with(b"\r\n") { 2 } else { 1 }
}

/// The data of an event, line by line. With `within`, the text begins in the middle of a line of data.
pub(super) fn data_lines(text: &[u8], within: bool) -> impl Iterator<Item = &[u8]> {
    let mut rest = (!text.is_empty()).then_some(text);
    let mut within = within;
    let lines = std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr2(b'\n', b'\r', text).unwrap_or(text.len());
        let (line, behind) = text.split_at(end);
        rest = (!behind.is_empty()).then(|| &behind[line_break(behind)..]);
        Some((line, std::mem::take(&mut within)))
    });
    lines.filter_map(|(line, whole)| {
        let data = || line.strip_prefix(BOM).unwrap_or(line).strip_prefix(DATA);
        if whole { Some(line) } else { data() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_behind_an_empty_line_of_any_kind() {
        for (text, end) in [
            ("data: a\n\ndata: b", Some(9)),
            ("data: a\r\n\r\ndata: b", Some(11)),
            ("data: a\r\rdata: b", Some(9)),
            ("event: e\ndata: a\n\r\n", Some(19)),
            ("\n", Some(1)),
            ("data: a\n", None),
            ("data: a", None),
            ("", None),
        ] {
            assert_eq!(event_end(text.as_bytes(), 0, true), end, "{text:?}");
        }
        assert_eq!(event_end(b"\n\n", 0, false), Some(2));
    }

    #[test]
    fn lines_of_data_are_told_from_others_at_any_split() {
        for (text, data) in [
            ("data: {", true),
            ("data:{", true),
            ("\u{feff}data:{", true),
            ("event: x\r\ndata: {", true),
            ("data: x\n: comment {", false),
            ("date: {", false),
            ("dat", false),
        ] {
            let bytes = text.as_bytes();
            for split in 0..bytes.len() {
                let mut place = Place::default();
                place.advance(&bytes[..split]);
                let rest = &bytes[split..];
                assert_eq!(place.is_data(rest, rest.len()), data, "{text:?} at {split}");
            }
        }
    }

    #[test]
    fn data_is_read_line_by_line() {
        let text = b"data: {\r\nevent: x\rdata:}\n\n";
        assert_eq!(
            data_lines(text, false).collect::<Vec<_>>(),
            [&b" {"[..], b"}"]
        );
        let text = b"1}\n:data: \ndata";
        assert_eq!(data_lines(text, true).collect::<Vec<_>>(), [b"1}"]);
    }
}
