//! Names that the application gives by the template: asked again at the head, once the true one is known.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/asked.rs"]
mod asked;
#[path = "support/flights.rs"]
mod flights;
#[path = "support/recorded.rs"]
mod recorded;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App,
    dev::Service,
    guard,
    test::{TestRequest, init_service, read_body},
    web,
};
use asked::{expect, ok, request};
use flights::{in_flight, looks};
use futures_util::FutureExt;
use recorded::Recorded;

#[actix_web::test]
async fn names_by_the_template_are_asked_again_at_the_head() {
    let recorded = Recorded::new();
    let middleware = recorded
        .middleware()
        .handler("/mapped/{one}", "mapped one")
        .handler("/late/{other}", "mapped late")
        .handler_fn(|request| match request.template() {
            Some("/g/{one}") => Some("one"),
            Some("/g/{other}") => Some("other"),
            Some("/mapped/{other}") => Some("closure"),
            Some("/late/{one}") => Some("early"),
            _ => None,
        });
    let guarded = |template: &str| {
        let resource = web::resource(template).guard(guard::Header("x-one", "1"));
        resource.to(looks(&recorded.metrics))
    };
    let app = App::new()
        .wrap(middleware)
        .service(guarded("/g/{one}"))
        .route("/g/{other}", web::get().to(looks(&recorded.metrics)))
        .service(guarded("/mapped/{one}"))
        .route("/mapped/{other}", web::get().to(looks(&recorded.metrics)))
        .service(guarded("/late/{one}"))
        .route("/late/{other}", web::get().to(looks(&recorded.metrics)))
        .service(guarded("/none/{one}"))
        .route("/none/{other}", web::get().to(looks(&recorded.metrics)));
    let app = init_service(app).await;
    for _ in 0..2 {
        for (path, during, after) in [
            ("/g/%31", "one 1", "other 1"),
            ("/g/1", "one 1", "other 1"),
            ("/mapped/1", "mapped one 1", "closure 1"),
            ("/late/1", "early 1", "mapped late 1"),
            ("/none/1", "/none/{one} 1", "/none/{other} 1"),
        ] {
            let answer = app.call(request("GET", path).to_request()).await.unwrap();
            assert_eq!(in_flight(&recorded.metrics), [after], "{path}");
            assert_eq!(read_body(answer).await, during, "{path}");
        }
    }
    let one = request("GET", "/g/1").insert_header(("x-one", "1"));
    app.call(one.to_request()).await.unwrap();
    let requests = recorded.requests();
    for line in ["one GET 2xx 1", "other GET 2xx 4"] {
        assert!(requests.contains(&line.to_owned()), "{requests:?}");
    }
}

/// A name that the closure gave without the template stands, whatever became of the request further in.
#[actix_web::test]
async fn names_without_the_template_are_asked_once() {
    let recorded = Recorded::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let middleware = recorded
        .middleware()
        // Wants the template of every request.
        .skip("/skipped/{id}")
        .handler_fn(move |request| {
            count.fetch_add(1, Ordering::Relaxed);
            request.headers().contains_key("x-name").then_some("named")
        });
    let app = App::new()
        .wrap_fn(|mut request, next| {
            request.headers_mut().remove("x-name");
            next.call(request)
        })
        .wrap(middleware)
        .service(
            web::resource("/g/{one}")
                .guard(guard::Header("x-one", "1"))
                .to(ok),
        )
        .route("/g/{other}", web::get().to(ok));
    let app = init_service(app).await;
    let named = request("GET", "/g/1").insert_header(("x-name", "1"));
    app.call(named.to_request()).await.unwrap();
    assert_eq!(recorded.requests(), ["named GET 2xx 1"]);
    let expected = [("GET", "/g/1", "/g/{other}")];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

/// Nor is a panic of the closure at the head a client that went away.
#[actix_web::test]
async fn a_closure_that_panics_at_the_head_is_no_cancel() {
    let recorded = Recorded::new();
    let middleware = recorded.middleware().handler_fn(|request| {
        assert_ne!(request.template(), Some("/g/{other}"));
        None::<&str>
    });
    let app = App::new()
        .wrap(middleware)
        .service(
            web::resource("/g/{one}")
                .guard(guard::Header("x-one", "1"))
                .to(ok),
        )
        .route("/g/{other}", web::get().to(ok));
    let app = init_service(app).await;
    let answer = AssertUnwindSafe(app.call(request("GET", "/g/1").to_request()));
    assert!(answer.catch_unwind().await.is_err());
    assert_eq!(recorded.requests(), ["/g/{one} GET error 1"]);
    assert_eq!(recorded.ends(), [1, 0, 0, 0]);
}
