//! JSON documents one behind the other, and the elements of an array.

use serde_json::Value;

use super::{read, with_line_ends};

const JSON: Option<&str> = Some("application/json");
const NDJSON: Option<&str> = Some("application/x-ndjson");

/// An event that is a token of an API whose streams may be arrays.
const FIRST: &str = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;

/// White space between values changes nothing, nor does that within them; an array is read as the lines are;
/// and a broken line costs itself alone.
pub(crate) fn values(bytes: &[u8]) {
    for kind in [JSON, NDJSON] {
        read(kind, None, bytes, bytes);
        read(kind, None, &[b"[", bytes].concat(), bytes);
        read(
            kind,
            None,
            &[FIRST.as_bytes(), b"\n", bytes].concat(),
            bytes,
        );
    }
    let lines = bytes.split(|&byte| byte == b'\n');
    let values: Vec<Value> = lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    if values.is_empty() {
        return;
    }
    let compact: Vec<String> = values.iter().map(Value::to_string).collect();
    let pretty: Vec<String> = values
        .iter()
        .map(|value| with_line_ends(value, "\r\n"))
        .collect();
    for kind in [JSON, NDJSON] {
        let facts = |body: String| read(kind, None, body.as_bytes(), bytes);
        let plain = facts(compact.join("\n") + "\n");
        assert_eq!(plain, facts(compact.join(" \r\n\t\n ") + "\n"));
        assert_eq!(plain, facts(pretty.join("\n") + "\n"));
        let array = facts(format!("[{}]", compact.join(",")));
        assert_eq!(array, facts(format!("[\n{}\t]\r\n", pretty.join(" ,\n"))));
    }
    stream(&compact, bytes);
}

/// The same behind a first event that shows a stream.
fn stream(values: &[String], seed: &[u8]) {
    let lines = format!("{FIRST}\n{}\n", values.join("\n"));
    let lines = read(NDJSON, None, lines.as_bytes(), seed);
    assert_eq!(lines.events, values.len() as u64 + 1);
    let array = format!("[{FIRST},{}]", values.join(","));
    assert_eq!(lines, read(JSON, None, array.as_bytes(), seed));
    let broken = format!("{FIRST}\n{{\"a\" 1}}, {{}}\n{}\n", values.join("\n"));
    let broken = read(NDJSON, None, broken.as_bytes(), seed);
    assert_eq!(broken.events, lines.events + 1);
    assert_eq!((broken.model, broken.usage), (lines.model, lines.usage));
    assert_eq!(broken.details, lines.details);
    assert_eq!(
        (broken.error, broken.terminal),
        (lines.error, lines.terminal)
    );
    assert_eq!(broken.choices, lines.choices);
}
