//! Where the layer goes among others, and what it tells there: the rows of the crate's documentation.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "support/told.rs"]
mod told;

use std::{convert::Infallible, io, panic::AssertUnwindSafe, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use brightstaff_metrics_axum::{Metrics, MetricsLayer};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::StatusCode;
use http_body_util::BodyExt;
use told::told;
use tower::{
    ServiceBuilder, ServiceExt,
    util::{MapResponseLayer, option_layer},
};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, timeout::TimeoutLayer};

const SOON: Duration = Duration::from_millis(20);

fn ask_for(path: &str) -> Request {
    Request::get(path).body(Body::empty()).unwrap()
}

fn chat() -> Request {
    let request = Request::post("/v1/chat/completions");
    request.body(Body::empty()).unwrap()
}

/// Reads a response as far as it goes.
async fn read(app: &Router, request: Request) -> StatusCode {
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let _ = AssertUnwindSafe(response.into_body().collect())
        .catch_unwind()
        .await;
    status
}

const ENDINGS: [&str; 2] = [
    "http_requests_cancelled_total",
    "http_requests_interrupted_total",
];

#[tokio::test]
async fn a_body_that_fails_is_interrupted() {
    let metrics = Metrics::unregistered();
    let some = || async { Ok::<_, io::Error>("some") };
    let error = move || async move {
        let error = async { Err(io::ErrorKind::BrokenPipe.into()) };
        Body::from_stream(stream::select(stream::once(some()), stream::once(error)))
    };
    let panics = || async {
        let panics = stream::repeat_with(|| -> Result<Bytes, Infallible> { panic!("as asked") });
        Body::from_stream(panics)
    };
    let short = move || async move {
        let body = Body::from_stream(stream::once(some()));
        ([("content-length", "100")], body)
    };
    let app = Router::new()
        .route("/error", get(error))
        .route("/panic", get(panics))
        .route("/short", get(short))
        .layer(MetricsLayer::new(metrics.clone()));
    for path in ["/error", "/panic", "/short"] {
        assert_eq!(read(&app, ask_for(path)).await, 200);
    }
    assert_eq!(
        told(&metrics, &ENDINGS),
        [
            r#"http_requests_interrupted_total{handler="/error",reason="error"} 1"#,
            r#"http_requests_interrupted_total{handler="/panic",reason="panic"} 1"#,
            r#"http_requests_interrupted_total{handler="/short",reason="error"} 1"#,
        ]
    );
}

/// Refuses who asks for it.
async fn rate_limit(request: Request, next: Next) -> Response {
    if request.headers().contains_key("x-too-many") {
        let mut refused = Response::new(Body::from("slow down"));
        *refused.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        return refused;
    }
    next.run(request).await
}

#[tokio::test]
async fn what_the_gateway_refuses_is_not_the_providers() {
    let (metrics, others) = (Metrics::unregistered(), Metrics::unregistered());
    let handler = |request: Request| async move {
        if request.headers().contains_key("x-hang") {
            std::future::pending::<()>().await;
        }
        assert!(!request.headers().contains_key("x-panic"), "as asked");
        StatusCode::SERVICE_UNAVAILABLE
    };
    let app = Router::new()
        .route("/v1/chat/completions", post(handler))
        .layer(MetricsLayer::new(metrics.clone()).implicit("openai"))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            SOON,
        ))
        .layer(CatchPanicLayer::new())
        .layer(from_fn(rate_limit))
        .layer(MetricsLayer::new(others.clone()))
        .layer(MetricsLayer::new(metrics.clone()));
    for (header, status) in [
        ("x-too-many", 429),
        ("x-hang", 504),
        ("x-panic", 500),
        ("x-none", 503),
    ] {
        let mut request = chat();
        request.headers_mut().insert(header, "1".parse().unwrap());
        assert_eq!(read(&app, request).await, status);
    }
    let requests = ["http_requests_total"];
    let counted = [
        r#"http_requests_total{handler="llm_chat",method="POST",status_class="4xx"} 1"#,
        r#"http_requests_total{handler="llm_chat",method="POST",status_class="5xx"} 3"#,
    ];
    assert_eq!(told(&metrics, &requests), counted);
    assert_eq!(told(&others, &requests), counted);
    assert_eq!(
        told(&metrics, &["llm_upstream_requests_total"]),
        [
            r#"llm_upstream_requests_total{error_class="status",model="unknown",provider="openai",status_class="5xx"} 1"#
        ]
    );
    assert!(told(&others, &["llm_upstream_requests_total"]).is_empty());
}

