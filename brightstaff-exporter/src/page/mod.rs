//! The live page at `/`: one file that reads `/metrics` and does its sums in the browser.
//!
//! It is compiled of `page/` by `cargo xtask generate`, with the policy that lets its own script and style alone run.

use std::{io::Write, sync::LazyLock};

use axum::{
    body::Bytes,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    response::{Html, IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};

use crate::metrics_handler::accepts_gzip;

/// Answers with the page. Nothing of the request is in it, so that its script can have a hash.
pub(crate) async fn page(headers: HeaderMap) -> Response {
    if !accepts_gzip(&headers) {
        return (HEADERS, Html(PAGE)).into_response();
    }
    let encoding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
    (HEADERS, encoding, Html(COMPRESSED.clone())).into_response()
}

const PAGE: &[u8] = include_bytes!("page.html");

/// Made once, for whoever asks first.
static COMPRESSED: LazyLock<Bytes> = LazyLock::new(|| {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(PAGE).and_then(|()| encoder.finish());
    written.expect("memory can be written to").into()
});

/// Each version of the program has its own page: browsers ask again.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(include_str!("page.csp")),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("deny")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (VARY, HeaderValue::from_static("accept-encoding")),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What the page may weigh on the wire, in bytes.
    const MAX_COMPRESSED_BYTES: usize = 100 * 1024;

    #[test]
    fn the_page_stays_small() {
        let size = COMPRESSED.len();
        assert!(size <= MAX_COMPRESSED_BYTES, "{size} bytes");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let page = std::str::from_utf8(PAGE).unwrap();
        for absent in ["<link", " src=", "@import", "url(", "innerHTML", " style="] {
            assert!(!page.contains(absent), "{absent}");
        }
        assert_eq!(page.matches("<script>").count(), 1);
        assert_eq!(page.matches("<style>").count(), 1);
    }

    #[cfg(feature = "web-config")]
    #[test]
    fn the_policy_lets_in_what_the_page_has_and_nothing_else() {
        use base64::{Engine as _, engine::general_purpose::STANDARD};

        let page = std::str::from_utf8(PAGE).unwrap();
        let hash = |tag: &str| {
            let (_, rest) = page.split_once(&format!("<{tag}>")).unwrap();
            let (text, _) = rest.split_once(&format!("</{tag}>")).unwrap();
            let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
            STANDARD.encode(digest)
        };
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash("script"),
            hash("style"),
        );
        assert_eq!(include_str!("page.csp"), policy);
    }
}
