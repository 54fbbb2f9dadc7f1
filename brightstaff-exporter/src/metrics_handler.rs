//! `/metrics` by itself, for any server.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::Request,
    handler::Handler,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, VARY,
        },
    },
    response::{IntoResponse, Response},
};
use brightstaff_metrics_core::exposition::Format;
use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body as _, Frame, SizeHint};
use prometheus::Registry;
use tokio::sync::Semaphore;

#[cfg(feature = "web-config")]
use crate::web_config::Access;
use crate::{
    exposition::{Compressed, Encoder, Exposition, Text, negotiate},
    limits::Limits,
};

/// Answers scrapes at whatever path a server that exists already gives it: what
/// [`Exporter::metrics_handler`](crate::Exporter::metrics_handler) makes.
///
/// Its clones share one encoding at a time, and the limit of
/// [`max_requests`](crate::Exporter::max_requests).
///
/// On axum it is a handler:
///
/// ```
/// use axum::{Router, routing::get};
/// use brightstaff_exporter::Exporter;
///
/// let exporter = Exporter::new(prometheus::Registry::new());
/// let app: Router = Router::new()
///     .route("/internal/metrics", get(exporter.metrics_handler()))
///     .route("/healthz", get(|| async { "as you like it" }));
/// # let _ = app;
/// ```
///
/// On any other server, it is asked with what the request says, in plain types: see
/// [`respond`](Self::respond).
#[derive(Clone, Debug)]
pub struct MetricsHandler {
    encoder: Encoder,
    /// One for each response that is not written yet.
    requests: Arc<Semaphore>,
    max_requests: usize,
    #[cfg(feature = "web-config")]
    access: Access,
}

impl MetricsHandler {
    /// One that asks nobody who they are.
    pub(crate) fn new(registry: Registry, limits: Limits) -> Self {
        let permits = match limits.max_requests {
            0 => Semaphore::MAX_PERMITS,
            limit => limit.min(Semaphore::MAX_PERMITS),
        };
        Self {
            encoder: Encoder::new(registry),
            requests: Arc::new(Semaphore::new(permits)),
            max_requests: limits.max_requests,
            #[cfg(feature = "web-config")]
            access: Access::default(),
        }
    }

    #[cfg(feature = "web-config")]
    pub(crate) fn guarded(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Answers a GET or HEAD with these headers. The server leaves away the body of the response to a HEAD, as
    /// it does with any other.
    ///
    /// Headers that are none by HTTP's rules are left out.
    ///
    /// ```
    /// use brightstaff_exporter::Exporter;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let handler = Exporter::new(prometheus::Registry::new()).metrics_handler();
    /// let response = handler.respond([("accept-encoding", &b"gzip"[..])]).await;
    /// assert_eq!(response.status(), 200);
    /// assert!(response.headers().any(|header| header == ("content-encoding", b"gzip")));
    /// # }
    /// ```
    pub async fn respond<'a>(
        &self,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> MetricsResponse {
        let headers = headers.into_iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value).ok()?))
        });
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        MetricsResponse(self.scrape(&map).await)
    }

    async fn scrape(&self, headers: &HeaderMap) -> Response {
        #[cfg(feature = "web-config")]
        return self
            .access
            .passage(headers)
            .await
            .respond(self.exposition(headers))
            .await;
        #[cfg(not(feature = "web-config"))]
        self.exposition(headers).await
    }

    async fn exposition(&self, headers: &HeaderMap) -> Response {
        let Ok(permit) = Arc::clone(&self.requests).try_acquire_owned() else {
            let limit = self.max_requests;
            let fault = format!("{limit} scrapes are being answered, the most there may be\n");
            let later = [(RETRY_AFTER, HeaderValue::from_static("1"))];
            return (StatusCode::SERVICE_UNAVAILABLE, later, fault).into_response();
        };
        let format = negotiate(headers);
        match self.encoder.encode(format).await {
            Ok(exposition) => encoded(format, exposition, accepts_gzip(headers), permit),
            Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{fault}\n")).into_response(),
        }
    }
}

impl<S> Handler<(), S> for MetricsHandler {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, _: S) -> Self::Future {
        Box::pin(async move { self.scrape(request.headers()).await })
    }
}

/// What a scrape is answered.
pub struct MetricsResponse(Response);

impl MetricsResponse {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// The headers, without a `Content-Length`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.0.headers().iter();
        headers.map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// How long the body is, in bytes.
    #[must_use]
    pub fn content_length(&self) -> u64 {
        let exact = self.0.body().size_hint().exact();
        exact.expect("what is answered here has a length")
    }

    /// The body: a stream of its pieces, each made as it is taken, so that a slow client holds no more than one.
    /// The scrape is in work until it is dropped and what it gave is written.
    pub fn into_body(self) -> MetricsBody {
        MetricsBody(self.0.into_body())
    }
}

impl IntoResponse for MetricsResponse {
    fn into_response(self) -> Response {
        self.0
    }
}

impl fmt::Debug for MetricsResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MetricsResponse")
            .field(&self.status())
            .finish()
    }
}

/// The body of a [`MetricsResponse`].
#[derive(Debug)]
#[must_use = "a body is to be sent"]
pub struct MetricsBody(Body);

impl http_body::Body for MetricsBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = Pin::new(&mut self.0).poll_frame(cx);
        frame.map_err(|error| unreachable!("memory cannot fail: {error}"))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Stream for MetricsBody {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let frame = http_body::Body::poll_frame(self, cx);
        frame.map_ok(|frame| frame.into_data().unwrap_or_default())
    }
}

fn encoded(
    format: Format,
    exposition: Exposition,
    gzip: bool,
    permit: impl Send + Sync + Unpin + 'static,
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
        let body = Compressed::new(exposition, permit);
        (headers, encoding, Body::new(body)).into_response()
    } else {
        (headers, Body::new(Text::new(exposition, permit))).into_response()
    }
}

/// Whether gzip may be sent (RFC 9110, section 12.5.3): named, or meant by `*`, with a weight that is not 0.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
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
