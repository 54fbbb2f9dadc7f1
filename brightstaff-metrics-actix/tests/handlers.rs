//! Which handler a request is recorded under, wherever the middleware is placed.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/recorded.rs"]
mod recorded;

use std::task::{Context, Waker};

use actix_web::{
    App, Error, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    guard,
    http::Method,
    middleware::Condition,
    test::{TestRequest, init_service, read_body},
    web,
};
use brightstaff_metrics_actix::{HandlerName, Metrics};
use recorded::Recorded;

fn request(method: &str, path: &str) -> TestRequest {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    TestRequest::default().method(method).uri(path)
}

/// Sends requests, and compares the handler that each is counted under. `made` is
/// `TestRequest::to_request`, whose type has no public name.
async fn expect<S, R, B>(
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

async fn ok() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn on_the_app_templates_are_known() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(recorded.middleware())
        .route("/v1/files/{id}", web::get().to(ok))
        .service(web::resource("/v1/chat/completions").route(web::post().to(ok)))
        .service(
            web::scope("/api")
                .route("/v1/models", web::get().to(ok))
                .service(web::scope("/{team}").route("/users/{id}", web::get().to(ok)))
                .default_service(web::to(ok)),
        )
        .service(
            web::resource("/guarded")
                .guard(guard::Header("x-guard", "open"))
                .to(ok),
        )
        .default_service(web::to(ok));
    let app = init_service(app).await;
    let expected = [
        ("GET", "/v1/files/17", "/v1/files/{id}"),
        ("PUT", "/v1/files/17", "/v1/files/{id}"),
        ("POST", "/v1/chat/completions?x=1", "llm_chat"),
        ("GET", "/v1/chat/completions", "/v1/chat/completions"),
        ("GET", "/api/v1/models", "/api/v1/models"),
        ("GET", "/api/red/users/17", "/api/{team}/users/{id}"),
        // A default service answers.
        ("GET", "/api/red/nothing", "unmatched"),
        ("GET", "/nothing", "unmatched"),
        // Here as well, but the path is that of the resource.
        ("GET", "/guarded", "/guarded"),
    ];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
}

/// Actix routes by the path with its escapes undone: so a client cannot choose another handler's name
/// by another spelling.
#[actix_web::test]
async fn escapes_do_not_hide_the_route() {
    let recorded = Recorded::new();
    let middleware = recorded
        .middleware()
        .implicit("openai")
        .handler("/v1/things/{id}", "things")
        .skip("/healthz");
    let app = App::new()
        .wrap(middleware)
        .route("/v1/files/{id}", web::get().to(ok))
        .route("/v1/things/{id}", web::get().to(ok))
        .route("/healthz", web::get().to(ok))
        .route("/v1/messages", web::post().to(ok))
        .route("/v1/{other}", web::post().to(ok));
    let app = init_service(app).await;
    let expected = [
        ("GET", "/v1/%66iles/17", "/v1/files/{id}"),
        ("GET", "/v1/files/a%2Fb", "/v1/files/{id}"),
        ("GET", "/v1/%74hings/17", "things"),
        ("POST", "/v1/%6Dessages", "llm_chat"),
        ("POST", "/v1/%6Dodels", "/v1/{other}"),
        ("GET", "/%68ealthz", ""),
        ("GET", "/%6Eothing", "not_found"),
    ];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
    let calls = recorded.samples("llm_upstream_requests_total");
    assert_eq!(calls.len(), 1, "{calls:?}");
}

#[actix_web::test]
async fn on_a_scope_its_prefix_is_known() {
    let recorded = Recorded::new();
    let app = App::new()
        .service(
            web::scope("/agents")
                .wrap(recorded.middleware())
                .route("/v1/messages", web::post().to(ok))
                .route("/{id}", web::get().to(ok))
                .route("/n/{id:\\d+}", web::get().to(ok))
                .default_service(web::to(ok)),
        )
        .service(
            web::scope("/teams/{team}")
                .wrap(recorded.middleware())
                .route("/users/{id}", web::get().to(ok)),
        )
        .route("/outside", web::get().to(ok));
    let app = init_service(app).await;
    let expected = [
        ("POST", "/agents/v1/messages", "agent_chat"),
        ("GET", "/agents/17", "/agents/{id}"),
        ("GET", "/agents/17/18", "/agents"),
        ("GET", "/teams/red/users/17", "/teams/{team}/users/{id}"),
        // The same where such a path took a route.
        ("GET", "/agents/x/17", "/agents"),
        ("GET", "/agents/n/17", r"/agents/n/{id:\\d+}"),
        ("GET", "/agents/n/x", "/agents"),
        // The prefix has what a client chose in it.
        ("GET", "/teams/red/nothing", "not_found"),
        ("GET", "/outside", ""),
        ("GET", "/nothing", ""),
    ];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
}

