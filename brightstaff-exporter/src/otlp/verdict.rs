//! What a response means: OTLP/HTTP 1, "OTLP/HTTP Response".

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use super::{
    client::{Body, Client, MAX_RESPONSE_BYTES, Response},
    message::{self, PartialSuccess},
    retry::retry_after,
};

/// What becomes of an export, and what the log says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was taken; with a warning, perhaps.
    Taken(Option<String>),
    /// It was taken, but for some of its data points.
    InPart(String),
    /// It was not taken, and never will be.
    Refused(String),
    /// It may be taken later on, at the earliest after this.
    Later(String, Option<Duration>),
}

/// How much of a receiver's own words is repeated, in bytes.
const MAX_WORDS: usize = 300;

impl Verdict {
    pub(super) fn of(response: &Response, client: &Client, now: SystemTime) -> Self {
        let status = response.status;
        if status.is_success() {
            return taken(response, client);
        }
        let words = match &response.body {
            Body::Whole(body) => said(&response.headers, body),
            Body::TooLong => None,
        };
        let words = words.map(|words| shown(&words, client));
        let words = words.map_or_else(String::new, |words| format!(": {words}"));
        // "The client SHOULD retry" these four: all others "MUST NOT be retried".
        if matches!(status.as_u16(), 429 | 502 | 503 | 504) {
            let why = format!("responded {status}{words}");
            return Self::Later(why, retry_after(&response.headers, now));
        }
        let hint = match status {
            // The last is VictoriaMetrics'.
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::BAD_REQUEST => {
                client.endpoint().hint()
            }
            _ if status.is_redirection() => {
                ", and redirects are not followed: name where it leads".to_owned()
            }
            _ => String::new(),
        };
        Self::Refused(format!("responded {status}{words}{hint}"))
    }
}

fn taken(response: &Response, client: &Client) -> Verdict {
    let status = response.status;
    let kind = response.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if is(kind, "text/html") {
        // Whatever is there, it shows pages to everyone, and took nothing.
        let hint = client.endpoint().hint();
        let why = format!("responded {status} with a web page, and is no receiver of OTLP{hint}");
        return Verdict::Refused(why);
    }
    let body = match &response.body {
        Body::Whole(body) => body,
        Body::TooLong => {
            let why = format!(
                "responded {status} with more than {MAX_RESPONSE_BYTES} bytes, which were not read"
            );
            return Verdict::Taken(Some(why));
        }
    };
    let Some(PartialSuccess { rejected, message }) = message::partial_success(body) else {
        // Some respond in JSON, or in words of their own.
        let why =
            format!("responded {status}, but not as OTLP says: what was left out is not known");
        return Verdict::Taken(Some(why));
    };
    let message = shown(&message, client);
    match rejected {
        0 if message.is_empty() => Verdict::Taken(None),
        0 => Verdict::Taken(Some(format!("took everything, with a warning: {message}"))),
        _ => Verdict::InPart(format!("left out {rejected} data points: {message}")),
    }
}

/// What a receiver says of a refusal.
fn said(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let words = if is(kind, "application/x-protobuf") {
        message::status(body)?
    } else if is(kind, "text/plain") || is(kind, "application/json") {
        String::from_utf8_lossy(&body[..body.len().min(2 * MAX_WORDS)]).into_owned()
    } else {
        return None;
    };
    (!words.trim().is_empty()).then_some(words)
}

fn is(kind: &str, wanted: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(wanted)
}

/// A stranger's words, in one line that is not too long, and without what was sent in confidence.
fn shown(words: &str, client: &Client) -> String {
    if client.repeats_a_secret(words) {
        return "(words that repeat what a header holds)".to_owned();
    }
    let words = words.trim().replace(char::is_control, " ");
    if words.len() <= MAX_WORDS {
        return words;
    }
    let mut end = MAX_WORDS;
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &words[..end])
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use axum::http::HeaderValue;
    use bytes::Bytes;

    use super::{
        super::{client::Tls, endpoint::Endpoint},
        *,
    };

    fn verdict(url: &str, status: u16, kind: &'static str, body: &[u8]) -> Verdict {
        let tls = Tls {
            certificate: None,
            client_certificate: None,
            client_key: None,
        };
        let mut secret = HeaderValue::from_static("Bearer secret-token");
        secret.set_sensitive(true);
        let headers = HeaderMap::from_iter([(axum::http::header::AUTHORIZATION, secret)]);
        let endpoint = Endpoint::whole(url).unwrap();
        let time = Duration::from_secs(1);
        let client = Client::new(endpoint, headers, &tls, time, time).unwrap();
        let response = Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]),
            body: Body::Whole(Bytes::copy_from_slice(body)),
        };
        Verdict::of(&response, &client, UNIX_EPOCH)
    }

    #[test]
    fn a_path_that_is_not_there_is_told() {
        let refused = |why: &str| Verdict::Refused(why.to_owned());
        let prometheus = verdict(
            "http://h/api/v1/otlp",
            404,
            "text/plain; charset=utf-8",
            b"404 page not found\n",
        );
        assert_eq!(
            prometheus,
            refused(
                "responded 404 Not Found: 404 page not found, and the endpoint is used as it is: http://h/api/v1/otlp/v1/metrics may be meant",
            )
        );
        let whole = verdict("http://h/v1/metrics", 404, "text/html", b"<p>gone</p>");
        assert_eq!(whole, refused("responded 404 Not Found"));
        let page = verdict("http://h/", 200, "text/html", b"<p>hello</p>");
        assert_eq!(
            page,
            refused(
                "responded 200 OK with a web page, and is no receiver of OTLP, and the endpoint is used as it is: http://h/v1/metrics may be meant",
            )
        );
    }

    #[test]
    fn a_receiver_s_words_are_one_short_line_without_secrets() {
        let text = "text/plain";
        let url = "http://h/v1/metrics";
        let told = |body: &[u8]| match verdict(url, 403, text, body) {
            Verdict::Refused(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            told(b"no\x1b[31m\nway"),
            "responded 403 Forbidden: no [31m way"
        );
        assert!(told("\u{e9}".repeat(10_000).as_bytes()).len() < 400);
        let secret = told(b"token secret-token is not known");
        assert!(!secret.contains("secret"), "{secret}");
        let protobuf = verdict(url, 400, "application/x-protobuf", b"\x08\x03\x12\x05no ID");
        assert_eq!(
            protobuf,
            Verdict::Refused("responded 400 Bad Request: no ID".to_owned())
        );
    }
}
