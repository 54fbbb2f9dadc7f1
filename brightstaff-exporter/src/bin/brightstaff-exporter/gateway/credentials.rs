//! What of a request is a credential, and its removal where it is nobody's to have.
//!
//! This is the one table of them. It is asked wherever the gateway puts in a key of its own, where a
//! route leads to several destinations, and where a client's token for the gateway has to stay here.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName};

/// Headers and query parameters that are credentials, or choose whose account pays, by their whole name.
/// The names of parameters and headers are one list: some APIs take the same name as both.
const NAMES: [&str; 25] = [
    "api-key",
    "auth",
    "authorization",
    "cf-aig-authorization",
    "chatgpt-account-id",
    // Azure Functions.
    "code",
    "cookie",
    "dpop",
    "helicone-auth",
    "key",
    "ocp-apim-subscription-key",
    "openai-organization",
    "openai-project",
    "password",
    "proxy-authorization",
    "secret",
    // OpenAI's realtime API takes a key in it.
    "sec-websocket-protocol",
    // Shared access signatures of Azure.
    "sig",
    "signature",
    "token",
    "x-amz-signature",
    "x-auth-email",
    "x-auth-key",
    "x-functions-key",
    "x-goog-user-project",
];

/// Names that start with these: proxies and sign-on services that have several.
const PREFIXES: [&str; 6] = [
    "cf-access-",
    "x-amzn-oidc-",
    "x-auth-request-",
    "x-goog-iap-",
    "x-ms-token-",
    "x-portkey-",
];

/// Names that end in these: `x-goog-api-key` and `x-litellm-api-key` as well as those that nobody has
/// thought of yet.
const SUFFIXES: [&str; 22] = [
    "access-key",
    "api-key",
    "api-token",
    "auth",
    "authorization",
    "authorization-token",
    "access-token",
    "auth-token",
    "bearer-token",
    "credential",
    "credentials",
    "id-token",
    "jwt",
    "oidc-token",
    "password",
    "rapidapi-key",
    "refresh-token",
    "secret",
    "secret-key",
    "security-token",
    "session-token",
    "subscription-key",
];

/// Removes the client's credentials, whatever API they are for.
pub(super) fn strip(headers: &mut HeaderMap, query: &mut Option<Cow<'_, str>>) {
    strip_headers(headers, |_, _| true);
    strip_parameters(query, |_| true);
}

/// Whether a request has any.
pub(super) fn are_in(headers: &HeaderMap, query: Option<&str>) -> bool {
    let mut parameters = query.into_iter().flat_map(|query| query.split(SEPARATORS));
    headers.keys().any(|name| is_credential(name.as_str()))
        || parameters.any(|parameter| {
            let decoded = form_urlencoded::parse(parameter.as_bytes()).next();
            decoded.is_some_and(|(name, _)| is_credential(&name))
        })
}

/// Removes each header that is a credential and has a value like this. All of its values go with it.
pub(super) fn strip_headers(
    headers: &mut HeaderMap,
    unwanted: impl Fn(&HeaderMap, &HeaderName) -> bool,
) {
    let names = headers.keys();
    let stripped: Vec<HeaderName> = names
        .filter(|name| is_credential(name.as_str()) && unwanted(headers, name))
        .cloned()
        .collect();
    for name in stripped {
        headers.remove(name);
    }
}

/// Removes each query parameter that is a credential and has a value like this, and leaves every other
/// byte as it is.
pub(super) fn strip_parameters(query: &mut Option<Cow<'_, str>>, unwanted: impl Fn(&str) -> bool) {
    let Some(text) = query.as_deref() else {
        return;
    };
    let stripped = |piece: &str| {
        let parameter = piece.trim_end_matches(SEPARATORS);
        let decoded = form_urlencoded::parse(parameter.as_bytes()).next();
        decoded.is_some_and(|(name, value)| is_credential(&name) && unwanted(&value))
    };
    if !text.split_inclusive(SEPARATORS).any(stripped) {
        return;
    }
    let kept = text.split_inclusive(SEPARATORS);
    let mut kept: String = kept.filter(|piece| !stripped(piece)).collect();
    // It stood between the last one and what is gone.
    if !text.ends_with(SEPARATORS) && kept.ends_with(SEPARATORS) {
        kept.pop();
    }
    *query = Some(kept).filter(|kept| !kept.is_empty()).map(Cow::Owned);
}

