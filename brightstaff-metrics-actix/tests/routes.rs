//! Names that only the route tells which a request took: proved at the head of its response.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/asked.rs"]
mod asked;
#[path = "support/flights.rs"]
mod flights;
#[path = "support/recorded.rs"]
mod recorded;

use std::task::{Context, Waker};

use actix_web::{
    App, HttpResponse,
    dev::Service,
    guard,
    test::{TestRequest, init_service, read_body},
    web,
};
use asked::{expect, ok, request};
use flights::{in_flight, looks};
use recorded::Recorded;

/// Where guards or patterns alone tell routes apart, too, and whether the route was seen before or not.
#[actix_web::test]
async fn the_route_that_was_taken_names_the_handler() {
    let recorded = Recorded::new();
    let guarded = |template: &str| web::resource(template).guard(guard::Header("x-one", "1"));
    let app = App::new()
        .wrap(recorded.middleware())
        .route("/r/{id:\\d+}", web::get().to(ok))
        .route("/r/{id:[a-z]{2,9}}", web::get().to(ok))
        .service(guarded("/g/{one}").to(ok))
        .route("/g/{other}", web::get().to(ok))
        .route("/f/{id}", web::get().to(ok))
        .route("/f/{id}/x-{n}.{kind}", web::get().to(ok))
        .route("/list", web::get().to(ok))
        .route("/tail/{path}*", web::get().to(ok))
        .route("/all/{path:.*}", web::get().to(ok))
        .service(web::resource(["/first/{x}", "/second/{x}"]).to(ok))
        .service(
            web::scope("/s/{team}")
                .route("/users", web::get().to(ok))
                .route("/{what}", web::get().to(ok)),
        );
    let app = init_service(app).await;
    let expected = [
        ("GET", "/r/17", r"/r/{id:\\d+}"),
        ("GET", "/r/abc", "/r/{id:[a-z]{2,9}}"),
        ("GET", "/r/ABC", "not_found"),
        ("GET", "/g/17", "/g/{other}"),
        ("GET", "/f/17", "/f/{id}"),
        ("GET", "/f/17/x-1.txt", "/f/{id}/x-{n}.{kind}"),
        ("GET", "/f/17/y", "not_found"),
        ("GET", "/list", "/list"),
        ("GET", "/list/", "not_found"),
        ("GET", "/tail/a/b", "/tail/{path}*"),
        ("GET", "/all/a/b", "/all/{path:.*}"),
        ("GET", "/first/1", "/first/{x}"),
        ("GET", "/second/1", "/first/{x}"),
        ("GET", "/s/red/users", "/s/{team}/users"),
        ("GET", "/s/red/things", "/s/{team}/{what}"),
        ("GET", "/s/red/things/17", "not_found"),
    ];
    for _ in 0..3 {
        expect(&recorded, &app, TestRequest::to_request, &expected).await;
        let one = request("GET", "/g/17").insert_header(("x-one", "1"));
        app.call(one.to_request()).await.unwrap();
    }
    let requests = recorded.requests();
    for line in ["/g/{one} GET 2xx 3", "/g/{other} GET 2xx 3"] {
        assert!(requests.contains(&line.to_owned()), "{requests:?}");
    }
    assert_eq!(recorded.ends()[1], 0);
}

/// An escape hides neither the guard that turned a request away, nor what the next request is named by.
#[actix_web::test]
async fn an_escape_does_not_name_the_route_that_a_guard_kept() {
    let recorded = Recorded::new();
    let one = || guard::Header("x-one", "1");
    let app = App::new()
        .wrap(recorded.middleware())
        .service(web::resource("/g/{id}").guard(one()).to(ok))
        .route("/g/{id:.*}", web::get().to(ok))
        .service(
            web::scope("/s")
                .guard(one())
                .route("/{id}", web::get().to(ok)),
        )
        .service(web::scope("/s").route("/{id:.*}", web::get().to(ok)))
        .service(web::resource(["/a/{x}", "/m/{x}"]).guard(one()).to(ok))
        .service(web::resource(["/b/{x}", "/m/{x}"]).to(ok))
        .service(web::resource("/turned/{id}").guard(one()).to(ok))
        .route("/n/{id:[^a]+}", web::get().to(ok));
    let app = init_service(app).await;
    let expected = [
        ("GET", "/g/%61", "/g/{id:.*}"),
        ("GET", "/g/b", "/g/{id:.*}"),
        ("GET", "/g/c", "/g/{id:.*}"),
        ("GET", "/s/%61", "/s/{id:.*}"),
        ("GET", "/s/b", "/s/{id:.*}"),
        ("GET", "/s/c", "/s/{id:.*}"),
        // Of several patterns of a resource, actix tells the first.
        ("GET", "/m/%61", "/b/{x}"),
        ("GET", "/m/b", "/b/{x}"),
        ("GET", "/turned/%61", "/turned/{id}"),
        // It fits with the escape alone, by which nothing is routed.
        ("GET", "/n/%61", "not_found"),
        ("GET", "/n/%62", "/n/{id:[^a]+}"),
    ];
    for _ in 0..2 {
        expect(&recorded, &app, TestRequest::to_request, &expected).await;
        for path in ["/g/%62", "/s/%62"] {
            let one = request("GET", path).insert_header(("x-one", "1"));
            app.call(one.to_request()).await.unwrap();
        }
    }
    let requests = recorded.requests();
    for line in ["/g/{id} GET 2xx 2", "/s/{id} GET 2xx 2"] {
        assert!(requests.contains(&line.to_owned()), "{requests:?}");
    }
}

