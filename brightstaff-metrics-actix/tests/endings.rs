//! What is recorded of the endings that only actix-web knows.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/recorded.rs"]
mod recorded;

use std::{
    cell::Cell,
    future::{pending, poll_fn, ready},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    panic::AssertUnwindSafe,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer,
    body::{BodyStream, BoxBody, MessageBody as _, None as NoBody, SizedStream},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, fn_service},
    error::{ErrorBadGateway, ErrorUnauthorized, InternalError},
    http::header::CONTENT_LENGTH,
    middleware::from_fn,
    test::{TestRequest, init_service, read_body},
    web::{self, Bytes},
};
use brightstaff_metrics_actix::{MetricsMiddleware, ObservedBody};
use futures_util::{FutureExt, Stream, stream};
use recorded::Recorded;

/// The response to one GET of `/`, by this service behind the middleware.
async fn answer<F>(
    recorded: &Recorded,
    inner: impl Fn(HttpRequest) -> F + Clone + 'static,
) -> Result<ServiceResponse<ObservedBody<BoxBody>>, Error>
where
    F: Future<Output = Result<HttpResponse, Error>> + 'static,
{
    let inner = fn_service(move |request: ServiceRequest| {
        let (request, _) = request.into_parts();
        let answer = inner(request.clone());
        async { Ok(ServiceResponse::new(request, answer.await?)) }
    });
    let service = recorded.middleware().new_transform(inner).await.unwrap();
    service.call(TestRequest::default().to_srv_request()).await
}

#[actix_web::test]
async fn an_error_of_a_handler_is_an_answer() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(recorded.middleware())
        .route(
            "/handler",
            web::to(|| ready(Err::<HttpResponse, _>(ErrorUnauthorized("no")))),
        )
        .route("/extractor", web::to(|_: web::Json<u8>| HttpResponse::Ok()));
    let app = init_service(app).await;
    for path in ["/handler", "/extractor"] {
        let request = TestRequest::post().uri(path).to_request();
        let answer = app.call(request).await.unwrap();
        assert!(answer.status().is_client_error());
        read_body(answer).await;
    }
    assert_eq!(
        recorded.requests(),
        ["/extractor POST 4xx 1", "/handler POST 4xx 1"]
    );
    assert_eq!(recorded.ends(), [2, 0, 0, 0]);
}

#[actix_web::test]
async fn an_error_of_a_middleware_has_a_status_too() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(from_fn(|_, _| {
            ready(Err::<ServiceResponse, _>(ErrorUnauthorized("no")))
        }))
        .wrap(recorded.middleware().implicit("openai"));
    let app = init_service(app).await;
    let request = TestRequest::post().uri("/v1/messages").to_request();
    let error = app.call(request).await.unwrap_err();
    assert_eq!(error.to_string(), "no");
    assert_eq!(recorded.requests(), ["llm_chat POST 4xx 1"]);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    assert_eq!(
        recorded.samples("http_time_to_headers_seconds_count").len(),
        1
    );
    assert!(recorded.samples("llm_upstream_requests_total").is_empty());
}

#[actix_web::test]
async fn an_error_that_carries_its_answer_keeps_it() {
    let recorded = Recorded::new();
    let carried = || InternalError::from_response("no", HttpResponse::Conflict().body("kept"));
    let error = answer(&recorded, move |_| ready(Err(carried().into()))).await;
    let answer = error.unwrap_err().error_response();
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.into_body().try_into_bytes().unwrap(), "kept");
    assert_eq!(recorded.requests(), ["not_found GET 4xx 1"]);
}

#[actix_web::test]
async fn an_implicit_call_ends_with_the_error() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(from_fn(|_, _| {
            ready(Err::<ServiceResponse, _>(ErrorBadGateway("no")))
        }))
        .wrap(recorded.middleware().implicit("openai"));
    let app = init_service(app).await;
    let request = TestRequest::post().uri("/v1/messages").to_request();
    app.call(request).await.unwrap_err();
    assert_eq!(
        recorded.samples("llm_upstream_requests_total"),
        [r#"{error_class="status",model="unknown",provider="openai",status_class="5xx"} 1"#]
    );
}

