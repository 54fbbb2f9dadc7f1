//! The framing of Amazon's [event streams](https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html): a prelude
//! with two lengths and their checksum, headers, a payload, and the checksum of all.

use serde_json::Value;

use crate::sim::script::Frame;

/// The type of a header whose value is a text.
const TEXT: u8 = 7;
/// Two lengths and their checksum before the headers, a checksum behind the payload.
const PRELUDE_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 4;

/// An event of this type.
pub(super) fn event(kind: &str, payload: &Value) -> Frame {
    Frame::bytes(message(
        &[
            (":event-type", kind),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ],
        payload,
    ))
}

/// What ends a stream that fails.
pub(super) fn exception(kind: &str, message_text: &str) -> Frame {
    Frame::bytes(message(
        &[
            (":exception-type", kind),
            (":content-type", "application/json"),
            (":message-type", "exception"),
        ],
        &serde_json::json!({"message": message_text}),
    ))
}

fn message(headers: &[(&str, &str)], payload: &Value) -> Vec<u8> {
    let payload = payload.to_string();
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).expect("names of headers are short"));
        head.extend_from_slice(name.as_bytes());
        head.push(TEXT);
        let length = u16::try_from(value.len()).expect("values of headers are short");
        head.extend_from_slice(&length.to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let total = PRELUDE_BYTES + head.len() + payload.len() + CHECKSUM_BYTES;
    let mut message = Vec::with_capacity(total);
    for length in [total, head.len()] {
        let length = u32::try_from(length).expect("an event is far below 4 GiB");
        message.extend_from_slice(&length.to_be_bytes());
    }
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&head);
    message.extend_from_slice(payload.as_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event as Bedrock sent it.
    #[test]
    fn an_event_has_the_bytes_of_bedrocks() {
        let recorded = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../brightstaff-metrics-core/tests/fixtures/invoke_cohere.b64"
        ));
        let payload = serde_json::json!({
            "bytes": "eyJpbmRleCI6MCwiaXNfZmluaXNoZWQiOmZhbHNlLCJ0ZXh0IjoiSGkifQ==",
            "p": "abcdefg",
        });
        let frame = event("chunk", &payload);
        let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &frame.bytes);
        let recorded: String = recorded.split_whitespace().collect();
        // Base64 tells whole triples of bytes.
        let whole = frame.bytes.len() / 3 * 4;
        assert_eq!(text[..whole], recorded[..whole]);
    }
}
