//! The library, over real sockets.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    collections::HashMap, future::poll_fn, io::Read, net::SocketAddr, pin::pin, thread::ThreadId,
    time::Duration,
};

use axum::{Router, routing::get};
use brightstaff_exporter::Exporter;
use futures_core::Stream;
use prometheus::{
    IntCounter, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.lines();
    let headers = lines.clone().skip(1).map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    Answer {
        headers: headers.collect(),
        status: lines.next().unwrap()[9..12].parse().unwrap(),
        body: bytes[end + 4..].to_vec(),
    }
}

async fn serve(registry: Registry) -> SocketAddr {
    let exporter = Exporter::new(registry).bind_address(([127, 0, 0, 1], 0));
    let bound = exporter.bind().await.unwrap();
    let address = bound.local_addr();
    tokio::spawn(bound.serve());
    address
}

fn registry() -> Registry {
    let registry = Registry::new();
    let counter = IntCounter::new("answers_total", "Answers \u{e0} la carte.").unwrap();
    registry.register(Box::new(counter.clone())).unwrap();
    counter.inc_by(42);
    registry
}

const EXPOSITION: &str = "# HELP answers_total Answers \u{e0} la carte.\n# TYPE answers_total counter\nanswers_total 42\n";

#[tokio::test]
async fn metrics_are_the_text_format() {
    let address = serve(registry()).await;
    let answer = ask(address, "GET", "/metrics", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(!answer.headers.contains_key("content-encoding"));
    assert_eq!(answer.body, EXPOSITION.as_bytes());

    let answer = ask(address, "HEAD", "/metrics", "").await;
    assert_eq!((answer.status, answer.body), (200, Vec::new()));
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
}

#[tokio::test]
async fn metrics_are_compressed_where_that_is_asked() {
    let address = serve(registry()).await;
    let answer = ask(
        address,
        "GET",
        "/metrics",
        "accept-encoding: gzip\r\ncontent-length: 0\r\n",
    )
    .await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    let chunked = answer.headers.contains_key("transfer-encoding");
    let body = if chunked {
        dechunk(&answer.body)
    } else {
        answer.body
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, EXPOSITION);
    let answer = ask(
        address,
        "GET",
        "/metrics",
        "accept-encoding: br, zstd, deflate\r\n",
    )
    .await;
    assert!(!answer.headers.contains_key("content-encoding"));
}

fn dechunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let line = body.iter().position(|byte| *byte == b'\r').unwrap();
        let size = std::str::from_utf8(&body[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&body[line + 2..][..size]);
        body = &body[line + 2 + size + 2..];
    }
}

/// Serves this router, which has what an exporter gave it.
async fn mount(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn metrics_alone_are_mounted_beside_what_is_there() {
    let exporter = Exporter::new(registry());
    let router = Router::new()
        .route("/healthz", get(|| async { "mine" }))
        .route("/{tenant}/metrics", get(exporter.metrics_handler()));
    let address = mount(router).await;
    let answer = ask(address, "GET", "/internal/metrics", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["content-length"],
        EXPOSITION.len().to_string()
    );
    assert_eq!(answer.body, EXPOSITION.as_bytes());
    let gzip = "accept-encoding: gzip\r\n";
    let answer = ask(address, "GET", "/internal/metrics", gzip).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    let head = ask(address, "HEAD", "/internal/metrics", "").await;
    assert_eq!((head.status, head.body), (200, Vec::new()));
    let post = ask(address, "POST", "/internal/metrics", "").await;
    assert_eq!(post.status, 405);
    let healthz = ask(address, "GET", "/healthz", "").await;
    assert_eq!(healthz.body, b"mine");
}

#[tokio::test]
async fn any_server_is_told_in_plain_types() {
    let handler = Exporter::new(registry()).max_requests(1).metrics_handler();
    let response = handler.respond([("host", &b"x"[..])]).await;
    assert_eq!(response.status(), 200);
    let headers: HashMap<_, _> = response.headers().collect();
    let text = b"text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(headers["content-type"], text);
    assert!(!headers.contains_key("content-encoding"));
    assert_eq!(response.content_length(), EXPOSITION.len() as u64);
    let mut body = pin!(response.into_body());
    let mut bytes = Vec::new();
    while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        bytes.extend(piece.unwrap());
    }
    assert_eq!(bytes, EXPOSITION.as_bytes());
}

#[tokio::test]
async fn a_response_is_in_work_until_its_body_is_gone() {
    let handler = Exporter::new(registry()).max_requests(1).metrics_handler();
    let gzip = [("Accept-Encoding", &b"gzip"[..])];
    for headers in [&[][..], &gzip] {
        let first = handler.respond(headers.iter().copied()).await;
        let refused = handler.clone().respond([]).await;
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().any(|(name, _)| name == "retry-after"));
        drop(first.into_body());
    }
    assert_eq!(handler.respond([]).await.status(), 200);
}

