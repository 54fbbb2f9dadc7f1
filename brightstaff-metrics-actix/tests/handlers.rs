//! Which handler a request is recorded under, wherever the middleware is placed.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/asked.rs"]
mod asked;
#[path = "support/recorded.rs"]
mod recorded;

use actix_web::{
    App, HttpMessage,
    dev::Service,
    guard,
    middleware::Condition,
    test::{TestRequest, init_service},
    web,
};
use asked::{expect, ok, request};
use brightstaff_metrics_actix::HandlerName;
use recorded::Recorded;

#[actix_web::test]
async fn on_the_app_templates_are_known() {
    let recorded = Recorded::new();
    let app = App::new()
        .wrap(recorded.middleware())
        .route("/v1/files/{id}", web::get().to(ok))
        .service(web::resource("/v1/chat/completions").route(web::post().to(ok)))
        .service(web::resource("/v1/models").route(web::get().to(ok)))
        .service(web::resource("/v1/messages").to(ok))
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
        // A path and its endpoint are one line, whatever is refused there, and HEAD asks what GET does.
        ("GET", "/v1/chat/completions", "llm_chat"),
        ("HEAD", "/v1/models", "list_models"),
        ("POST", "/v1/models", "list_models"),
        ("DELETE", "/v1/messages", "/v1/messages"),
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
