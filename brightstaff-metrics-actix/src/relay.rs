//! Handing the responses of clients on as actix's own.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web::Bytes,
};
use brightstaff_metrics_core::{NoUpstream, UpstreamObserved, adapter::head_without_media};
use http_body::Body;
use pin_project::pin_project;

/// Makes actix's answer of one in the types of `http` 1, as the clients reqwest and hyper give it, most
/// often observed already: status, headers, the marks that say it is, and the body as it comes.
///
/// Trailers stay behind: actix sends none. Headers that belong to the connection to the provider
/// (`Connection`, `Keep-Alive`) are the gateway's matter.
///
/// ```
/// use actix_web::HttpResponse;
/// use brightstaff_metrics_actix::{Metrics, relay};
/// # type Answer = http::Response<http_body_util::Full<bytes::Bytes>>;
///
/// // With reqwest, `answer` is `response.into()`.
/// fn chat(metrics: &Metrics, answer: Answer) -> HttpResponse {
///     relay(metrics.upstream("openai", "gpt-4o").start().observe(answer))
/// }
/// # assert_eq!(chat(&Metrics::unregistered(), Answer::default()).status(), 200);
/// ```
#[must_use = "a call ends when its answer is dropped"]
pub fn relay<B>(answer: http::Response<B>) -> HttpResponse
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn Error>>,
{
    let size = size(
        answer.status().as_u16(),
        head_without_media(&answer).declared(),
    );
    let (head, inner) = answer.into_parts();
    let body = BoxBody::new(Relayed { inner, size });
    let fields = head.headers.iter();
    let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let mut response = response(head.status.as_u16(), fields).set_body(body);
    let mut extensions = response.extensions_mut();
    if let Some(mark) = head.extensions.get::<UpstreamObserved>() {
        extensions.insert(*mark);
    }
    if let Some(mark) = head.extensions.get::<NoUpstream>() {
        extensions.insert(*mark);
    }
    drop(extensions);
    response
}

/// What actix is told of the size of a body. It takes a size at its word: where HTTP knows no body, it
/// would wait for one.
pub(crate) fn size(status: u16, length: Option<u64>) -> BodySize {
    match length {
        _ if matches!(status, 100..=199 | 204 | 304) => BodySize::None,
        Some(length) => BodySize::Sized(length),
        None => BodySize::Stream,
    }
}

/// A response without its body, and without the fields that say how long that is: actix writes them, by
/// the size of the body. Only of a 304 the length is told without one.
pub(crate) fn response<'a>(
    status: u16,
    fields: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> HttpResponse<BoxBody> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::new(status);
    for (name, value) in fields {
        let framing = matches!(name, "content-length" | "transfer-encoding");
        if framing && !(status == StatusCode::NOT_MODIFIED && name == "content-length") {
            continue;
        }
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A body of `http-body` in actix's terms.
#[pin_project]
struct Relayed<B> {
    #[pin]
    inner: B,
    size: BodySize,
}

impl<B> MessageBody for Relayed<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error>>,
{
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        let mut this = self.project();
        loop {
            let Some(frame) = ready!(this.inner.as_mut().poll_frame(cx)?) else {
                return Poll::Ready(None);
            };
            // An empty chunk would end a chunked answer.
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beside_chunks_is_not_taken_at_its_word() {
        let answer = http::Response::builder()
            .header("content-length", "2")
            .header("transfer-encoding", "chunked");
        let body = http_body_util::Full::<Bytes>::from("four");
        let relayed = relay(answer.body(body).unwrap());
        assert_eq!(relayed.body().size(), BodySize::Sized(4));
    }
}
