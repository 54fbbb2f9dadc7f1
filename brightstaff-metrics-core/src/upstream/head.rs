/// What the head of an answer says that matters here, in plain types, whichever `http` it came from.
///
/// ```
/// use brightstaff_metrics_core::Head;
///
/// let head = Head::new(200).content_type("text/event-stream");
/// # let _ = head;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) content_encoding: Option<&'a str>,
    pub(crate) declared: Option<u64>,
    pub(crate) ended: bool,
}

impl<'a> Head<'a> {
    /// A head with this status code.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            content_type: None,
            content_encoding: None,
            declared: None,
            ended: false,
        }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self, value: impl Into<Option<&'a str>>) -> Self {
        Self {
            content_type: value.into(),
            ..self
        }
    }

    /// The value of `Content-Encoding`.
    #[must_use]
    pub fn content_encoding(self, value: impl Into<Option<&'a str>>) -> Self {
        Self {
            content_encoding: value.into(),
            ..self
        }
    }

    /// The number of bytes that the body will have: `Content-Length`, or else the exact size of the
    /// body where that is known.
    #[must_use]
    pub fn content_length(self, bytes: impl Into<Option<u64>>) -> Self {
        Self {
            declared: bytes.into(),
            ..self
        }
    }

    /// The body is at its end from the start: there will be no bytes.
    #[must_use]
    pub const fn end_of_stream(self, ended: bool) -> Self {
        Self { ended, ..self }
    }

    /// The number of bytes that the body will have, where that is known.
    #[must_use]
    pub const fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Reads a head of the `http` crate.
    #[must_use]
    pub fn of<B: http_body::Body>(response: &'a http::Response<B>) -> Self {
        let header = |name| response.headers().get(name)?.to_str().ok();
        Self::framing(response)
            .content_type(header(http::header::CONTENT_TYPE))
            .content_encoding(header(http::header::CONTENT_ENCODING))
    }

    /// Reads what tells where the body ends, and leaves the rest: all that an inbound request needs.
    ///
    /// A `Content-Length` beside a `Transfer-Encoding` does not count (RFC 9112, section 6.3).
    #[must_use]
    pub fn framing<B: http_body::Body>(response: &http::Response<B>) -> Self {
        let headers = response.headers();
        let length = headers.get(http::header::CONTENT_LENGTH);
        let length = length.filter(|_| !headers.contains_key(http::header::TRANSFER_ENCODING));
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        Self::new(response.status().as_u16())
            .content_length(length.or_else(|| response.body().size_hint().exact()))
            .end_of_stream(response.body().is_end_stream())
    }
}

#[cfg(test)]
mod tests {
    use http::{Response, response::Builder};
    use http_body_util::Full;

    use super::*;

    fn declared(response: Builder) -> Option<u64> {
        let body = Full::<bytes::Bytes>::from("four");
        Head::framing(&response.body(body).unwrap()).declared()
    }

    #[test]
    fn the_length_is_the_headers_or_else_the_bodys() {
        let response = Response::builder;
        assert_eq!(declared(response()), Some(4));
        let set = response().header("content-length", "7");
        assert_eq!(declared(set), Some(7));
        let bad = response().header("content-length", "7, 7");
        assert_eq!(declared(bad), Some(4));
    }

    #[test]
    fn chunks_go_before_a_length() {
        let both = Response::builder()
            .header("content-length", "2")
            .header("transfer-encoding", "chunked");
        assert_eq!(declared(both), Some(4));
    }
}
