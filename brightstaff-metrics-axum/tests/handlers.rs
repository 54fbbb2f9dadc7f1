//! Which handler a request is recorded under, wherever the layer is placed.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    response::IntoResponse,
    routing::{any, get, post},
};
use brightstaff_metrics_axum::{HandlerName, Metrics, MetricsLayer};
use http::{Method, Request, Response};
use prometheus::{Registry, TextEncoder};
use tower::{Layer, Service, ServiceExt, service_fn, util::MapRequestLayer};

/// Metrics, and the registry to read them from.
struct Recorded(Registry, Metrics);

impl Recorded {
    fn new() -> Self {
        let registry = Registry::new();
        let metrics = Metrics::builder().process(false).register(&registry);
        Self(registry, metrics.unwrap())
    }

    fn layer(&self) -> MetricsLayer {
        MetricsLayer::new(self.1.clone())
    }

    /// The requests counted so far, as `handler method class count`.
    fn requests(&self) -> Vec<String> {
        let text = TextEncoder::new()
            .encode_to_string(&self.0.gather())
            .unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix("brightstaff_http_requests_total{"))
            // What is there at 0 has not happened.
            .filter(|line| !line.ends_with(" 0"))
            .map(|line| {
                let parts: Vec<_> = line.split('"').collect();
                format!("{} {} {}{}", parts[1], parts[3], parts[5], &parts[6][1..])
            })
            .collect()
    }
}

async fn send<S, B>(app: &S, request: Request<Body>) -> http::StatusCode
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
{
    app.clone().oneshot(request).await.unwrap().status()
}

fn request(method: &str, path: &str) -> Request<Body> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = Request::builder().method(method).uri(path);
    request.body(Body::empty()).unwrap()
}

/// The one handler that a request is counted under.
async fn handler<S, B>(recorded: &Recorded, app: &S, method: &str, path: &str) -> String
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
{
    let before = recorded.requests();
    send(app, request(method, path)).await;
    let after = recorded.requests();
    let changed: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(changed.len(), 1, "{method} {path}: {before:?}, {after:?}");
    changed[0].split(' ').next().unwrap().to_owned()
}

async fn ok() -> impl IntoResponse {
    "ok"
}

#[tokio::test]
async fn inside_the_router_templates_are_known() {
    let recorded = Recorded::new();
    let app = Router::new()
        .route("/v1/files/{id}", get(ok))
        .route("/v1/chat/completions", post(ok))
        .route("/v1/models", get(ok))
        .route("/v1/messages", any(ok))
        .nest(
            "/api",
            Router::new()
                .route("/v1/models", get(ok))
                .route("/{a}", get(ok)),
        )
        .nest_service(
            "/service",
            service_fn(|_: Request<Body>| async { Ok(Response::new(Body::empty())) }),
        )
        .layer(recorded.layer());
    for (method, path, expected) in [
        ("GET", "/v1/files/17", "/v1/files/{id}"),
        ("PUT", "/v1/files/17", "/v1/files/{id}"),
        ("POST", "/v1/chat/completions?x=1", "llm_chat"),
        // A path and its endpoint are one line, whatever is refused there, and HEAD asks what GET does.
        ("GET", "/v1/chat/completions", "llm_chat"),
        ("HEAD", "/v1/models", "list_models"),
        ("POST", "/v1/models", "list_models"),
        ("PUT", "/v1/responses", "llm_chat"),
        ("DELETE", "/v1/messages", "/v1/messages"),
        ("GET", "/api/v1/models", "/api/v1/models"),
        ("GET", "/api/17", "/api/{a}"),
        ("GET", "/api/17/18", "not_found"),
        ("GET", "/nothing", "not_found"),
        // Nothing is known outside of a nested service but where it starts.
        ("GET", "/service", "/service"),
        ("GET", "/service/17", "unmatched"),
    ] {
        let found = handler(&recorded, &app, method, path).await;
        assert_eq!(found, expected, "{method} {path}");
    }
}

