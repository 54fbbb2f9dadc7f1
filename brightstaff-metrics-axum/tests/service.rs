//! The service by itself, on plain tower: what it hands on, and what it records of every ending.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    convert::Infallible,
    future::{pending, ready},
    panic::AssertUnwindSafe,
};

use brightstaff_metrics_axum::{
    HandlerName, Metrics, MetricsLayer, MetricsService, ObservedBody, ResponseFuture,
    UpgradedRequest,
};
use bytes::Bytes;
use futures_util::{FutureExt, stream::repeat_with};
use http::{Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use prometheus::{Registry, TextEncoder};
use tower::{Layer, Service, ServiceExt, service_fn};

type Body = Full<Bytes>;

fn metrics() -> (Registry, MetricsLayer) {
    let registry = Registry::new();
    let metrics = Metrics::builder().process(false).register(&registry);
    (registry, MetricsLayer::new(metrics.unwrap()))
}

/// The samples of these families, shortened, that are not 0.
fn samples(registry: &Registry) -> Vec<String> {
    let text = TextEncoder::new().encode_to_string(&registry.gather());
    text.unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("brightstaff_http_"))
        .filter(|line| !line.contains("_bucket") && !line.contains("_sum") && !line.ends_with(" 0"))
        .map(str::to_owned)
        .collect()
}

fn request() -> Request<Body> {
    Request::new(Body::default())
}

#[tokio::test]
async fn answers_pass_untouched() {
    let (registry, layer) = metrics();
    let app = layer
        .handler("/", "root")
        .layer(service_fn(|_: Request<Body>| {
            let answer = Response::builder().status(203).header("x", "y");
            ready(answer.body(Body::from("hello")))
        }));
    let answer = app.oneshot(request()).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x"]),
        (203, &"y".parse().unwrap())
    );
    assert_eq!(answer.body().size_hint().exact(), Some(5));
    assert_eq!(
        samples(&registry),
        [
            r#"in_flight_requests{handler="root"} 1"#,
            r#"requests_total{handler="root",method="GET",status_class="2xx"} 1"#,
            r#"time_to_headers_seconds_count{handler="root"} 1"#,
        ]
    );
    assert_eq!(
        answer.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
    assert_eq!(
        samples(&registry),
        [
            r#"request_duration_seconds_count{handler="root"} 1"#,
            r#"requests_total{handler="root",method="GET",status_class="2xx"} 1"#,
            r#"time_to_headers_seconds_count{handler="root"} 1"#,
        ]
    );
}

const ERROR: [&str; 2] = [
    r#"request_duration_seconds_count{handler="not_found"} 1"#,
    r#"requests_total{handler="not_found",method="GET",status_class="error"} 1"#,
];

/// hyper drops the body of the response that opens a tunnel, since HTTP has none there. Of any other, it has asked for the
/// first frame by the time its client is gone.
#[tokio::test]
async fn what_answers_a_connect_has_no_body() {
    for (status, cancelled) in [(200, false), (502, true)] {
        let (registry, layer) = metrics();
        let app = layer.layer(service_fn(|_: Request<Body>| {
            let answer = Response::builder().status(status);
            let frames = repeat_with(|| Ok::<_, Infallible>(Frame::data(Bytes::from("hello"))));
            ready(answer.body(StreamBody::new(frames)))
        }));
        let request = Request::connect("example.org:443").body(Body::default());
        let mut body = app.oneshot(request.unwrap()).await.unwrap().into_body();
        if status != 200 {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        let samples = samples(&registry);
        let told = samples.iter().any(|sample| sample.contains("cancelled"));
        assert_eq!(told, cancelled, "{samples:?}");
    }
}

#[tokio::test]
async fn an_inner_error_is_no_cancel() {
    let (registry, layer) = metrics();
    let app = layer.layer(service_fn(|_: Request<Body>| {
        ready(Err::<Response<Body>, _>("broken"))
    }));
    assert_eq!(app.oneshot(request()).await.unwrap_err(), "broken");
    assert_eq!(samples(&registry), ERROR);
}

#[tokio::test]
async fn a_panic_is_no_cancel_whoever_catches_it() {
    // In `call`, and in the future.
    let (registry, layer) = metrics();
    let mut app = layer.layer(service_fn(|_: Request<Body>| {
        if true {
            panic!("in call");
        }
        ready(Ok::<Response<Body>, Infallible>(Response::default()))
    }));
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| drop(app.call(request()))));
    assert!(caught.is_err());
    assert_eq!(samples(&registry), ERROR);

    let (registry, layer) = metrics();
    let app = layer.layer(service_fn(|_: Request<Body>| async {
        if true {
            panic!("in the future");
        }
        Ok::<Response<Body>, Infallible>(Response::default())
    }));
    // The future lives on after the panic was caught, and is dropped later.
    let mut future = Box::pin(app.oneshot(request()));
    assert!(AssertUnwindSafe(&mut future).catch_unwind().await.is_err());
    drop(future);
    assert_eq!(samples(&registry), ERROR);
}

