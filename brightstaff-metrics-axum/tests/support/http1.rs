//! Reads answers of HTTP/1.1 (RFC 9112) off their bytes, to the letter: a client that made sense of what
//! is wrong would hide it.

use super::super::{case::Request, received::Received};

/// The response at the front of these bytes, and what follows it; `None` where not all of its head came.
pub(super) fn answer<'a>(bytes: &'a [u8], request: &Request) -> Option<(Received, &'a [u8])> {
    let (head, rest) = split(bytes, b"\r\n\r\n")?;
    let mut lines = text(head).split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ").expect("an answer");
    let status = status[..3].parse().expect("a status");
    let field = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a field");
        (name.to_ascii_lowercase(), value.to_owned())
    };
    let mut received = Received {
        status,
        headers: lines.map(field).collect(),
        ..Received::default()
    };
    let length = received.headers.get("content-length");
    let length = length.map(|length| length.parse().expect("a length"));
    let rest = if request.is_bodiless(status) {
        received.whole = true;
        rest
    } else if received.headers.contains_key("transfer-encoding") {
        chunks(rest, &mut received)
    } else {
        // Without any length, the end cannot be told from a cut.
        let (body, rest) = rest.split_at(rest.len().min(length.unwrap_or(rest.len())));
        received.whole = Some(body.len()) == length;
        received.body = body.to_vec();
        rest
    };
    Some((received, rest))
}

/// Reads a chunked body (RFC 9112, section 7.1), and tells what follows it.
fn chunks<'a>(mut rest: &'a [u8], received: &mut Received) -> &'a [u8] {
    while let Some((size, behind)) = split(rest, b"\r\n") {
        let size = usize::from_str_radix(text(size), 16).expect("the size of a chunk");
        if size == 0 {
            return trailers(behind, received);
        }
        let (data, behind) = behind.split_at(behind.len().min(size));
        received.body.extend(data);
        let Some(behind) = behind.strip_prefix(b"\r\n") else {
            break;
        };
        rest = behind;
    }
    &[]
}

/// Passes over the trailers, up to the empty line that ends them and the body.
fn trailers<'a>(mut rest: &'a [u8], received: &mut Received) -> &'a [u8] {
    while let Some((line, behind)) = split(rest, b"\r\n") {
        if line.is_empty() {
            received.whole = true;
            return behind;
        }
        rest = behind;
    }
    &[]
}

/// What is before and behind the first of these.
fn split<'a>(bytes: &'a [u8], by: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(by.len()).position(|window| window == by)?;
    Some((&bytes[..at], &bytes[at + by.len()..]))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}