/// Some servers end a parameter at a semicolon, too.
const SEPARATORS: [char; 2] = ['&', ';'];

/// Whether a header or a query parameter of this name, which is decoded, is a credential. Case does not
/// matter, nor do hyphens and underscores: gateways behind CGI and WSGI cannot tell them apart, and
/// `apiKey` is what others call `api_key`.
pub(super) fn is_credential(name: &str) -> bool {
    NAMES.iter().any(|known| letters(known).eq(letters(name)))
        || PREFIXES
            .iter()
            .any(|start| starts_with(letters(name), letters(start)))
        || SUFFIXES
            .iter()
            .any(|end| starts_with(letters(name).rev(), letters(end).rev()))
}

/// What of a name counts.
fn letters(name: &str) -> impl DoubleEndedIterator<Item = u8> {
    let bytes = name.bytes().filter(|byte| !matches!(byte, b'-' | b'_'));
    bytes.map(|byte| byte.to_ascii_lowercase())
}

fn starts_with(mut name: impl Iterator<Item = u8>, mut start: impl Iterator<Item = u8>) -> bool {
    start.all(|byte| name.next() == Some(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_however_they_are_written() {
        for name in [
            "Authorization",
            "x-api-key",
            "X_API_KEY",
            "apikey",
            "apiKey",
            "x-goog-api-key",
            "x-amz-security-token",
            "X-Amz-Credential",
            "Ocp-Apim-Subscription-Key",
            "subscription-key",
            "x-portkey-virtual-key",
            "x-litellm-api-key",
            "Helicone-Auth",
            "access_token",
            "key",
            "x-amzn-oidc-accesstoken",
            "x-serverless-authorization",
            "x-goog-iam-authorization-token",
        ] {
            assert!(is_credential(name), "{name}");
        }
        for name in [
            "",
            "api-version",
            "beta",
            "idempotency-key",
            "keys",
            "limit",
            "page_token",
            "x-request-id",
            "anthropic-version",
            "x-stainless-lang",
            "helicone-user-id",
            "author",
            "monkey",
        ] {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn a_request_has_credentials_in_a_header_or_in_its_query() {
        let mut headers = HeaderMap::new();
        assert!(!are_in(&headers, None) && !are_in(&headers, Some("a=key&limit=1")));
        assert!(are_in(&headers, Some("a=1;api%2Dkey=1")));
        headers.insert("x-api-key", axum::http::HeaderValue::from_static("k"));
        assert!(are_in(&headers, None));
    }

    #[test]
    fn parameters_are_stripped_and_the_others_stay_as_they_are() {
        for (query, expected) in [
            ("a=%2F&b=", Some("a=%2F&b=")),
            ("key=1", None),
            ("KEY=1&a=%2F", Some("a=%2F")),
            ("a=1&key=1", Some("a=1")),
            ("a=1&api-key=1&b=2", Some("a=1&b=2")),
            ("a=1&api%5Fkey=1&b=2&", Some("a=1&b=2&")),
            ("a=1;access_token=1&b=2", Some("a=1;b=2")),
            ("%6B%65%79=1&key", None),
            ("&&a=1&key=1", Some("&&a=1")),
            ("", Some("")),
        ] {
            let mut left = Some(Cow::Borrowed(query));
            strip_parameters(&mut left, |_| true);
            assert_eq!(left.as_deref(), expected, "{query}");
        }
        let mut left = Some(Cow::Borrowed("key=mine&key=th%65irs"));
        strip_parameters(&mut left, |value| value == "theirs");
        assert_eq!(left.as_deref(), Some("key=mine"));
    }
}