#[actix_web::test]
async fn what_has_no_body_ends_at_its_head() {
    let recorded = Recorded::new();
    let bodies: [fn() -> BoxBody; 3] = [
        || BoxBody::new(NoBody::new()),
        || BoxBody::new(()),
        || {
            BoxBody::new(SizedStream::new(
                0,
                stream::pending::<Result<Bytes, Error>>(),
            ))
        },
    ];
    for body in bodies {
        let answered = answer(&recorded, move |_| {
            ready(Ok(HttpResponse::Ok().body(body())))
        });
        let answered = answered.await.unwrap();
        assert_eq!(recorded.ends()[1], 0);
        drop(answered);
    }
    assert_eq!(recorded.requests(), ["unmatched GET 2xx 3"]);
    assert_eq!(recorded.ends(), [3, 0, 0, 0]);
}

#[actix_web::test]
async fn bytes_are_not_taken_out_unobserved() {
    let recorded = Recorded::new();
    let answered = answer(&recorded, |_| ready(Ok(HttpResponse::Ok().body("hello"))));
    let body = answered.await.unwrap().into_body();
    let body = body.try_into_bytes().unwrap_err();
    assert_eq!(recorded.ends(), [0, 1, 0, 0]);
    assert_eq!(actix_web::body::to_bytes(body).await.unwrap(), "hello");
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
}

#[actix_web::test]
async fn a_panic_is_no_cancel_whoever_catches_it() {
    let recorded = Recorded::new();
    let broken = answer(&recorded, |_| async { panic!("in the handler") });
    assert!(AssertUnwindSafe(broken).catch_unwind().await.is_err());
    assert_eq!(recorded.requests(), ["not_found GET error 1"]);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
}

/// What panicked lives on after the panic was caught, and is dropped later.
#[actix_web::test]
async fn a_panic_is_remembered() {
    let recorded = Recorded::new();
    let inner = fn_service(|request: ServiceRequest| async {
        if true {
            panic!("in the handler");
        }
        Ok(request.into_response(HttpResponse::Ok().finish()))
    });
    let service = recorded.middleware().new_transform(inner).await.unwrap();
    let mut future = Box::pin(service.call(TestRequest::default().to_srv_request()));
    assert!(AssertUnwindSafe(&mut future).catch_unwind().await.is_err());
    assert_eq!(recorded.ends(), [0, 1, 0, 0]);
    drop(future);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);

    let recorded = Recorded::new();
    let broken =
        stream::poll_fn(|_| -> Poll<Option<Result<Bytes, Error>>> { panic!("in the body") });
    let mut body = Box::pin(streamed(&recorded, HttpResponse::Ok(), broken).await);
    let polled = poll_fn(|cx| body.as_mut().poll_next(cx));
    assert!(AssertUnwindSafe(polled).catch_unwind().await.is_err());
    assert_eq!(recorded.ends(), [0, 1, 0, 0]);
    drop(body);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    assert_eq!(
        recorded.samples("http_requests_interrupted_total"),
        [r#"{handler="unmatched",reason="panic"} 1"#]
    );
}

/// Over HTTP/1, actix sends the length that a handler sets only where it is told not to send chunks.
#[actix_web::test]
async fn a_length_that_is_not_sent_ends_nothing() {
    let mut chunks = HttpResponse::Ok();
    chunks.insert_header((CONTENT_LENGTH, 5));
    let mut length = HttpResponse::Ok();
    length.no_chunking(5);
    for (head, ends) in [(chunks, [1, 0, 0, 1]), (length, [1, 0, 0, 0])] {
        let recorded = Recorded::new();
        let hello = stream::iter([Ok::<_, Error>(Bytes::from("hello"))]);
        let mut body = Box::pin(streamed(&recorded, head, hello).await);
        let chunk = poll_fn(|cx| body.as_mut().poll_next(cx)).await;
        assert_eq!(chunk.unwrap().unwrap(), "hello");
        drop(body);
        assert_eq!(recorded.ends(), ends);
    }
}

