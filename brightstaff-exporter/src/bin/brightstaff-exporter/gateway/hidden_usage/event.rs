//! The event that tells the usage of a stream, and nothing else.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::lines::data_lines;

/// What of a chunk says whether there is more in it than usage.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: &'a RawValue,
    #[serde(borrow)]
    usage: &'a RawValue,
    error: Option<IgnoredAny>,
}

/// Whether an event was only sent because usage was asked for: its `choices` are empty, and its `usage` is an object. An
/// error is for the client, whatever stands beside it.
pub(super) fn tells_usage_only(event: &[u8]) -> bool {
    let data = data(event);
    let Ok(text) = std::str::from_utf8(&data) else {
        return false;
    };
    // The type would also take an array of its members' values.
    if !text.trim_start().starts_with('{') {
        return false;
    }
    serde_json::from_str::<Chunk<'_>>(text).is_ok_and(|chunk| {
        let choices = chunk.choices.get();
        let inner = choices.strip_prefix('[').and_then(|c| c.strip_suffix(']'));
        let empty = inner.is_some_and(|inner| inner.trim().is_empty());
        empty && chunk.usage.get().starts_with('{') && chunk.error.is_none()
    })
}

/// The data of an event as one text.
fn data(event: &[u8]) -> Cow<'_, [u8]> {
    let mut lines = data_lines(event, false);
    let first = lines.next().unwrap_or_default();
    let Some(second) = lines.next() else {
        return first.into();
    };
    let mut whole = first.to_vec();
    for line in std::iter::once(second).chain(lines) {
        whole.push(b'\n');
        whole.extend_from_slice(line);
    }
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_alone_is_told_from_everything_else() {
        for (event, only) in [
            (r#"data: {"choices":[],"usage":{}}"#, true),
            (
                r#"data:{"usage":{"a":1},"x_groq":{},"choices":[ ],"error":null}"#,
                true,
            ),
            (
                "id: 1\r\nevent: chunk\r\ndata: {\"choices\":[],\r\ndata: \"usage\":{}}\r\n\r\n",
                true,
            ),
            (r#"data: {"choices":[],"usage":null}"#, false),
            (r#"data: {"choices":[]}"#, false),
            (r#"data: {"usage":{}}"#, false),
            (
                r#"data: {"choices":[],"usage":{},"error":{"message":"no"}}"#,
                false,
            ),
            (
                r#"data: {"choices":[{"index":0,"delta":{}}],"usage":{}}"#,
                false,
            ),
            (r#"data: {"choices":null,"usage":{}}"#, false),
            (r#"data: {"choices":[],"x":{"usage":{}}}"#, false),
            (r#"data: [[],{},null]"#, false),
            (r#"data: {"choices":[],"usage":{}"#, false),
            (r#": {"choices":[],"usage":{}}"#, false),
            ("data: [DONE]", false),
            ("", false),
        ] {
            assert_eq!(tells_usage_only(event.as_bytes()), only, "{event}");
        }
        assert!(!tells_usage_only(
            b"data: {\"choices\":[],\"usage\":{\"\xff\":1}}"
        ));
    }
}
