use axum::http::{HeaderMap, StatusCode, header::CONTENT_ENCODING};

use super::super::error::Refusal;

/// What a request may be encoded in, as `accept-encoding` says it in an answer (RFC 9110, section 12.5.3).
pub(in super::super) const ACCEPTED: &str = "gzip, zstd, deflate, br, identity";

/// A content coding that hides the text of a body (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// That of a request's body; none where it is plain.
    ///
    /// # Errors
    ///
    /// 415 where it is not known, or there are several: no client encodes twice.
    pub(in super::super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let lists = headers.get_all(CONTENT_ENCODING).iter();
        // What is no text names none that is known.
        let names = lists.flat_map(|list| list.to_str().unwrap_or("?").split(','));
        let mut names = names
            .map(str::trim)
            .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
        let Some(name) = names.next() else {
            return Ok(None);
        };
        let coding = Self::named(name).filter(|_| names.next().is_none());
        coding.map(Some).ok_or_else(|| {
            let fault = format!("the request body must come in one of these: {ACCEPTED}");
            Refusal::request("unsupported_encoding", fault)
                .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        })
    }

    /// Forms are read as they come, and nobody encodes them.
    pub(in super::super) fn refuse_form(headers: &HeaderMap) -> Result<(), Refusal> {
        let fault = "a form must come plain: send it without content-encoding";
        let plain = matches!(Self::of(headers), Ok(None));
        let refusal = || Refusal::request("invalid_encoding", fault);
        plain.then_some(()).ok_or_else(refusal)
    }

    fn named(name: &str) -> Option<Self> {
        let is = |known| name.eq_ignore_ascii_case(known);
        if is("gzip") || is("x-gzip") {
            Some(Self::Gzip)
        } else if is("zstd") {
            Some(Self::Zstd)
        } else if is("deflate") {
            Some(Self::Deflate)
        } else if is("br") {
            Some(Self::Brotli)
        } else {
            None
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "brotli",
            Self::Zstd => "zstd",
        }
    }

    /// How much of the text a decoder remembers, in bytes.
    pub(super) fn max_window_bytes(self) -> usize {
        match self {
            Self::Gzip | Self::Deflate => 32 << 10,
            // RFC 7932, section 9.1.
            Self::Brotli => 16 << 20,
            // More is not to be used in HTTP (RFC 9659, section 3).
            Self::Zstd => 8 << 20,
        }
    }
}
