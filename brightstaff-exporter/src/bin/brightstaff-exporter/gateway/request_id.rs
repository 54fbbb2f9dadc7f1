//! `x-request-id`: the name of a request in every place that tells of it.
//!
//! A client's own is kept. Where it sent none, or one that is no name, the gateway makes one. It goes to the upstream
//! as a header, and into the log's lines, the access log and the bodies of the gateway's errors.
//!
//! In responses it is `x-request-id`, unless the upstream's response has one: that is what the upstream's support asks
//! for, and it stays. The access log has both.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a client, in bytes.
const MAX_BYTES: usize = 128;

/// The id of one request: visible ASCII.
#[derive(Clone, Debug)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    /// Sees to it that a request has one id.
    pub(super) fn settle(headers: &mut HeaderMap) -> Self {
        let mut given = headers.get_all(X_REQUEST_ID).iter();
        if let (Some(id), None) = (given.next(), given.next())
            && fits(id)
        {
            return Self(id.clone());
        }
        let id = random(rand::random());
        headers.insert(X_REQUEST_ID, id.clone());
        Self(id)
    }

    /// That of a request which has one.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let id = headers.get(X_REQUEST_ID).filter(|id| fits(id));
        id.cloned().map(Self)
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// Puts it into a response that has none of its upstream's.
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        headers.entry(X_REQUEST_ID).or_insert(self.0);
    }

    #[cfg(test)]
    pub(super) fn of_test(id: &'static str) -> Self {
        Self(HeaderValue::from_static(id))
    }
}

fn fits(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=MAX_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

/// A UUID of version 4 (RFC 9562, section 5.4) of these bits.
fn random(bits: u128) -> HeaderValue {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let mut text = [b'-'; 36];
    let mut left = 128;
    for (at, byte) in text.iter_mut().enumerate() {
        if !matches!(at, 8 | 13 | 18 | 23) {
            left -= 4;
            *byte = HEX[(bits >> left) as usize & 0xf];
        }
    }
    HeaderValue::from_bytes(&text).expect("it is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(given: &[&str]) -> (RequestId, HeaderMap) {
        let mut headers = HeaderMap::new();
        for id in given {
            let id = HeaderValue::from_bytes(id.as_bytes()).unwrap();
            headers.append(X_REQUEST_ID, id);
        }
        (RequestId::settle(&mut headers), headers)
    }

    #[test]
    fn a_client_s_id_is_kept_where_it_is_one() {
        for id in ["a", "req_0123", "!\"#~", &"x".repeat(128)] {
            let (settled, headers) = settled(&[id]);
            assert_eq!(settled.as_str(), id);
            assert_eq!(headers[X_REQUEST_ID], id);
        }
        for ids in [
            &[][..],
            &[""],
            &["a b"],
            &["a\tb"],
            &["h\u{f6}r"],
            &[&"x".repeat(129)],
            &["one", "two"],
            &["same", "same"],
        ] {
            let (settled, headers) = settled(ids);
            let text = settled.as_str();
            assert_eq!(text.len(), 36, "{ids:?}");
            assert!(!ids.contains(&text));
            let all: Vec<_> = headers.get_all(X_REQUEST_ID).iter().collect();
            assert_eq!(all, [text]);
        }
    }

    #[test]
    fn a_made_id_is_a_uuid() {
        for (bits, uuid) in [
            (0, "00000000-0000-4000-8000-000000000000"),
            (u128::MAX, "ffffffff-ffff-4fff-bfff-ffffffffffff"),
            (
                0x0123_4567_89ab_cdef_0123_4567_89ab_cdef,
                "01234567-89ab-4def-8123-456789abcdef",
            ),
        ] {
            assert_eq!(random(bits), uuid);
        }
        let (one, _) = settled(&[]);
        let (other, _) = settled(&[]);
        assert_ne!(one.as_str(), other.as_str());
    }

    #[test]
    fn an_upstream_s_id_stays() {
        let mut headers = HeaderMap::new();
        RequestId::of_test("ours").mark(&mut headers);
        assert_eq!(headers[X_REQUEST_ID], "ours");
        let mut headers =
            HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static("theirs"))]);
        RequestId::of_test("ours").mark(&mut headers);
        let all: Vec<_> = headers.get_all(X_REQUEST_ID).iter().collect();
        assert_eq!(all, ["theirs"]);
    }
}
