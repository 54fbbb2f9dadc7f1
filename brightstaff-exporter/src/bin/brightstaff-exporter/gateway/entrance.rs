//! The way of every request: whether it may come in, what it asks for, and who answers it.
//!
//! One future a request, from here to its response's head. A router with its layers would make one for each of them,
//! in a box of its own, and each would be gone through whenever the request wakes up. It stays small: the request is
//! handed on in a box, since each function that waits would hold it twice, and what is rarely asked for has a future of
//! its own.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    BoxError, Json,
    body::Body as WholeBody,
    http::{
        HeaderValue, Method, Response, StatusCode,
        header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH},
    },
    response::IntoResponse,
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use serde_json::Value;
use tower_service::Service;

use super::{
    Inside, Request,
    access::{Page, Visitor, forget_page, is_preflight, mark},
    destination::{Answer, Destination},
    endpoint::{Asked, Endpoint},
    error::Refusal,
    forward::{self, Whom},
    hidden_usage::UsageBody,
    live::Live,
    pass::unmeasured,
    probe::Probe,
    reply::Reply,
    routing, sockets,
};
use crate::config::Api;

/// What a request meets first, but for the metrics.
#[derive(Clone, Debug)]
pub(crate) struct Entrance(Arc<Live>);

/// The body of a destination's response.
pub(super) type Passed = UsageBody<Answer>;

/// The body of a response.
#[derive(Debug)]
#[pin_project(project = Either)]
pub(crate) enum ResponseBody {
    /// That of a destination, which passes.
    Passed(#[pin] Passed),
    /// The same of what is no call.
    Unmeasured(#[pin] Answer),
    /// One that the gateway made, or of which nothing is recorded.
    Whole(#[pin] WholeBody),
}

impl Entrance {
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self(live)
    }
}

impl Service<Request> for Entrance {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let inside = self.0.now();
        let is_stopping = self.0.is_stopping();
        let request = Box::new(request);
        Box::pin(async move { Ok(inside.let_in(request, is_stopping).await) })
    }
}

impl Inside {
    /// Answers a request, and sees to it that the response has an id.
    async fn let_in(&self, mut request: Box<Request>, is_stopping: bool) -> Response<ResponseBody> {
        let reply = Reply::to(&mut request);
        let head_only = reply.is_to_head();
        let admitted = match Probe::at(request.uri().path()) {
            Some(probe) => self.probe(probe, is_stopping, &request),
            None => self.admit(request, &reply).await,
        };
        let mut response = match admitted {
            Ok(response) => response,
            Err(refusal) => self.respond(&reply, Err(refusal)),
        };
        reply.mark(&mut response);
        if head_only {
            return without_body(response);
        }
        response
    }

    fn respond(
        &self,
        reply: &Reply,
        answered: Result<Response<ResponseBody>, Refusal>,
    ) -> Response<ResponseBody> {
        reply.respond(answered, self.shared.directory.named())
    }

    /// Lets a request in, if its page may.
    async fn admit(
        &self,
        mut request: Box<Request>,
        reply: &Reply,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let page = match self.access.visitor(&request)? {
            Visitor::OfProvider => {
                let answered = if is_preflight(request.method(), request.headers()) {
                    Box::pin(self.pass_preflight(request)).await
                } else {
                    self.answer(request).await
                };
                return Ok(self.respond(reply, answered));
            }
            Visitor::Plain => None,
            Visitor::Page(page) => Some(page),
        };
        if let Some(page) = &page
            && let Some(preflight) = page.preflight(&request)
        {
            return Ok(preflight.map(ResponseBody::Whole));
        }
        let page = page.map(Page::to_owned);
        forget_page(request.headers_mut());
        let answered = match self.access.client(&mut request) {
            Ok(()) => self.answer(request).await,
            Err(refusal) => Err(refusal),
        };
        let mut response = self.respond(reply, answered);
        mark(response.headers_mut(), page);
        Ok(response)
    }

    /// Answers whoever asks, under whatever name: nothing of it is worth a guard.
    fn probe(
        &self,
        probe: Probe,
        is_stopping: bool,
        request: &Request,
    ) -> Result<Response<ResponseBody>, Refusal> {
        self.access.host_is_valid(request)?;
        if !Probe::takes(request.method()) {
            return Err(Refusal::method(HeaderValue::from_static("GET,HEAD")));
        }
        Ok(whole(probe.answer(is_stopping)))
    }