/// Axum keeps the path that the client sent, which says nothing about the route then.
#[tokio::test]
async fn a_path_that_was_rewritten_is_known_by_its_template() {
    let recorded = Recorded::new();
    let layer = recorded.layer();
    let layer = layer.handler("/v1/files/{id}", "files").skip("/healthz");
    let inner = Router::new()
        .route("/v1/files/{id}", get(ok))
        .route("/healthz", get(ok))
        .layer(layer);
    let rewrite = MapRequestLayer::new(|mut request: Request<Body>| {
        let path = request.uri().path().strip_prefix("/openai").unwrap();
        *request.uri_mut() = path.parse().unwrap();
        request
    });
    let app = Router::new().fallback_service(rewrite.layer(inner));
    send(&app, request("GET", "/openai/v1/files/17")).await;
    send(&app, request("GET", "/openai/healthz")).await;
    assert_eq!(recorded.requests(), ["files GET 2xx 1"]);
}

#[tokio::test]
async fn around_the_router_only_the_table_is_known() {
    let recorded = Recorded::new();
    let app = Router::new().route("/v1/files/{id}", get(ok));
    let app = recorded.layer().layer(app);
    for (method, path, expected) in [
        ("GET", "/v1/files/17", "unmatched"),
        ("POST", "/v1/messages", "llm_chat"),
    ] {
        let found = handler(&recorded, &app, method, path).await;
        assert_eq!(found, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn inside_a_nested_router_the_whole_path_counts() {
    let recorded = Recorded::new();
    let inner = Router::new()
        .route("/v1/messages", post(ok))
        .route("/{id}", get(ok))
        .fallback(ok)
        .layer(recorded.layer());
    let app = Router::new()
        .nest("/agents", inner.clone())
        .nest_service("/service", inner)
        .route("/outside", get(ok));
    for (method, path, expected) in [
        ("POST", "/agents/v1/messages", "agent_chat"),
        ("GET", "/agents/17", "/agents/{id}"),
        ("GET", "/agents/17/18", "/agents"),
        ("POST", "/service/v1/messages", "/service/v1/messages"),
        ("GET", "/service/17", "/service/{id}"),
        ("GET", "/service/17/18", "/service"),
    ] {
        let found = handler(&recorded, &app, method, path).await;
        assert_eq!(found, expected, "{method} {path}");
    }
    let before = recorded.requests();
    send(&app, request("GET", "/outside")).await;
    send(&app, request("GET", "/nothing")).await;
    assert_eq!(recorded.requests(), before);
}

#[tokio::test]
async fn around_a_nested_service_its_prefix_is_known() {
    let recorded = Recorded::new();
    let service = service_fn(|_: Request<Body>| async { Ok(Response::new(Body::empty())) });
    let app = Router::new()
        .route("/{id}", get(ok))
        .layer(recorded.layer())
        .nest_service("/service", recorded.layer().layer(service));
    assert_eq!(handler(&recorded, &app, "GET", "/17").await, "/{id}");
    assert_eq!(
        handler(&recorded, &app, "GET", "/service/17/18").await,
        "/service"
    );
}

#[tokio::test]
async fn route_layers_leave_fallbacks_alone() {
    let recorded = Recorded::new();
    let app = Router::new()
        .route("/{id}", get(ok))
        .route_layer(recorded.layer());
    assert_eq!(handler(&recorded, &app, "GET", "/17").await, "/{id}");
    assert_eq!(handler(&recorded, &app, "PUT", "/17").await, "/{id}");
    send(&app, request("GET", "/17/18")).await;
    assert_eq!(recorded.requests().len(), 2);
}

#[tokio::test]
async fn method_routers_know_their_template() {
    let recorded = Recorded::new();
    let app = Router::new().route("/{id}", get(ok).layer(recorded.layer()));
    assert_eq!(handler(&recorded, &app, "GET", "/17").await, "/{id}");
    assert_eq!(handler(&recorded, &app, "PUT", "/17").await, "/{id}");
}

#[tokio::test]
async fn merged_routers_keep_their_layers() {
    let recorded = Recorded::new();
    let measured = Router::new()
        .route("/{id}", get(ok))
        .layer(recorded.layer());
    let app = Router::new().route("/a/{id}", get(ok)).merge(measured);
    assert_eq!(handler(&recorded, &app, "GET", "/17").await, "/{id}");
    send(&app, request("GET", "/a/17")).await;
    assert_eq!(recorded.requests().len(), 1);
}

#[tokio::test]
async fn the_users_names_go_first() {
    let recorded = Recorded::new();
    let layer = recorded
        .layer()
        .handler("/v1/messages", "mine")
        .handler("/v1/files/{id}", "files")
        .handler("/static/{*path}", "static")
        .handler("/static/deep/{*path}", "deep")
        .handler_fn(|request| Some(request.headers().get("x-name")?.to_str().ok()?.to_owned()))
        .fallback("unmatched");
    let app = Router::new()
        .route("/v1/files/{id}", any(ok))
        .route("/v1/files/{id}/content", any(ok))
        .layer(layer);
    for (method, path, expected) in [
        ("POST", "/v1/messages", "mine"),
        ("GET", "/v1/messages", "mine"),
        ("GET", "/v1/files/17", "files"),
        ("GET", "/v1/files/17/content", "/v1/files/{id}/content"),
        ("GET", "/static/a/b", "static"),
        ("GET", "/static/deep/b", "deep"),
        ("GET", "/statics", "unmatched"),
        ("POST", "/v1/responses", "llm_chat"),
    ] {
        let found = handler(&recorded, &app, method, path).await;
        assert_eq!(found, expected, "{method} {path}");
    }

    let mut chosen = request("POST", "/v1/responses");
    chosen
        .headers_mut()
        .insert("x-name", "chosen".parse().unwrap());
    send(&app, chosen).await;
    let mut given = request("POST", "/v1/messages");
    given.extensions_mut().insert(HandlerName::from("given"));
    send(&app, given).await;
    let requests = recorded.requests();
    assert!(
        requests.contains(&"chosen POST 4xx 1".to_owned()),
        "{requests:?}"
    );
    assert!(
        requests.contains(&"given POST 4xx 1".to_owned()),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_preflight_is_one_wherever_it_goes() {
    let recorded = Recorded::new();
    let app = Router::new()
        .route("/{id}", get(ok))
        .layer(recorded.layer());
    for path in ["/17", "/17/18", "/v1/chat/completions"] {
        let mut preflight = request("OPTIONS", path);
        preflight
            .headers_mut()
            .insert("origin", "https://a".parse().unwrap());
        let asked = "access-control-request-method";
        preflight
            .headers_mut()
            .insert(asked, "POST".parse().unwrap());
        send(&app, preflight).await;
    }
    send(&app, request("OPTIONS", "/17")).await;
    assert_eq!(
        recorded.requests(),
        ["/{id} OPTIONS 4xx 1", "cors_preflight OPTIONS 4xx 3"]
    );
}

#[tokio::test]
async fn what_is_skipped_is_skipped_by_all() {
    let recorded = Recorded::new();
    let app = Router::new()
        .route("/healthz", get(ok))
        .route("/assets/{name}", get(ok))
        .layer(recorded.layer())
        .layer(recorded.layer().skip("/healthz").skip("/assets/{name}"));
    for path in ["/healthz", "/assets/a.css"] {
        assert_eq!(send(&app, request("GET", path)).await, 200);
    }
    assert!(recorded.requests().is_empty());
}

#[tokio::test]
async fn a_second_layer_counts_nothing() {
    let recorded = Recorded::new();
    let inner = Router::new()
        .route("/{id}", get(ok))
        .layer(recorded.layer());
    let app = Router::new().nest("/a", inner).layer(recorded.layer());
    send(&app, request("GET", "/a/17")).await;
    assert_eq!(recorded.requests(), ["/a/{id} GET 2xx 1"]);
}