/// A response that broke after its status, whether a call to a provider has a part in it or not.
#[actix_web::test]
async fn a_body_that_breaks_is_interrupted() {
    let broken = || Err::<Bytes, Error>(ErrorBadGateway("broken"));
    let mut length = HttpResponse::Ok();
    length.no_chunking(5);
    let hel = || Ok(Bytes::from("hel"));
    for (head, chunks) in [
        (HttpResponse::Ok(), vec![hel(), broken()]),
        (length, vec![hel()]),
    ] {
        let recorded = Recorded::new();
        let mut body = Box::pin(streamed(&recorded, head, stream::iter(chunks)).await);
        while let Some(Ok(_)) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {}
        drop(body);
        assert_eq!(
            recorded.samples("http_requests_interrupted_total"),
            [r#"{handler="unmatched",reason="error"} 1"#]
        );
        assert_eq!(recorded.requests(), ["unmatched GET 2xx 1"]);
        assert_eq!(recorded.ends(), [1, 0, 0, 0]);
    }
}

/// The body of a response that streams these chunks.
async fn streamed(
    recorded: &Recorded,
    mut head: HttpResponseBuilder,
    chunks: impl Stream<Item = Result<Bytes, Error>> + 'static,
) -> ObservedBody<BoxBody> {
    let response = Cell::new(Some(head.body(BodyStream::new(chunks))));
    let response = Rc::new(response);
    let answered = answer(recorded, move |_| ready(Ok(response.take().unwrap())));
    answered.await.unwrap().into_body()
}

#[actix_web::test]
async fn a_dropped_future_is_a_cancel() {
    let recorded = Recorded::new();
    let mut waiting = Box::pin(answer(&recorded, |_| pending()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(recorded.ends(), [0, 1, 0, 0]);
    drop(waiting);
    assert_eq!(recorded.requests(), ["not_found GET error 1"]);
    assert_eq!(recorded.ends(), [1, 0, 1, 0]);
}

/// By actix's default a client that closes its side is one that waits: the handler runs on, and its
/// answer is counted, whoever reads it. See `h1_allow_half_closed`.
#[actix_web::test]
async fn by_default_a_half_closed_client_is_answered() {
    let recorded = Recorded::new();
    let middleware = recorded.middleware();
    let closed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&closed);
    let server = HttpServer::new(move || {
        let seen = Arc::clone(&seen);
        App::new().wrap(middleware.clone()).route(
            "/",
            web::to(move || {
                let seen = Arc::clone(&seen);
                async move {
                    while !seen.load(SeqCst) {
                        actix_web::rt::time::sleep(Duration::from_millis(1)).await;
                    }
                    "answered"
                }
            }),
        )
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.workers(1).disable_signals();
    let server = server.listen(listener).unwrap().run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let read = actix_web::rt::task::spawn_blocking(move || {
        let mut client = TcpStream::connect(address).unwrap();
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n")
            .unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        closed.store(true, SeqCst);
        let mut read = String::new();
        client.read_to_string(&mut read).unwrap();
        read
    });
    let read = read.await.unwrap();
    assert!(read.ends_with("answered"), "{read:?}");
    handle.stop(true).await;
    assert_eq!(recorded.requests(), ["/ GET 2xx 1"]);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
}

#[test]
fn the_types_go_where_actix_wants_them() {
    fn everywhere<T: Clone + Send + Sync + 'static>() {}
    fn send<T: Send + 'static>() {}
    everywhere::<MetricsMiddleware>();
    // Futures stay with their worker, as all requests of actix do.
    send::<ObservedBody<()>>();
}
