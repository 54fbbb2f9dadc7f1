//! AWS's event stream, and what Bedrock wraps in it.

use serde_json::Value;

use super::read;

const KIND: Option<&str> = Some("application/vnd.amazon.eventstream");

/// Messages of an event stream are counted, whatever their headers and payloads are.
pub(crate) fn event_stream(bytes: &[u8]) {
    read(KIND, None, bytes, bytes);
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
        let payload = match name {
            "chunk" => [b"{\"bytes\":\"", part, b"\"}"].concat(),
            _ => part.to_vec(),
        };
        message(&mut body, name, &payload);
        messages += 1;
    }
    assert_eq!(read(KIND, None, &body, bytes).events, messages);
}

/// Events of a model that Bedrock wraps are read as they are without, but for a guardrail that ends them.
pub(crate) fn invoke(bytes: &[u8]) {
    let (mut wrapped, mut plain) = (Vec::new(), b":\n".to_vec());
    let mut intervened = false;
    for part in bytes.split(|&byte| byte == b'\n') {
        // Anything else might be an end marker, which is none inside.
        if !part.starts_with(b"{") || part.contains(&b'\r') {
            continue;
        }
        let base64 = base64(part);
        let payload = match part.len() % 3 {
            0 => format!("{{\"bytes\":\"{base64}\"}}"),
            1 => format!("{{ \"p\": [\"abc\", {{}}], \"bytes\" : \"{base64}\" }}"),
            _ => format!("{{\"bytes\":\"{base64}\",\"p\":\"\\u0061\"}}"),
        };
        message(&mut wrapped, "chunk", payload.as_bytes());
        plain.extend(b"data: ");
        plain.extend(part);
        plain.extend(b"\n\n");
        intervened |= serde_json::from_slice::<Value>(part)
            .is_ok_and(|event| event["amazon-bedrock-guardrailAction"] == "INTERVENED");
    }
    let wrapped = read(KIND, None, &wrapped, bytes);
    let plain = read(Some("text/event-stream"), None, &plain, bytes);
    assert_eq!(wrapped.events, plain.events);
    assert_eq!(wrapped.model, plain.model);
    assert_eq!(wrapped.first_token_event, plain.first_token_event);
    assert_eq!(wrapped.usage, plain.usage);
    assert_eq!(wrapped.details, plain.details);
    assert_eq!(wrapped.choices, plain.choices);
    assert_eq!(wrapped.error, plain.error);
    assert_eq!(wrapped.reasoning_streamed, plain.reasoning_streamed);
    assert!(wrapped.terminal || !(plain.terminal || intervened));
}

/// Writes a message of this type; the checksums are nobody's.
fn message(body: &mut Vec<u8>, name: &str, payload: &[u8]) {
    let mut headers = vec![11];
    headers.extend(b":event-type\x07\x00");
    headers.push(name.len() as u8);
    headers.extend(name.as_bytes());
    let total = 16 + headers.len() + payload.len();
    body.extend((total as u32).to_be_bytes());
    body.extend((headers.len() as u32).to_be_bytes());
    body.extend([0; 4]);
    body.extend(headers);
    body.extend(payload);
    body.extend([0; 4]);
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | three.get(at).copied().map_or(0, u32::from)
        });
        for at in 0..4 {
            let sextet = bits >> (18 - 6 * at) & 63;
            text.push(match at <= three.len() {
                true => char::from(ALPHABET[sextet as usize]),
                false => '=',
            });
        }
    }
    text
}
