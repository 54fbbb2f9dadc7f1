use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpResponse,
    body::{BodySize, MessageBody},
    dev::ServiceResponse,
    http::{StatusCode, header},
};
use brightstaff_metrics_core::{
    Head, NoUpstream, UpstreamObserved,
    adapter::{Begun, PendingCall, ResponseObserver},
};
use pin_project::pin_project;

use crate::{body::ObservedBody, provisional::Provisional};

/// The future of a [`MetricsService`](crate::MetricsService): carries the measuring from the request
/// to the body of its response.
#[derive(Debug)]
#[pin_project]
pub struct ResponseFuture<F> {
    #[pin]
    inner: F,
    observer: ResponseObserver,
    /// The response as a call to a provider, unless its handler speaks for itself.
    call: Option<PendingCall>,
    /// The name of the handler, until it is certain.
    provisional: Option<Provisional>,
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, begun: Begun, provisional: Option<Provisional>) -> Self {
        Self {
            inner,
            observer: begun.request.into(),
            call: begun.call,
            provisional,
        }
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<ObservedBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.observer.watch(|| this.inner.poll(cx));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Ok(answer)) => {
                if let Some(provisional) = this.provisional.take() {
                    provisional.settle(this.observer, answer.request());
                }
                let response = answer.response();
                let call = this.call.take();
                let call = call.and_then(|call| unless_marked(call, response));
                let head = if call.is_some() {
                    head(response)
                } else {
                    head_without_media(response)
                };
                this.observer.head(&head, call);
            }
            Poll::Ready(Err(error)) => {
                // Actix makes the response of it, outside of every middleware: this is its status, and
                // its body, which passes nobody here, is held in memory.
                let status = error.as_response_error().status_code().as_u16();
                let head = Head::new(status).end_of_stream(true);
                this.observer.head(&head, this.call.take());
            }
        }
        polled.map_ok(|answer| {
            let observer = std::mem::take(this.observer);
            answer.map_body(|_, body| ObservedBody::new(body, observer))
        })
    }
}

/// Reads the head of a response.
fn head<B: MessageBody>(response: &HttpResponse<B>) -> Head<'_> {
    let header = |name| response.headers().get(name)?.to_str().ok();
    head_without_media(response)
        .content_type(header(header::CONTENT_TYPE))
        .content_encoding(header(header::CONTENT_ENCODING))
}

/// Reads what tells where the body ends, and leaves the rest: all that an inbound request needs.
fn head_without_media<'a, B: MessageBody>(response: &HttpResponse<B>) -> Head<'a> {
    let (length, ended) = match response.body().size() {
        BodySize::None | BodySize::Sized(0) => (Some(0), true),
        BodySize::Sized(size) => (Some(size), false),
        // Over HTTP/1, actix sends a length that the handler set only without chunks; over HTTP/2 it reads
        // every stream to its end, which then tells.
        BodySize::Stream if !response.head().chunked() => {
            let length = response.headers().get(header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
            (length, false)
        }
        BodySize::Stream => (None, false),
    };
    // What a web socket sends is this body.
    let streamed = response.body().size() == BodySize::Stream;
    let upgraded = streamed && response.status() == StatusCode::SWITCHING_PROTOCOLS;
    Head::new(response.status().as_u16())
        .content_length(length)
        .end_of_stream(ended)
        .upgraded(upgraded)
}

fn unless_marked<B>(call: PendingCall, response: &HttpResponse<B>) -> Option<PendingCall> {
    let extensions = response.extensions();
    let no_upstream = extensions.get::<NoUpstream>().is_some();
    call.unless_marked(extensions.get::<UpstreamObserved>(), no_upstream)
}
