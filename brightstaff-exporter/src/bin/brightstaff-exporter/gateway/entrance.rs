//! The way of every request: whether it may come in, what it asks for, and who answers it.
//!
//! One future a request, from here to its response's head. A router with its layers would make one for each of them,
//! in a box of its own, and each would be gone through whenever the request wakes up.

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
        header::{ALLOW, CONTENT_LENGTH},
    },
    response::IntoResponse,
};
use brightstaff_metrics_core::ObservedBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use tower_service::Service;

use super::{
    Request, Shared,
    access::{Access, Page, forget_page, mark},
    destination::Answer,
    endpoint::Endpoint,
    error::Refusal,
    forward, models, routing, sockets, upgrade,
};

/// What a request meets first, but for the metrics.
#[derive(Clone, Debug)]
pub(crate) struct Entrance(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    access: Access,
    shared: Shared,
}

/// The body of a response.
#[derive(Debug)]
#[pin_project(project = Either)]
pub(crate) enum ResponseBody {
    /// That of a destination, which passes.
    Passed(#[pin] ObservedBody<Answer>),
    /// One that the gateway made, or of which nothing is recorded.
    Whole(#[pin] WholeBody),
}

impl Entrance {
    pub(super) fn new(access: Access, shared: Shared) -> Self {
        Self(Arc::new(Inside { access, shared }))
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
        let inside = Arc::clone(&self.0);
        Box::pin(async move { Ok(inside.let_in(request).await) })
    }
}

impl Inside {
    /// Lets a request in, or answers it.
    async fn let_in(&self, mut request: Request) -> Response<ResponseBody> {
        let page = match self.access.page(&request) {
            Ok(page) => page,
            Err(refusal) => return whole(refusal),
        };
        if let Some(page) = &page
            && let Some(preflight) = page.preflight(&request)
        {
            return preflight.map(ResponseBody::Whole);
        }
        let page = page.map(Page::to_owned);
        forget_page(request.headers_mut());
        let head_only = request.method() == Method::HEAD;
        let mut response = match self.access.client(&mut request) {
            Ok(()) => self.answer(request).await,
            Err(refusal) => whole(refusal),
        };
        mark(response.headers_mut(), page);
        if head_only {
            return without_body(response);
        }
        response
    }

    async fn answer(&self, request: Request) -> Response<ResponseBody> {
        let shared = &self.shared;
        if upgrade::is_asked(request.headers()) || request.uri().path() == sockets::PATH {
            let answered = sockets::answer(shared, request).await;
            return answered.unwrap_or_else(whole);
        }
        let Some(endpoint) = Endpoint::at(request.uri().path()) else {
            let refusal = Refusal::request("unknown_url", "there is nothing at this path");
            return whole(refusal.with_status(StatusCode::NOT_FOUND));
        };
        if !endpoint.takes(request.method()) {
            return refuse_method(endpoint.allow());
        }
        match endpoint {
            Endpoint::Ask(route) => match forward::forward(shared, route, request).await {
                Ok(response) => response.map(ResponseBody::Passed),
                Err(refusal) => whole(refusal),
            },
            Endpoint::Decide => match routing::decide(shared, request).await {
                Ok(decision) => whole(Json(decision)),
                Err(refusal) => whole(refusal),
            },
            Endpoint::Models => {
                let only = shared.directory.only_provider();
                models::list(only, &shared.models, request).await
            }
            Endpoint::Agents => {
                let only = shared.directory.only_agent();
                models::list(only, &shared.agents, request).await
            }
        }
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

fn refuse_method(allow: HeaderValue) -> Response<ResponseBody> {
    let refusal = Refusal::request("method_not_allowed", "this path takes another method");
    let mut response = whole(refusal.with_status(StatusCode::METHOD_NOT_ALLOWED));
    response.headers_mut().insert(ALLOW, allow);
    response
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
            Either::Whole(body) => body.poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passed(body) => body.is_end_stream(),
            Self::Whole(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passed(body) => body.size_hint(),
            Self::Whole(body) => body.size_hint(),
        }
    }
}
