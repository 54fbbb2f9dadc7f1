//! Requests to an app, and the handlers that they are counted under.

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::Method,
    test::TestRequest,
};

use super::recorded::Recorded;

pub(crate) fn request(method: &str, path: &str) -> TestRequest {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    TestRequest::default().method(method).uri(path)
}

/// Sends requests, and compares the handler that each is counted under. `made` is
/// `TestRequest::to_request`, whose type has no public name.
pub(crate) async fn expect<S, R, B>(
    recorded: &Recorded,
    app: &S,
    made: fn(TestRequest) -> R,
    expected: &[(&str, &str, &str)],
) where
    S: Service<R, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    for (method, path, handler) in expected {
        let before = recorded.requests();
        drop(app.call(made(request(method, path))).await.unwrap());
        let after = recorded.requests();
        let changed: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
        let found = match &changed[..] {
            [] => "",
            [one] => one.split(' ').next().unwrap(),
            more => panic!("{method} {path}: {more:?}"),
        };
        assert_eq!(found, *handler, "{method} {path}");
    }
}

pub(crate) async fn ok() -> HttpResponse {
    HttpResponse::Ok().finish()
}
