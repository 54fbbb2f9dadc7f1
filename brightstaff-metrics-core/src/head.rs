use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
};

/// What the head of a response says that matters here, in plain types, whichever `http` it came from.
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
    pub(crate) upgraded: bool,
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
            upgraded: false,
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

    /// The connection speaks another protocol after this head, and the request goes on: what passes then is its body,
    /// whatever the status.
    ///
    /// For servers whose middleware sees it pass, as actix-web's does; for others there is
    /// [`UpgradedRequest`](crate::UpgradedRequest).
    #[must_use]
    pub const fn upgraded(self, upgraded: bool) -> Self {
        Self { upgraded, ..self }
    }

    /// The number of bytes that the body will have, where that is known.
    #[must_use]
    pub const fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Reads the head of a response of the `http` crate.
    #[must_use]
    pub fn of<B: http_body::Body>(response: &'a http::Response<B>) -> Self {
        Self::without_media(response).media(response.headers())
    }

    /// Reads a status and headers, where the body is not at hand or tells nothing of its length.
    ///
    /// ```
    /// use brightstaff_metrics_core::Head;
    ///
    /// let (parts, _body) = http::Response::new(()).into_parts();
    /// let head = Head::from_parts(parts.status.as_u16(), &parts.headers);
    /// # let _ = head;
    /// ```
    #[must_use]
    pub fn from_parts(status: u16, headers: &'a HeaderMap) -> Self {
        Self::new(status)
            .content_length(content_length(headers))
            .media(headers)
    }

    /// Reads what tells where the body ends, and leaves the rest: all that an inbound request needs.
    pub(crate) fn without_media<B: http_body::Body>(response: &http::Response<B>) -> Self {
        let length = content_length(response.headers());
        Self::new(response.status().as_u16())
            .content_length(length.or_else(|| response.body().size_hint().exact()))
            .end_of_stream(response.body().is_end_stream())
    }

    fn media(self, headers: &'a HeaderMap) -> Self {
        let value = |name| headers.get(name)?.to_str().ok();
        self.content_type(value(CONTENT_TYPE))
            .content_encoding(value(CONTENT_ENCODING))
    }
}

/// A `Content-Length` beside a `Transfer-Encoding` does not count (RFC 9112, section 6.3).
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.filter(|_| !headers.contains_key(TRANSFER_ENCODING))?;
    length.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::{Response, response::Builder};
    use http_body_util::Full;

    use super::*;

    fn declared(response: Builder) -> Option<u64> {
        let body = Full::<bytes::Bytes>::from("four");
        Head::without_media(&response.body(body).unwrap()).declared()
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
