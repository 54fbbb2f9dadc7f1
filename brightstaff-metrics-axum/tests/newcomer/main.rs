//! A newcomer's service, with everything that such services have in one stack: whatever its clients do, each number of
//! its exposition is right.

#![cfg(feature = "matched-path")]
#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod service;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use brightstaff_metrics_axum::Metrics;
use expect_test::expect;
use futures_util::{StreamExt, stream};
use service::{Gateway, app};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{sleep, timeout},
};

/// Long enough for any machine; never waited for where all is well.
const PATIENCE: Duration = Duration::from_secs(60);

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

const ANSWER: &str = r#"{"object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;
const TEXT: &str = r#"data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hello"}}]}

"#;
const END: &str = r#"data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":30}}

data: [DONE]

"#;

/// The provider, which does what it is asked.
async fn provider(body: Bytes) -> Response {
    let events = [("content-type", "text/event-stream")];
    let text = || stream::once(async { Ok::<_, Infallible>(TEXT) });
    match &body[..] {
        b"answer" => ([("content-type", "application/json")], ANSWER).into_response(),
        b"stream" => (events, [TEXT, END].concat()).into_response(),
        b"endless" => {
            let body = Body::from_stream(text().chain(stream::pending()));
            (events, body).into_response()
        }
        b"limit" => StatusCode::TOO_MANY_REQUESTS.into_response(),
        _ => std::future::pending().await,
    }
}

/// Writes bytes, and reads until the server is done.
async fn send(address: SocketAddr, request: &str) -> (u16, String) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    tcp.read_to_end(&mut response).await.unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    (response[9..12].parse().unwrap(), response)
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
}

fn chat(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Reads up to this, and hangs up.
async fn hang_up_at(address: SocketAddr, request: &str, text: &str) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        assert_ne!(tcp.read_buf(&mut read).await.unwrap(), 0, "{read:?}");
    }
}

#[tokio::test]
async fn each_number_is_right() {
    timeout(PATIENCE, play())
        .await
        .expect("it comes to its end");
}

async fn play() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("hello.txt"), "hello").unwrap();
    let provider = serve(Router::new().route("/", post(provider))).await;
    let registry = prometheus::Registry::new();
    let gateway = Gateway {
        metrics: Metrics::builder()
            .upstreams([("openai", "gpt-4o")])
            .register(&registry)
            .unwrap(),
        client: reqwest::Client::new(),
        provider: format!("http://{provider}"),
        entered: Arc::new(Notify::new()),
    };
    let address = serve(app(gateway.clone(), files.path())).await;
    requests(address).await;
    calls(address).await;
    hang_ups(address, &gateway).await;
    // The server sees that its clients are gone when it sees it.
    while !settled(&gateway.metrics) {
        sleep(Duration::from_millis(1)).await;
    }
    check(&gateway.metrics);
}

async fn requests(address: SocketAddr) {
    for (path, status) in [
        ("/healthz", 200),
        ("/api/items/1", 200),
        ("/api/items/2", 200),
        ("/api/items/none", 400),
        ("/api/nothing", 404),
        ("/about", 200),
        ("/hello.txt", 200),
        ("/nothing.txt", 404),
        ("/upload", 405),
        ("/panic", 500),
        ("/slow", 504),
        ("/events", 200),
    ] {
        assert_eq!(send(address, &get(path, "")).await.0, status, "{path}");
    }
    let (_, about) = send(address, &get("/about", "accept-encoding: gzip\r\n")).await;
    assert!(about.contains("content-encoding: gzip"), "{about}");
    let preflight = get(
        "/about",
        "origin: https://a\r\naccess-control-request-method: GET\r\n",
    );
    let preflight = preflight.replace("GET /", "OPTIONS /");
    assert_eq!(send(address, &preflight).await.0, 200);
    let upgrade = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let (status, frames) = send(address, upgrade).await;
    assert_eq!(status, 101);
    assert!(frames.contains("hello"), "{frames}");
    for (body, status) in [
        ("content-length: 5\r\n\r\nhello", 200),
        ("content-length: 1025\r\n\r\n", 413),
        ("transfer-encoding: chunked\r\n\r\nno size\r\n", 400),
    ] {
        let upload = format!("POST /upload HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{body}");
        assert_eq!(send(address, &upload).await.0, status, "{body}");
    }
}

async fn calls(address: SocketAddr) {
    for (body, status) in [
        ("answer", 200),
        ("stream", 200),
        ("limit", 429),
        ("hang", 504),
        ("nobody", 502),
    ] {
        assert_eq!(send(address, &chat(body)).await.0, status, "{body}");
    }
}

async fn hang_ups(address: SocketAddr, gateway: &Gateway) {
    hang_up_at(address, &chat("endless"), "Hello").await;
    hang_up_at(address, &get("/events/endless", ""), "tick").await;
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(get("/hang", "").as_bytes()).await.unwrap();
    gateway.entered.notified().await;
    drop(tcp);
}

fn settled(metrics: &Metrics) -> bool {
    let text = metrics.render();
    let mut in_flight = text.lines().filter(|line| line.contains("_in_flight"));
    in_flight.all(|line| line.starts_with('#') || line.ends_with(" 0"))
}

