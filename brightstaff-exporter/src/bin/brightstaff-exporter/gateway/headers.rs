//! Which headers pass, and the credentials that are put in.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
        TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};

use super::{credentials, destination::Outgoing};
use crate::config::Api;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const AZURE_API_KEY: HeaderName = HeaderName::from_static("api-key");
const GEMINI_AS_OPENAI: &str = "/v1beta/openai/";
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Meant for this connection alone (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    PROXY_CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Leaves what is meant for the other end.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages have none: looking at the names once costs less than looking for each.
    if !headers.keys().any(|name| HOP_BY_HOP.contains(name)) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    // A length beside it is not that of the body (RFC 9112, section 6.3).
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Whether a header that is a list, such as `connection`, has this entry, whose case does not matter.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, entry: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|listed| listed.trim().eq_ignore_ascii_case(entry))
}

/// Leaves what passes to a destination, and `host`, in whose place the client puts another; it puts in the length of
/// the body, too, which is there as a whole.
pub(super) fn strip_request(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    for name in [CONTENT_LENGTH, EXPECT] {
        headers.remove(name);
    }
}

/// The credentials of the gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    /// The header that the provider's own API takes a key in.
    name: HeaderName,
    plain: HeaderValue,
    bearer: HeaderValue,
}

impl Credentials {
    /// `None` where no header can carry this key.
    pub(super) fn new(api: Api, key: &str) -> Option<Self> {
        let sensitive = |value: Result<HeaderValue, _>| {
            let mut value = value.ok().filter(|_| !key.is_empty())?;
            value.set_sensitive(true);
            Some(value)
        };
        Some(Self {
            name: match api {
                Api::Anthropic => API_KEY,
                Api::Gemini => GOOG_API_KEY,
                Api::Azure => AZURE_API_KEY,
                _ => AUTHORIZATION,
            },
            plain: sensitive(HeaderValue::from_str(key))?,
            bearer: sensitive(format!("Bearer {key}").try_into())?,
        })
    }

    /// Puts them in place of whatever the client sent, which was for the gateway.
    pub(super) fn apply(&self, out: &mut Outgoing<'_>) {
        credentials::strip(&mut out.headers, &mut out.query);
        let headers = &mut out.headers;
        // There Gemini takes a key as OpenAI does.
        let as_openai = out.path.contains(GEMINI_AS_OPENAI);
        if self.name == AUTHORIZATION || as_openai {
            headers.insert(AUTHORIZATION, self.bearer.clone());
            return;
        }
        headers.insert(self.name.clone(), self.plain.clone());
        if self.name == API_KEY {
            headers
                .entry(ANTHROPIC_VERSION)
                .or_insert(HeaderValue::from_static("2023-06-01"));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use bytes::Bytes;

    use super::{super::client::Content, *};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn strips_what_connection_names() {
        let mut map = headers(&[
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("x-other", "2"),
            ("te", "trailers"),
            ("content-length", "3"),
        ]);
        strip_request(&mut map);
        assert_eq!(map, headers(&[("x-other", "2")]));
    }

    #[test]
    fn a_length_beside_a_transfer_encoding_goes_with_it() {
        let mut map = headers(&[("transfer-encoding", "chunked"), ("content-length", "5")]);
        strip_hop_by_hop(&mut map);
        assert_eq!(map, headers(&[]));
    }

    fn outgoing(sent: &[(&'static str, &'static str)]) -> Outgoing<'static> {
        Outgoing {
            method: Method::POST,
            path: "/v1/messages".into(),
            query: Some("beta=true&key=client".into()),
            headers: headers(sent),
            body: Content::Whole(Bytes::new()),
        }
    }

    #[test]
    fn replaces_the_clients_credentials() {
        let sent = [("authorization", "Bearer client"), ("x-api-key", "client")];
        let mut out = outgoing(&sent);
        let ours = Credentials::new(Api::OpenAi, "ours").unwrap();
        ours.apply(&mut out);
        assert_eq!(out.headers, headers(&[("authorization", "Bearer ours")]));
        assert_eq!(out.query.as_deref(), Some("beta=true"));

        let mut out = outgoing(&sent);
        let ours = Credentials::new(Api::Anthropic, "ours").unwrap();
        ours.apply(&mut out);
        assert_eq!(
            out.headers,
            headers(&[("x-api-key", "ours"), ("anthropic-version", "2023-06-01")])
        );

        for (api, path, name, value) in [
            (
                Api::Gemini,
                "/v1beta/models/m:generateContent",
                "x-goog-api-key",
                "ours",
            ),
            (
                Api::Gemini,
                "/v1beta/openai/embeddings",
                "authorization",
                "Bearer ours",
            ),
            (Api::Azure, "/openai/v1/responses", "api-key", "ours"),
            (Api::Cohere, "/v2/chat", "authorization", "Bearer ours"),
        ] {
            let mut out = outgoing(&sent);
            out.path = path.into();
            Credentials::new(api, "ours").unwrap().apply(&mut out);
            assert_eq!(out.headers, headers(&[(name, value)]), "{path}");
        }

        let version = HeaderValue::from_static("2030-01-01");
        out.headers.insert(ANTHROPIC_VERSION, version);
        ours.apply(&mut out);
        assert_eq!(out.headers[ANTHROPIC_VERSION], "2030-01-01");
        assert!(!format!("{ours:?}").contains("ours\""));
    }

    #[test]
    fn refuses_what_no_header_can_carry() {
        assert!(Credentials::new(Api::OpenAi, "a\nb").is_none());
        assert!(Credentials::new(Api::Anthropic, "").is_none());
    }
}