    /// Asks the provider of what a page wants to ask for.
    async fn pass_preflight(
        &self,
        request: Box<Request>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD);
        let wanted = wanted.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
        let method = wanted.as_ref().unwrap_or(request.method());
        let uri = request.uri().clone();
        let directory = &self.shared.directory;
        match Endpoint::at(directory.named(), method, uri.path()) {
            Endpoint::Provider(place, asked) => {
                let whom = Whom::Named(directory.provider(place));
                self.forward(whom, &asked.in_advance(), request).await
            }
            Endpoint::Shared(asked) | Endpoint::Models(asked) => {
                self.forward(Whom::Fitting, &asked.in_advance(), request)
                    .await
            }
            other => self.answer_at(other, request).await,
        }
    }

    async fn answer(&self, request: Box<Request>) -> Result<Response<ResponseBody>, Refusal> {
        let uri = request.uri().clone();
        let named = self.shared.directory.named();
        let endpoint = Endpoint::at(named, request.method(), uri.path());
        self.answer_at(endpoint, request).await
    }

    async fn answer_at(
        &self,
        endpoint: Endpoint<'_>,
        request: Box<Request>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let shared = &self.shared;
        match endpoint {
            Endpoint::Agent(asked) => self.forward(Whom::Agent, &asked, request).await,
            Endpoint::Provider(place, asked) => {
                let provider = shared.directory.provider(place);
                self.forward(Whom::Named(provider), &asked, request).await
            }
            Endpoint::Shared(mut asked) => {
                asked.heed(request.headers());
                self.forward(Whom::Fitting, &asked, request).await
            }
            Endpoint::Models(asked) => Box::pin(self.list_models(asked, request)).await,
            Endpoint::Agents(asked) => {
                let only = shared.directory.only_agent();
                Box::pin(self.list(only, &shared.agents, &asked, request)).await
            }
            Endpoint::Decide(asked) => {
                let decision = Box::pin(routing::decide(shared, &asked, request)).await?;
                Ok(whole(Json(decision)))
            }
            Endpoint::OtherMethod(_, allow) => Err(Refusal::method(allow)),
            Endpoint::Nothing => {
                let fault = "there is nothing at this path: write /PROVIDER before a path that only it knows";
                let refusal = Refusal::request("unknown_url", fault);
                Err(refusal.with_status(StatusCode::NOT_FOUND))
            }
            Endpoint::Bad => {
                let fault = "the path goes up (..), which no path of an API does: write it without";
                Err(Refusal::request("invalid_path", fault))
            }
        }
    }

    async fn forward(
        &self,
        whom: Whom<'_>,
        asked: &Asked<'_>,
        request: Box<Request>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        if sockets::are_asked(asked, &request) {
            return Box::pin(sockets::open(&self.shared, whom, asked, request)).await;
        }
        forward::forward(&self.shared, whom, asked, request).await
    }

    /// The only provider answers for itself, or the only one of the API whose client asks.
    async fn list_models(
        &self,
        mut asked: Asked<'_>,
        request: Box<Request>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let directory = &self.shared.directory;
        asked.heed(request.headers());
        let only = match asked.api {
            Api::OpenAi => directory.only_provider(),
            _ => directory.of_api(&asked),
        };
        self.list(only, &self.shared.models, &asked, request).await
    }

    /// Lets the only destination answer, or answers with this list.
    async fn list(
        &self,
        only: Option<&Arc<Destination>>,
        listing: &Value,
        asked: &Asked<'_>,
        mut request: Box<Request>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let Some(only) = only else {
            return Ok(unmeasured(whole(Json(listing))));
        };
        // Not every provider knows HEAD.
        *request.method_mut() = Method::GET;
        self.forward(Whom::Named(only), asked, request).await
    }
}

/// The response to a HEAD: of its body only the length is told. In HTTP/2 hyper would send the body as well.
fn without_body(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    if let Some(length) = response.body().size_hint().exact() {
        let headers = response.headers_mut();
        headers
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| length.into());
    }
    response.map(|_| ResponseBody::Whole(WholeBody::empty()))
}

/// A response that the gateway makes.
pub(super) fn whole(response: impl IntoResponse) -> Response<ResponseBody> {
    response.into_response().map(ResponseBody::Whole)
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project() {
            Either::Passed(body) => body.poll_frame(cx),
            Either::Unmeasured(body) => body.poll_frame(cx),
            Either::Whole(body) => body.poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passed(body) => body.is_end_stream(),
            Self::Unmeasured(body) => body.is_end_stream(),
            Self::Whole(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passed(body) => body.size_hint(),
            Self::Unmeasured(body) => body.size_hint(),
            Self::Whole(body) => body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How large the future of this function is.
    fn size<A, B, F>(_: impl FnOnce(A, B) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_future_of_a_request_is_small() {
        let size = size(|inside: &'static Inside, request| inside.let_in(request, false));
        assert!(size <= 4096, "{size} bytes, which are moved once a request");
    }
}