/// Checks every sample that does not say how long something took: those that are listed, and the others are 0.
fn check(metrics: &Metrics) {
    let text = metrics.render();
    let samples = text
        .lines()
        .filter_map(|line| line.strip_prefix("brightstaff_"));
    let samples = samples.filter(|line| !line.ends_with(" 0"));
    let mut said: Vec<_> = samples
        .filter(|line| !line.contains("_seconds_sum{") && !line.contains("_bucket{"))
        .collect();
    said.push("");
    expect![[r#"
        build_info{git_sha="unknown",version="unknown"} 1
        http_request_duration_seconds_count{handler="/about"} 2
        http_request_duration_seconds_count{handler="/api/items/{id}"} 3
        http_request_duration_seconds_count{handler="/events"} 1
        http_request_duration_seconds_count{handler="/events/endless"} 1
        http_request_duration_seconds_count{handler="/hang"} 1
        http_request_duration_seconds_count{handler="/panic"} 1
        http_request_duration_seconds_count{handler="/slow"} 1
        http_request_duration_seconds_count{handler="/upload"} 4
        http_request_duration_seconds_count{handler="/ws"} 1
        http_request_duration_seconds_count{handler="cors_preflight"} 1
        http_request_duration_seconds_count{handler="llm_chat"} 6
        http_request_duration_seconds_count{handler="not_found"} 2
        http_request_duration_seconds_count{handler="unmatched"} 1
        http_requests_cancelled_total{handler="/events/endless",phase="body"} 1
        http_requests_cancelled_total{handler="/hang",phase="headers"} 1
        http_requests_cancelled_total{handler="llm_chat",phase="body"} 1
        http_requests_total{handler="/about",method="GET",status_class="2xx"} 2
        http_requests_total{handler="/api/items/{id}",method="GET",status_class="2xx"} 2
        http_requests_total{handler="/api/items/{id}",method="GET",status_class="4xx"} 1
        http_requests_total{handler="/events",method="GET",status_class="2xx"} 1
        http_requests_total{handler="/events/endless",method="GET",status_class="2xx"} 1
        http_requests_total{handler="/hang",method="GET",status_class="error"} 1
        http_requests_total{handler="/panic",method="GET",status_class="5xx"} 1
        http_requests_total{handler="/slow",method="GET",status_class="5xx"} 1
        http_requests_total{handler="/upload",method="GET",status_class="4xx"} 1
        http_requests_total{handler="/upload",method="POST",status_class="2xx"} 1
        http_requests_total{handler="/upload",method="POST",status_class="4xx"} 2
        http_requests_total{handler="/ws",method="GET",status_class="1xx"} 1
        http_requests_total{handler="cors_preflight",method="OPTIONS",status_class="2xx"} 1
        http_requests_total{handler="llm_chat",method="POST",status_class="2xx"} 3
        http_requests_total{handler="llm_chat",method="POST",status_class="4xx"} 1
        http_requests_total{handler="llm_chat",method="POST",status_class="5xx"} 2
        http_requests_total{handler="not_found",method="GET",status_class="4xx"} 2
        http_requests_total{handler="unmatched",method="GET",status_class="2xx"} 1
        http_time_to_headers_seconds_count{handler="/about"} 2
        http_time_to_headers_seconds_count{handler="/api/items/{id}"} 3
        http_time_to_headers_seconds_count{handler="/events"} 1
        http_time_to_headers_seconds_count{handler="/events/endless"} 1
        http_time_to_headers_seconds_count{handler="/panic"} 1
        http_time_to_headers_seconds_count{handler="/slow"} 1
        http_time_to_headers_seconds_count{handler="/upload"} 4
        http_time_to_headers_seconds_count{handler="/ws"} 1
        http_time_to_headers_seconds_count{handler="cors_preflight"} 1
        http_time_to_headers_seconds_count{handler="llm_chat"} 6
        http_time_to_headers_seconds_count{handler="not_found"} 2
        http_time_to_headers_seconds_count{handler="unmatched"} 1
        llm_request_tokens_sum{kind="completion",model="gpt-4o",provider="openai"} 42
        llm_request_tokens_count{kind="completion",model="gpt-4o",provider="openai"} 2
        llm_request_tokens_sum{kind="prompt",model="gpt-4o",provider="openai"} 29
        llm_request_tokens_count{kind="prompt",model="gpt-4o",provider="openai"} 2
        llm_time_to_first_byte_seconds_count{model="gpt-4o",provider="openai"} 2
        llm_time_to_first_token_seconds_count{model="gpt-4o",provider="openai"} 2
        llm_tokens_total{kind="completion",model="gpt-4o",provider="openai"} 42
        llm_tokens_total{kind="prompt",model="gpt-4o",provider="openai"} 29
        llm_tokens_usage_missing_total{model="gpt-4o",provider="openai",reason="interrupted"} 1
        llm_upstream_duration_seconds_count{model="gpt-4o",outcome="error",provider="openai"} 4
        llm_upstream_duration_seconds_count{model="gpt-4o",outcome="ok",provider="openai"} 2
        llm_upstream_requests_total{error_class="cancelled",model="gpt-4o",provider="openai",status_class="2xx"} 1
        llm_upstream_requests_total{error_class="connect",model="gpt-4o",provider="openai",status_class="error"} 1
        llm_upstream_requests_total{error_class="none",model="gpt-4o",provider="openai",status_class="2xx"} 2
        llm_upstream_requests_total{error_class="rate_limit",model="gpt-4o",provider="openai",status_class="4xx"} 1
        llm_upstream_requests_total{error_class="timeout",model="gpt-4o",provider="openai",status_class="error"} 1
    "#]].assert_eq(&said.join("\n"));
    for count in said.iter().filter(|line| line.contains("_count{")) {
        let (labels, count) = count.rsplit_once("} ").unwrap();
        let all = labels.replace("_count{", "_bucket{");
        let all = format!("brightstaff_{all},le=\"+Inf\"}} {count}");
        assert!(text.contains(&all), "{all}");
    }
}