#[tokio::test]
async fn the_page_leads_on_from_wherever_it_is_mounted() {
    let routes = || Exporter::new(registry()).router();
    let router = Router::new()
        .nest("/internal", routes())
        .nest("/of/{tenant}", routes());
    let address = mount(router).await;
    for (page, link) in [
        ("/internal", "\"./internal/metrics\""),
        ("/of/a\"%3C&", "\"./a&quot;%3C&amp;/metrics\""),
    ] {
        let index = ask(address, "GET", page, "").await;
        let text = String::from_utf8(index.body).unwrap();
        assert!(text.contains(link), "{page}: {text}");
    }
    assert_eq!(
        ask(address, "GET", "/internal/metrics", "").await.status,
        200
    );
}

#[tokio::test]
async fn there_is_nothing_else() {
    let address = serve(registry()).await;
    let answer = ask(address, "GET", "/healthz", "").await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"ok\n"[..]));
    let index = ask(address, "GET", "/", "").await;
    assert_eq!(index.headers["content-type"], "text/html; charset=utf-8");
    assert!(
        String::from_utf8(index.body)
            .unwrap()
            .contains("href=\"metrics\"")
    );
    for path in ["/metrics/", "/metric", "/v1/metrics", "/index.html"] {
        assert_eq!(ask(address, "GET", path, "").await.status, 404, "{path}");
    }
    for path in ["/metrics", "/healthz", "/"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = ask(address, method, path, "content-length: 0\r\n").await;
            assert_eq!(
                (answer.status, &*answer.headers["allow"]),
                (405, "GET,HEAD"),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_loads_and_frames_nothing() {
    let Answer { headers, .. } = ask(serve(registry()).await, "GET", "/", "").await;
    assert!(headers["content-security-policy"].starts_with("default-src 'none'"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "deny");
    assert_eq!(headers["referrer-policy"], "no-referrer");
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_in_one_line() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = holder.local_addr().unwrap();
    let fault = format!("cannot serve metrics on {address}: another process listens there");
    let exporter = Exporter::new(registry()).bind_address(address);
    let error = exporter.clone().bind().await.unwrap_err().to_string();
    assert_eq!(error, format!("{fault}: choose another IP:PORT"));
    let exporter = exporter.bind_to("METRICS", &address.to_string()).unwrap();
    let error = exporter.bind().await.unwrap_err().to_string();
    assert_eq!(error, format!("{fault}: set METRICS to another IP:PORT"));
}

/// `fn main() -> Result<(), Box<dyn Error>>` prints `Debug`.
#[tokio::test]
async fn an_error_that_falls_out_of_main_is_one_line() {
    let exporter = Exporter::new(registry());
    let error = exporter.clone().bind_to("METRICS", "x").unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());

    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = holder.local_addr().unwrap();
    let error = exporter.bind_address(address).bind().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(format!("{error:?}"), format!("{error} ({source})"));
    assert_eq!(format!("{error:#?}"), format!("{error:?}"));
    assert!(error.to_string().starts_with("cannot serve metrics on"));
}

#[tokio::test]
async fn a_signal_ends_it() {
    let exporter = Exporter::new(registry()).bind_address(([127, 0, 0, 1], 0));
    let bound = exporter.bind().await.unwrap();
    let address = bound.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(bound.serve_with_graceful_shutdown(async {
        let _ = stopped.await;
    }));
    assert_eq!(ask(address, "GET", "/healthz", "").await.status, 200);
    stop.send(()).unwrap();
    timeout(Duration::from_secs(10), served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// A collector that takes its time, and says on which thread.
struct Slow(std::sync::mpsc::Sender<ThreadId>, Desc);

impl Collector for Slow {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.1]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.send(std::thread::current().id()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        Vec::new()
    }
}

#[tokio::test]
async fn gathering_holds_up_nobody() {
    let (sender, threads) = std::sync::mpsc::channel();
    let desc = Desc::new("slow".into(), "Slow.".into(), vec![], HashMap::new()).unwrap();
    let registry = registry();
    registry.register(Box::new(Slow(sender, desc))).unwrap();
    let address = serve(registry).await;
    assert_eq!(ask(address, "GET", "/metrics", "").await.status, 200);
    // This test's runtime has one thread, which serves as well.
    assert_ne!(threads.recv().unwrap(), std::thread::current().id());
}

/// A collector that cannot.
struct Broken(Desc);

impl Collector for Broken {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        panic!("cannot")
    }
}

#[tokio::test]
async fn a_collector_that_panics_is_500() {
    let desc = Desc::new("broken".into(), "Broken.".into(), vec![], HashMap::new()).unwrap();
    let registry = Registry::new();
    registry.register(Box::new(Broken(desc))).unwrap();
    let address = serve(registry).await;
    assert_eq!(ask(address, "GET", "/metrics", "").await.status, 500);
    assert_eq!(ask(address, "GET", "/healthz", "").await.status, 200);
}
