//! A small gateway without metrics, and what sends requests to it.

use std::{
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    http::StatusCode,
    test::{TestRequest, init_service},
    web,
};
use futures_util::FutureExt;

#[path = "floor.rs"]
mod floor;

/// A middleware by hand is the floor: it reads the clock at both ends of a request, and counts it.
pub(crate) use floor::Floor;

/// A known endpoint, a static route, and one with a parameter.
pub(crate) const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/files", "/v1/files/17"];

/// Answers a request to this path, and reads the response to its end.
pub(crate) type Send = Box<dyn FnMut(&str) -> StatusCode>;

/// The gateway without metrics.
pub(crate) fn app() -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .route(
            "/v1/chat/completions",
            web::post().to(|| async { r#"{"model":"gpt-4o"}"# }),
        )
        .route("/v1/files", web::post().to(|| async { "files" }))
        .route("/v1/files/{id}", web::post().to(|| async { "a file" }))
}

pub(crate) fn send<T, B>(app: App<T>) -> Send
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    const READY: &str = "nothing here waits";
    let app = init_service(app).now_or_never().expect(READY);
    Box::new(move |path| {
        let request = TestRequest::post().uri(path).to_request();
        let mut context = Context::from_waker(Waker::noop());
        // As a server does it: the future stays where it is, and no helper moves the response.
        let Poll::Ready(Ok(answer)) = pin!(app.call(request)).poll(&mut context) else {
            panic!("{READY}, and nothing fails");
        };
        let status = answer.status();
        let mut body = pin!(answer.into_body());
        while let Poll::Ready(Some(chunk)) = body.as_mut().poll_next(&mut context) {
            black_box(chunk.ok());
        }
        status
    })
}