#[tokio::test]
async fn a_dropped_future_is_a_cancel() {
    let (registry, layer) = metrics();
    let app = layer.layer(service_fn(|_: Request<Body>| {
        pending::<Result<Response<Body>, Infallible>>()
    }));
    assert!(app.oneshot(request()).now_or_never().is_none());
    assert_eq!(
        samples(&registry),
        [
            ERROR[0],
            r#"requests_cancelled_total{handler="not_found",phase="headers"} 1"#,
            ERROR[1],
        ]
    );
}

#[tokio::test]
async fn an_extension_names_the_handler() {
    let (registry, layer) = metrics();
    let app = layer.layer(service_fn(|_: Request<Body>| {
        ready(Ok::<_, Infallible>(Response::new(Body::default())))
    }));
    let mut named = request();
    named.extensions_mut().insert(HandlerName::from("named"));
    app.oneshot(named).await.unwrap();
    let count = r#"requests_total{handler="named",method="GET",status_class="2xx"} 1"#;
    assert!(samples(&registry).contains(&count.to_owned()));
}

#[test]
fn the_types_go_where_tower_wants_them() {
    fn everywhere<T: Clone + Send + Sync + 'static>() {}
    fn send<T: Send + 'static>() {}
    everywhere::<MetricsLayer>();
    everywhere::<MetricsService<()>>();
    send::<ResponseFuture<()>>();
    fn anywhere<T: Default + Send + Sync + 'static>() {}
    anywhere::<ObservedBody<Body>>();
}

/// A 2xx to CONNECT has no body, and hands the connection over as a 101 does (RFC 8441 over HTTP/2).
#[tokio::test]
async fn a_mark_counts_where_the_connection_is_handed_over_and_nowhere_else() {
    let in_flight = r#"in_flight_requests{handler="root"} 1"#.to_owned();
    for (method, status, handed_over) in [
        ("GET", 101, true),
        ("CONNECT", 200, true),
        ("CONNECT", 404, false),
        ("GET", 200, false),
    ] {
        let (registry, layer) = metrics();
        let upgraded = UpgradedRequest::new();
        let mark = upgraded.mark();
        let app = layer
            .handler("/", "root")
            .layer(service_fn(move |_: Request<Body>| {
                let answer = Response::builder().status(status).extension(mark.clone());
                ready(answer.body(Body::default()))
            }));
        let request = Request::builder().method(method);
        let answer = app.oneshot(request.body(Body::default()).unwrap()).await;
        drop(answer.unwrap());
        let open = samples(&registry).contains(&in_flight);
        assert_eq!(open, handed_over, "{method} {status}");
        upgraded.complete();
        assert!(!samples(&registry).contains(&in_flight));
    }
}