/// A provider that never answers, behind a time-out of the whole gateway: the call that has none of its own is dropped,
/// as if the client had left.
#[tokio::test]
async fn a_provider_that_hangs_is_a_timeout_where_the_call_has_one() {
    for (own, class) in [(true, "timeout"), (false, "cancelled")] {
        let metrics = Metrics::unregistered();
        let upstream = metrics.upstream("openai", "gpt-4o");
        let handler = move || async move {
            let mut call = upstream.start();
            let limit = if own { SOON } else { Duration::from_secs(3600) };
            let hangs = std::future::pending::<()>();
            call.within(limit, hangs)
                .await
                .map_err(|_| StatusCode::GATEWAY_TIMEOUT)
        };
        let limit = if own { Duration::from_secs(3600) } else { SOON };
        let app = Router::new()
            .route("/v1/chat/completions", post(handler))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::GATEWAY_TIMEOUT,
                limit,
            ))
            .layer(MetricsLayer::new(metrics.clone()));
        assert_eq!(read(&app, chat()).await, 504);
        let calls = told(&metrics, &["llm_upstream_requests_total"]);
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert!(
            calls[0].contains(&format!("error_class=\"{class}\"")),
            "{calls:?}"
        );
        assert!(told(&metrics, &ENDINGS).is_empty());
    }
}

#[tokio::test]
async fn a_body_that_nobody_asked_for_is_no_cancel() {
    let metrics = Metrics::unregistered();
    // A page for what is not there, and the 304 of an ETag.
    let replace = |request: Request, next: Next| async move {
        let known = request.headers().contains_key("if-none-match");
        let mut response = next.run(request).await;
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
        } else if response.status() == StatusCode::NOT_FOUND {
            *response.body_mut() = Body::from("a page of the gateway's own");
        }
        response
    };
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .fallback(|| async { (StatusCode::NOT_FOUND, "nothing") })
        .layer(MetricsLayer::new(metrics.clone()))
        .layer(from_fn(replace));
    assert_eq!(read(&app, ask_for("/nothing")).await, 404);
    let mut known = ask_for("/");
    known
        .headers_mut()
        .insert("if-none-match", "*".parse().unwrap());
    assert_eq!(read(&app, known).await, 304);
    // A test that looks at the status alone.
    let status = app.clone().oneshot(ask_for("/")).await.unwrap().status();
    assert_eq!(status, 200);
    assert!(told(&metrics, &ENDINGS).is_empty());
    assert_eq!(
        told(
            &metrics,
            &["http_requests_total", "http_request_duration_seconds_count"]
        ),
        [
            r#"http_request_duration_seconds_count{handler="/"} 2"#,
            r#"http_request_duration_seconds_count{handler="not_found"} 1"#,
            r#"http_requests_total{handler="/",method="GET",status_class="2xx"} 2"#,
            r#"http_requests_total{handler="not_found",method="GET",status_class="4xx"} 1"#,
        ]
    );
}