#[actix_web::test]
async fn on_a_resource_its_template_is_known() {
    let recorded = Recorded::new();
    let resource = web::resource("/files/{id}")
        .wrap(recorded.middleware())
        .route(web::get().to(ok));
    let app = init_service(App::new().service(resource)).await;
    let expected = [
        ("GET", "/files/17", "/files/{id}"),
        ("PUT", "/files/17", "/files/{id}"),
        ("GET", "/nothing", ""),
    ];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
    assert_eq!(
        recorded.requests(),
        ["/files/{id} GET 2xx 1", "/files/{id} PUT 4xx 1"]
    );
}

#[actix_web::test]
async fn the_users_names_go_first() {
    let recorded = Recorded::new();
    let middleware = recorded
        .middleware()
        .handler("/v1/messages", "mine")
        .handler("/v1/files/{id}", "files")
        .handler("/static/{path:.*}", "static")
        .handler("/static/deep/{path}*", "deep")
        .handler_fn(|request| Some(request.headers().get("x-name")?.to_str().ok()?.to_owned()))
        .fallback("unmatched");
    let app = App::new()
        .wrap(middleware)
        .route("/v1/files/{id}", web::to(ok))
        .route("/v1/files/{id}/content", web::to(ok));
    let app = init_service(app).await;
    let expected = [
        ("POST", "/v1/messages", "mine"),
        ("GET", "/v1/messages", "mine"),
        ("GET", "/v1/files/17", "files"),
        ("GET", "/v1/files/17/content", "/v1/files/{id}/content"),
        ("GET", "/static/a/b", "static"),
        ("GET", "/static/deep/b", "deep"),
        ("GET", "/statics", "unmatched"),
        ("POST", "/v1/responses", "llm_chat"),
    ];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;

    let chosen = request("POST", "/v1/responses").insert_header(("x-name", "chosen"));
    app.call(chosen.to_request()).await.unwrap();
    let given = request("POST", "/v1/messages").to_request();
    given.extensions_mut().insert(HandlerName::from("given"));
    app.call(given).await.unwrap();
    let requests = recorded.requests();
    for line in ["chosen POST 4xx 1", "given POST 4xx 1"] {
        assert!(requests.contains(&line.to_owned()), "{requests:?}");
    }
}

#[actix_web::test]
async fn what_is_skipped_is_skipped_by_all() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(recorded.middleware())
        .wrap(
            recorded
                .middleware()
                .skip("/healthz")
                .skip("/assets/{name}"),
        )
        .route("/healthz", web::to(ok))
        .route("/assets/{name}", web::to(ok));
    let app = init_service(app).await;
    let expected = [("GET", "/healthz", ""), ("GET", "/assets/a.css", "")];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
}

#[actix_web::test]
async fn a_second_middleware_counts_nothing_and_a_condition_switches() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(recorded.middleware())
        .wrap(Condition::new(true, recorded.middleware()))
        .wrap(Condition::new(false, recorded.middleware().fallback("off")))
        .service(
            web::scope("/a")
                .wrap(recorded.middleware())
                .route("/{id}", web::to(ok)),
        );
    let app = init_service(app).await;
    let expected = [
        ("GET", "/a/17", "/a/{id}"),
        ("GET", "/nothing", "not_found"),
    ];
    expect(&recorded, &app, TestRequest::to_request, &expected).await;
    assert_eq!(
        recorded.requests(),
        ["/a/{id} GET 2xx 1", "not_found GET 4xx 1"]
    );
}

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

/// The handlers of the requests that are in flight.
fn in_flight(metrics: &Metrics) -> Vec<String> {
    let text = metrics.render();
    let lines = text.lines().filter(|line| !line.ends_with(" 0"));
    let gauges = lines
        .filter_map(|line| line.strip_prefix("brightstaff_http_in_flight_requests{handler=\""));
    gauges.map(|line| line.replace("\"}", "")).collect()
}

/// What was in flight while the handler ran.
fn looks(metrics: &Metrics) -> impl Fn() -> std::future::Ready<String> + Clone + 'static {
    let metrics = metrics.clone();
    move || std::future::ready(in_flight(&metrics).join(", "))
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