/// So do all places of the middleware: a resource knows its template at the arrival.
#[actix_web::test]
async fn an_escape_does_not_name_another_resource_than_the_one_that_is_wrapped() {
    let recorded = Recorded::new();
    let app = App::new()
        .service(
            web::resource("/g/{id}")
                .guard(guard::Header("x-one", "1"))
                .to(ok),
        )
        .service(
            web::resource("/g/{id:.*}")
                .wrap(recorded.middleware())
                .to(ok),
        );
    let app = init_service(app).await;
    let expected = [
        ("GET", "/g/%61", "/g/{id:.*}"),
        ("GET", "/g/b", "/g/{id:.*}"),
    ];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
}

#[actix_web::test]
async fn a_request_in_flight_moves_to_the_handler_that_its_head_proves() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(recorded.middleware().fallback("unmatched"))
        .service(
            web::resource("/g/{one}")
                .guard(guard::Header("x-one", "1"))
                .to(looks(&recorded.metrics)),
        )
        .route("/g/{other}", web::get().to(looks(&recorded.metrics)))
        .route("/n/{id:\\d+}", web::get().to(looks(&recorded.metrics)))
        .default_service(web::to(looks(&recorded.metrics)));
    let app = init_service(app).await;
    for (path, during, after) in [
        // The first that the path fits, until a guard has spoken.
        ("/g/1", "/g/{one} 1", "/g/{other} 1"),
        // From then on the one that such paths took.
        ("/g/2", "/g/{other} 1", "/g/{other} 1"),
        ("/n/1", r"/n/{id:\\d+} 1", r"/n/{id:\\d+} 1"),
        ("/n/x", r"/n/{id:\\d+} 1", "unmatched 1"),
        ("/no", "unmatched 1", "unmatched 1"),
    ] {
        let answer = app.call(request("GET", path).to_request()).await.unwrap();
        assert_eq!(in_flight(&recorded.metrics), [after], "{path}");
        assert_eq!(read_body(answer).await, during, "{path}");
        assert!(in_flight(&recorded.metrics).is_empty(), "{path}");
    }
}

/// Without a head, nothing proves another name.
#[actix_web::test]
async fn what_has_no_head_keeps_its_first_name() {
    let recorded = Recorded::new();
    let app = App::new().wrap(recorded.middleware()).route(
        "/f/{id}",
        web::get().to(std::future::pending::<HttpResponse>),
    );
    let app = init_service(app).await;
    let mut answer = Box::pin(app.call(request("GET", "/f/17").to_request()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(answer.as_mut().poll(&mut context).is_pending());
    drop(answer);
    assert_eq!(recorded.requests(), ["/f/{id} GET error 1"]);
    assert_eq!(recorded.ends(), [1, 0, 1, 0]);
}

#[actix_web::test]
async fn more_routes_than_are_known_again_are_named_as_truly() {
    const ROUTES: usize = 300;
    let recorded = Recorded::with(|builder| builder.handler_cap(2 * ROUTES));
    let template = |n: usize| format!("/{n}/{{id}}");
    let mut app = App::new();
    for n in 0..ROUTES {
        app = app.route(&template(n), web::get().to(ok));
    }
    let app = init_service(app.wrap(recorded.middleware())).await;
    for _ in 0..2 {
        for n in 0..ROUTES {
            let request = request("GET", &format!("/{n}/17"));
            app.call(request.to_request()).await.unwrap();
        }
    }
    let requests = recorded.requests();
    assert_eq!(requests.len(), ROUTES);
    for n in 0..ROUTES {
        let line = format!("{} GET 2xx 2", template(n));
        assert!(requests.contains(&line), "{line}");
    }
}

#[actix_web::test]
async fn templates_of_512_bytes_are_kept_and_longer_ones_overflow() {
    let recorded = Recorded::new();
    let template = |bytes: usize| format!("/{}/{{id}}", "x".repeat(bytes - "//{id}".len()));
    let (kept, long) = (template(512), template(513));
    let app = App::new()
        .wrap(recorded.middleware())
        .route(&kept, web::get().to(ok))
        .route(&long, web::get().to(ok));
    let app = init_service(app).await;
    for _ in 0..3 {
        for template in [&kept, &long] {
            let path = template.replace("{id}", "17");
            app.call(request("GET", &path).to_request()).await.unwrap();
        }
    }
    assert_eq!(
        recorded.requests(),
        [format!("{kept} GET 2xx 3"), "other GET 2xx 3".to_owned()]
    );
    assert_eq!(
        recorded.samples("metrics_label_overflow_total"),
        [r#"{label="handler"} 3"#]
    );
}