#[tokio::test]
async fn a_client_that_leaves_amid_the_body_is_a_cancel() {
    let metrics = Metrics::unregistered();
    let endless =
        || async { Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>("again"))) };
    let app = Router::new()
        .route("/", get(endless))
        .layer(MetricsLayer::new(metrics.clone()));
    let mut body = app.oneshot(ask_for("/")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(
        told(&metrics, &ENDINGS),
        [r#"http_requests_cancelled_total{handler="/",phase="body"} 1"#]
    );
}

#[tokio::test]
async fn templates_may_have_512_bytes() {
    let metrics = Metrics::unregistered();
    let template = |bytes: usize| format!("/{}", "x".repeat(bytes - 1));
    let mut app = Router::new();
    for bytes in [129, 512, 513] {
        app = app.route(&template(bytes), get(|| async { "hello" }));
    }
    let app = app.layer(MetricsLayer::new(metrics.clone()));
    for bytes in [129, 512, 513] {
        assert_eq!(read(&app, ask_for(&template(bytes))).await, 200);
    }
    let count = |handler: &str| {
        format!(r#"http_requests_total{{handler="{handler}",method="GET",status_class="2xx"}} 1"#)
    };
    assert_eq!(
        told(
            &metrics,
            &["http_requests_total", "metrics_label_overflow_total"]
        ),
        [
            count(&template(129)),
            count(&template(512)),
            count("other"),
            r#"metrics_label_overflow_total{label="handler"} 1"#.to_owned(),
        ]
    );
}

/// What is known of them is that nothing matched, and that they were answered.
#[tokio::test]
async fn a_fallback_that_answers_is_not_not_found() {
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("a.txt"), "a file").unwrap();
    let serve = || tower_http::services::ServeDir::new(files.path());
    for (named, found, missing) in [
        (None, "unmatched", "not_found"),
        (Some("files"), "files", "files"),
    ] {
        let metrics = Metrics::unregistered();
        let mut layer = MetricsLayer::new(metrics.clone());
        if let Some(name) = named {
            layer = layer.fallback(name);
        }
        let app = Router::new().fallback_service(serve()).layer(layer);
        assert_eq!(read(&app, ask_for("/a.txt")).await, 200);
        assert_eq!(read(&app, ask_for("/b.txt")).await, 404);
        let requests = told(&metrics, &["http_requests_total"]);
        for (handler, class) in [(found, "2xx"), (missing, "4xx")] {
            let labels = format!(r#"handler="{handler}",method="GET",status_class="{class}""#);
            assert!(
                requests.contains(&format!("http_requests_total{{{labels}}} 1")),
                "{requests:?}"
            );
        }
        assert!(told(&metrics, &["http_in_flight_requests"]).is_empty());
    }
}

#[tokio::test]
async fn layers_that_answer_by_themselves_may_stand_outside_in_one_stack() {
    let metrics = Metrics::unregistered();
    let layer = || MetricsLayer::new(metrics.clone());
    let router = || Router::new().route("/", get(|| async { "hello" }));
    let time_out = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, SOON);
    let cors = ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer(layer());
    let timeout = ServiceBuilder::new().layer(time_out).layer(layer());
    for app in [router().layer(cors), router().layer(timeout)] {
        assert_eq!(read(&app, ask_for("/")).await, 200);
    }
    let requests = told(&metrics, &["http_requests_total"]);
    assert_eq!(
        requests,
        [r#"http_requests_total{handler="/",method="GET",status_class="2xx"} 2"#]
    );
}

#[tokio::test]
async fn a_layer_may_be_an_option() {
    for switched_on in [false, true] {
        let metrics = Metrics::unregistered();
        let layer = switched_on.then(|| MetricsLayer::new(metrics.clone()));
        // Both ways have to have one type of body.
        let alike = MapResponseLayer::new(IntoResponse::into_response);
        let app = Router::new()
            .route("/", get(|| async { "hello" }))
            .layer(option_layer(layer.map(|layer| (alike, layer))));
        assert_eq!(read(&app, ask_for("/")).await, 200);
        let requests = told(&metrics, &["http_requests_total"]).len();
        assert_eq!(requests, usize::from(switched_on));
    }
}
