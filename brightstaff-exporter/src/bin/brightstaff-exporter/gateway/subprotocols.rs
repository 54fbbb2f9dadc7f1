//! What stands in `sec-websocket-protocol`: the protocols that a client speaks, and, since web pages can set no other
//! header of a web socket, keys.

use axum::http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};

use super::credentials::is_credential;

/// Where the SDKs of OpenAI put the key.
const OPENAI_KEY: &str = "openai-insecure-api-key.";

/// The longest name of a protocol. The longest that is registered has 36 bytes, and keys have more.
const MAX_NAME_BYTES: usize = 40;

/// How keys begin, and signed tokens (RFC 7519).
const SECRETS: [&str; 2] = ["sk-", "eyJ"];

/// The keys that a client sends as OpenAI's SDKs do.
pub(super) fn keys(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    offered(headers).filter_map(|name| name.strip_prefix(OPENAI_KEY))
}

/// Those of the protocols that hold nothing secret, as one value.
pub(super) fn harmless(headers: &HeaderMap) -> Option<HeaderValue> {
    // Some write the name of what comes next as a protocol of its own: `token, KEY`.
    let mut secret_follows = false;
    let harmless = offered(headers).filter(|name| {
        let follows = std::mem::replace(&mut secret_follows, announces_secret(name));
        !follows && !is_secret(name)
    });
    joined(&harmless.collect::<Vec<_>>())
}

/// Removes those that are unwanted, and leaves the others as they are.
pub(super) fn strip(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    if !offered(headers).any(&unwanted) {
        return;
    }
    let left: Vec<_> = offered(headers).filter(|name| !unwanted(name)).collect();
    let left = joined(&left);
    put(headers, left);
}

/// Puts these in the place of all.
pub(super) fn put(headers: &mut HeaderMap, names: Option<HeaderValue>) {
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Some(names) = names {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, names);
    }
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

fn joined(names: &[&str]) -> Option<HeaderValue> {
    if names.is_empty() {
        return None;
    }
    HeaderValue::from_str(&names.join(", ")).ok()
}

/// Whether a part of it is the name of a credential, as in `openai-insecure-api-key.KEY`, or it looks like one itself.
fn is_secret(name: &str) -> bool {
    name.len() > MAX_NAME_BYTES
        || SECRETS.iter().any(|start| name.starts_with(start))
        || name.split('.').any(is_credential)
        || announces_secret(name)
}

fn announces_secret(name: &str) -> bool {
    is_credential(name) || name.eq_ignore_ascii_case("bearer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let values = values.iter();
        values
            .map(|value| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn protocols_pass_and_secrets_do_not() {
        let long = "x".repeat(MAX_NAME_BYTES + 1).leak();
        for (offered, left) in [
            (&["realtime"][..], Some("realtime")),
            (
                &["realtime, openai-insecure-api-key.sk-proj-1, openai-beta.realtime-v1"],
                Some("realtime, openai-beta.realtime-v1"),
            ),
            (
                &[
                    "realtime",
                    "openai-organization.org-1,openai-project.proj_1",
                ],
                Some("realtime"),
            ),
            (&["xai-client-secret.abc"], None),
            (&["token, 0123456789abcdef"], None),
            (
                &["Bearer", "0123456789abcdef, graphql-transport-ws"],
                Some("graphql-transport-ws"),
            ),
            (
                &["base64url.bearer.authorization.k8s.io.dG9r, v4.channel.k8s.io"],
                Some("v4.channel.k8s.io"),
            ),
            (
                &["sk-theirs, eyJhbGciOi, json.reliable.webpubsub.azure.v1"],
                Some("json.reliable.webpubsub.azure.v1"),
            ),
            (&[long], None),
            (&[" ,"], None),
            (&[], None),
        ] {
            let harmless = harmless(&headers(offered));
            assert_eq!(harmless.as_ref().map(|left| left.to_str().unwrap()), left);
        }
    }

    #[test]
    fn what_is_unwanted_goes_alone() {
        let mut left = headers(&["realtime, mine.1", "other"]);
        strip(&mut left, |name| name == "none");
        assert_eq!(left, headers(&["realtime, mine.1", "other"]));
        strip(&mut left, |name| name.starts_with("mine"));
        assert_eq!(left, headers(&["realtime, other"]));
        strip(&mut left, |_| true);
        assert_eq!(left, headers(&[]));
    }

    #[test]
    fn a_key_is_read_where_openais_sdks_put_it() {
        let sent = headers(&["realtime, openai-insecure-api-key.abc.def"]);
        assert_eq!(keys(&sent).collect::<Vec<_>>(), ["abc.def"]);
    }
}
