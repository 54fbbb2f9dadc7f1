//! Server-sent events, and what stands between them.

use serde_json::Value;

use super::{read, with_line_ends};

/// Server-sent events are counted as a line-by-line reading of the standard counts them.
pub(crate) fn framing(bytes: &[u8]) {
    // A comment makes it a stream, a blank line ends its last event.
    let body = [b":\n", bytes, b"\n\n"].concat();
    let facts = read(Some("text/event-stream"), None, &body, bytes);
    assert_eq!(facts.events, count_events(&body));
}

fn count_events(body: &[u8]) -> u64 {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut bytes = body.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                if byte == b'\r' && bytes.peek() == Some(&&b'\n') {
                    bytes.next();
                }
                lines.push(std::mem::take(&mut line));
            }
            _ => line.push(byte),
        }
    }
    let mut events = 0;
    let mut data = false;
    for line in lines {
        if line.is_empty() {
            events += u64::from(std::mem::take(&mut data));
        } else {
            data |= line == b"data" || line.starts_with(b"data:");
        }
    }
    events
}

/// An event before the JSON that is no event, and one behind it.
const BEFORE: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n";
const BEHIND: &str = "\ndata: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n";

/// JSON between the events, without a field's name before it, is an error where it would be one as an event,
/// is no event, and says nothing else; however it is broken into lines.
pub(crate) fn sse_stray(bytes: &[u8]) {
    let kind = Some("text/event-stream");
    let between = |text: &[u8]| [BEFORE.as_bytes(), text, BEHIND.as_bytes()].concat();
    read(kind, None, &between(bytes), bytes);
    let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(bytes) else {
        return;
    };
    let line = value.to_string();
    let stray = read(kind, None, &between(line.as_bytes()), bytes);
    let event = between(format!("data: {line}\n").as_bytes());
    let event = read(kind, None, &event, bytes);
    assert_eq!((stray.events, event.events), (2, 3));
    assert_eq!(stray.error, event.error);
    let without = read(kind, None, &between(b""), bytes);
    assert_eq!((stray.usage, stray.model), (without.usage, without.model));
    assert_eq!(stray.terminal, without.terminal);
    for end in ["\n", "\r", "\r\n"] {
        let lines = with_line_ends(&value, end);
        assert_eq!(stray, read(kind, None, &between(lines.as_bytes()), bytes));
        // Cut within, it says nothing, and the events behind it count.
        let cut = &lines.as_bytes()[..bytes.len() % lines.len()];
        let facts = read(kind, None, &between(cut), bytes);
        assert_eq!((facts.events, facts.error), (2, false));
    }
}
