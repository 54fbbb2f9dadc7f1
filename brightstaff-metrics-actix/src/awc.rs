//! The responses and errors of awc, actix's HTTP client.

use std::io;

use actix_web::{
    HttpResponse,
    body::{BodySize, BodyStream, BoxBody, SizedStream},
    http::header,
};
use awc::{
    ClientResponse,
    error::{ConnectError, PayloadError, SendRequestError},
};
use brightstaff_metrics_core::{Head, UpstreamCall, labels::ErrorClass};
use bytes::Bytes;
use futures_core::Stream;

use crate::relay;

/// Observes the response that awc got, and makes actix's own response of it: status, headers, the body as
/// it comes, and the mark that says that its call is measured.
///
/// Send the request with `no_decompress()`: otherwise awc decodes the body, but leaves
/// `Content-Encoding` as it was, so that neither the metrics nor the client could read it.
///
/// ```
/// use actix_web::{HttpResponse, http::StatusCode};
/// use brightstaff_metrics_actix::{Metrics, NoUpstream, awc_error_class, observe_awc};
///
/// async fn chat(metrics: &Metrics, client: &awc::Client, body: String) -> HttpResponse {
///     let call = metrics.upstream("openai", "gpt-4o").start();
///     let url = "http://127.0.0.1:9000/v1/chat/completions";
///     match client.post(url).no_decompress().send_body(body).await {
///         Ok(answer) => observe_awc(call, answer),
///         Err(error) => {
///             call.fail(awc_error_class(&error));
///             let mut answer = HttpResponse::new(StatusCode::BAD_GATEWAY);
///             answer.extensions_mut().insert(NoUpstream);
///             answer
///         }
///     }
/// }
/// # let _ = chat;
/// ```
#[must_use = "a call ends when its answer is dropped"]
pub fn observe_awc<S>(call: UpstreamCall, answer: ClientResponse<S>) -> HttpResponse
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin + 'static,
{
    let field = |name| answer.headers().get(name).cloned();
    let (kind, encoding) = (field(header::CONTENT_TYPE), field(header::CONTENT_ENCODING));
    // A length beside a `Transfer-Encoding` is none (RFC 9112, section 6.3).
    let length = field(header::CONTENT_LENGTH);
    let length = length.filter(|_| !answer.headers().contains_key(header::TRANSFER_ENCODING));
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let head = Head::new(answer.status().as_u16())
        .content_type(kind.as_ref().and_then(|kind| kind.to_str().ok()))
        .content_encoding(
            encoding
                .as_ref()
                .and_then(|encoding| encoding.to_str().ok()),
        )
        .content_length(length);
    let fields = answer.headers().iter();
    let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let status = answer.status().as_u16();
    let mut response = relay::response(status, fields);
    response.extensions_mut().insert(call.mark());
    let body = call.observe_stream(&head, answer);
    response.set_body(match relay::size(status, length) {
        BodySize::None => BoxBody::new(()),
        BodySize::Sized(length) => BoxBody::new(SizedStream::new(length, body)),
        BodySize::Stream => BoxBody::new(BodyStream::new(body)),
    })
}

/// What an error of awc means for a call: time-outs, those of the connection included, are `timeout`;
/// connections that could not be made `connect`; answers that are not HTTP `parse`; all else `other`.
#[must_use]
pub fn awc_error_class(error: &SendRequestError) -> ErrorClass {
    match error {
        SendRequestError::Timeout | SendRequestError::Connect(ConnectError::Timeout) => {
            ErrorClass::Timeout
        }
        SendRequestError::Connect(ConnectError::Io(error)) | SendRequestError::Send(error)
            if error.kind() == io::ErrorKind::TimedOut =>
        {
            ErrorClass::Timeout
        }
        // The connection was there, and closed before the response.
        SendRequestError::Connect(ConnectError::Disconnected) => ErrorClass::Other,
        SendRequestError::Connect(_) => ErrorClass::Connect,
        SendRequestError::Response(_) => ErrorClass::Parse,
        _ => ErrorClass::Other,
    }
}
