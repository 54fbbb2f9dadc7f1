//! What must hold for any bytes. The fuzz targets look for a counterexample without end, the tests for a
//! moment.
#![allow(dead_code)] // No target uses all of it.

use brightstaff_metrics_core::labels::UsageMissing;
use brightstaff_metrics_core::meter::{Facts, Meter};
use serde_json::Value;

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

/// JSON is read as `serde_json` reads it: what stands beside the usage cannot change it, and what stands
/// in it counts.
pub(crate) fn json(bytes: &[u8]) {
    let rest = r#""model":"m","usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        let body = [
            br#"{"object":"chat.completion","choices":"#,
            bytes,
            b",",
            rest.as_bytes(),
        ]
        .concat();
        read(Some("application/json"), None, &body, bytes);
        return;
    };
    for place in [
        r#""decoy":"#,
        r#""decoys":[[{"x":"#,
        r#""choices":[{"message":"#,
    ] {
        let close = place.chars().rev().filter_map(|open| match open {
            '{' => Some('}'),
            '[' => Some(']'),
            _ => None,
        });
        let close: String = close.collect();
        let head = [r#"{"object":"chat.completion","#, place].concat();
        let tail = [close.as_str(), ",", rest].concat();
        let body = [head.as_bytes(), bytes, tail.as_bytes()].concat();
        let facts = read(Some("application/json"), None, &body, bytes);
        assert_eq!(facts.model.as_str(), Some("m"));
        assert_eq!(
            (facts.usage.prompt, facts.usage.completion),
            (Some(7), Some(3))
        );
    }
    if let Value::Object(usage) = &value {
        let model = usage.get("model").and_then(Value::as_str).unwrap_or("m");
        let document =
            serde_json::json!({"object": "chat.completion", "model": model, "usage": usage});
        let bodies = [
            serde_json::to_vec(&document),
            serde_json::to_vec_pretty(&document),
        ];
        for body in bodies.into_iter().flatten() {
            let facts = read(Some("application/json"), None, &body, bytes);
            let given = (!model.is_empty() && model.len() <= 128).then_some(model);
            assert_eq!(facts.model.as_str(), given);
            let others = [
                "input_tokens",
                "inputTokens",
                "output_tokens",
                "outputTokens",
                "tokens",
                "billed_units",
            ];
            if usage
                .keys()
                .all(|key| !others.contains(&key.as_str()) && !key.contains("details"))
            {
                assert_eq!(facts.usage.prompt, count(usage.get("prompt_tokens")));
                if usage.get("reasoning_tokens").is_none() {
                    assert_eq!(
                        facts.usage.completion,
                        count(usage.get("completion_tokens"))
                    );
                }
            }
        }
    }
}

fn count(value: Option<&Value>) -> Option<u64> {
    let number = value?.as_number()?;
    let count = number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        (0.0..=9_007_199_254_740_992.0)
            .contains(&float)
            .then_some(float as u64)
    })?;
    (count <= 1 << 32).then_some(count)
}

/// Messages of an event stream are counted, whatever their headers and payloads are.
pub(crate) fn event_stream(bytes: &[u8]) {
    let kind = Some("application/vnd.amazon.eventstream");
    read(kind, None, bytes, bytes);
    let names = [
        "chunk",
        "messageStart",
        "contentBlockDelta",
        "messageStop",
        "metadata",
        "x",
    ];
    let mut body = Vec::new();
    let mut messages = 0;
    for part in bytes.split(|&byte| byte == b'\n') {
        let name = names[part.first().map_or(0, |&byte| usize::from(byte)) % names.len()];
        let mut headers = vec![11];
        headers.extend(b":event-type\x07\x00");
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        let payload = match name {
            "chunk" => [b"{\"bytes\":\"", part, b"\"}"].concat(),
            _ => part.to_vec(),
        };
        let total = 16 + headers.len() + payload.len();
        body.extend((total as u32).to_be_bytes());
        body.extend((headers.len() as u32).to_be_bytes());
        body.extend([0; 4]);
        body.extend(headers);
        body.extend(payload);
        body.extend([0; 4]);
        messages += 1;
    }
    assert_eq!(read(kind, None, &body, bytes).events, messages);
}

/// Any body under any header reads the same at any split, and never panics.
pub(crate) fn meter(bytes: &[u8]) {
    meter_split_by(bytes, bytes);
}

/// The same, at the splits that `seed` decides.
pub(crate) fn meter_split_by(bytes: &[u8], seed: &[u8]) {
    let types = [
        None,
        Some("application/json"),
        Some("text/event-stream"),
        Some("application/x-ndjson"),
        Some("application/vnd.amazon.eventstream"),
        Some("text/html"),
    ];
    let encodings = [
        None,
        None,
        Some("gzip"),
        Some("deflate"),
        Some("zstd"),
        Some("br"),
        Some("zstd, gzip"),
    ];
    let Some((&head, body)) = bytes.split_first() else {
        return;
    };
    let content_type = types[usize::from(head) % types.len()];
    let encoding = encodings[usize::from(head) / types.len() % encodings.len()];
    read(content_type, encoding, body, seed);
}

/// Reads a body whole, byte by byte, and at splits that `seed` decides; all must say the same. Damaged
/// brotli and zstd are the exception: what their decoders drop then depends on the split. So is a body that
/// is given up past a bound, one of which is per chunk.
fn read(content_type: Option<&str>, encoding: Option<&str>, body: &[u8], seed: &[u8]) -> Facts {
    let facts = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let mut meter = Meter::new(content_type, encoding);
        for chunk in chunks {
            meter.push(chunk);
            let facts = meter.facts();
            assert!(
                facts
                    .first_token_event
                    .is_none_or(|event| event < facts.events)
            );
        }
        meter.finish();
        let facts = meter.facts().clone();
        // None of these may panic, whatever the facts are.
        let _ = (
            facts.end(),
            facts.usage_missing(false),
            facts.usage_missing(true),
            facts.model.label(),
        );
        facts
    };
    let whole = facts(&mut [body].into_iter());
    let bytes = facts(&mut body.chunks(1));
    let mut rest = body;
    let mut seeds = seed.iter().chain(&[3]).cycle();
    let mut split = std::iter::from_fn(|| {
        let length = seeds.next().map_or(1, |&seed| usize::from(seed) + 1);
        let (chunk, behind) = rest.split_at(length.min(rest.len()));
        rest = behind;
        (!chunk.is_empty()).then_some(chunk)
    });
    let split = facts(&mut split);
    let unsupported = Some(UsageMissing::UnsupportedEncoding);
    let given_up = [&whole, &bytes, &split].map(|facts| facts.usage_missing(false));
    let bounded = encoding.is_some() && given_up.contains(&unsupported);
    if encoding.is_none_or(|name| name == "gzip" || name == "deflate") && !bounded {
        assert_eq!(whole, bytes);
        assert_eq!(whole, split);
    }
    whole
}
