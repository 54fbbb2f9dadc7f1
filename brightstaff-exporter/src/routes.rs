use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use brightstaff_metrics_core::exposition::Format;
use prometheus::Registry;
use tokio::sync::Semaphore;

use crate::{
    exposition::{Encoder, Exposition, Text, held, negotiate},
    limits::Limits,
};

const INDEX: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>brightstaff metrics</title>
<h1>brightstaff metrics</h1>
<ul>
<li><a href=\"metrics\">metrics</a>, for Prometheus
<li><a href=\"healthz\">healthz</a>
</ul>
</html>
";

/// A page that loads, frames and submits nothing.
const PAGE: [(HeaderName, HeaderValue); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("deny")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// What all requests share.
#[derive(Clone)]
struct Scrapes {
    encoder: Encoder,
    /// One for each response of `/metrics` that is not written yet.
    requests: Arc<Semaphore>,
    max_requests: usize,
}

pub(crate) fn router(registry: Registry, limits: Limits) -> Router {
    let permits = match limits.max_requests {
        0 => Semaphore::MAX_PERMITS,
        limit => limit.min(Semaphore::MAX_PERMITS),
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get("ok\n"))
        .route("/", get((PAGE, Html(INDEX))))
        .with_state(Scrapes {
            encoder: Encoder::new(registry),
            requests: Arc::new(Semaphore::new(permits)),
            max_requests: limits.max_requests,
        })
}

async fn metrics(State(scrapes): State<Scrapes>, headers: HeaderMap) -> Response {
    let Ok(permit) = Arc::clone(&scrapes.requests).try_acquire_owned() else {
        let limit = scrapes.max_requests;
        let fault = format!("{limit} scrapes are being answered, the most there may be\n");
        let later = [(RETRY_AFTER, HeaderValue::from_static("1"))];
        return (StatusCode::SERVICE_UNAVAILABLE, later, fault).into_response();
    };
    let format = negotiate(&headers);
    match scrapes.encoder.encode(format).await {
        Ok(exposition) => respond(format, exposition, accepts_gzip(&headers), permit),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{fault}\n")).into_response(),
    }
}

fn respond(
    format: Format,
    exposition: Exposition,
    gzip: bool,
    permit: impl Send + Unpin + 'static,
) -> Response {
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static(format.content_type()),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VARY, HeaderValue::from_static("accept, accept-encoding")),
    ];
    if gzip {
        let encoding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        let bytes = held(exposition.gzip, permit);
        (headers, encoding, Body::from(bytes)).into_response()
    } else {
        (headers, Body::new(Text::new(exposition, permit))).into_response()
    }
}

/// Whether gzip may be sent (RFC 9110, section 12.5.3): named, or meant by `*`, with a weight that is not 0.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for coding in value.to_str().unwrap_or_default().split(',') {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let accepted = !is_zero(parameters);
            match name.trim() {
                name if name.eq_ignore_ascii_case("gzip") => return accepted,
                "*" => any = accepted,
                _ => {}
            }
        }
    }
    any
}

/// Whether this is a weight of 0: `q=0`, `q=0.000`.
fn is_zero(parameters: &str) -> bool {
    let weight = parameters.trim().split_once('=');
    weight.is_some_and(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_where_it_is_accepted() {
        for (header, accepted) in [
            ("gzip", true),
            ("GZIP", true),
            ("deflate, gzip;q=0.5", true),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", true),
            ("*", true),
            ("*;q=0.5, gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip; q=0.000", false),
            ("identity, *;q=0", false),
            ("br, zstd, deflate", false),
            ("x-gzipped", false),
            ("", false),
        ] {
            let value = HeaderValue::from_static(header);
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value)]);
            assert_eq!(accepts_gzip(&headers), accepted, "{header}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
