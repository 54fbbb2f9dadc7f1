//! The library, over real sockets.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod collectors;
mod formats;
mod mounted;
#[cfg(feature = "page")]
mod page;
mod support;

use std::{io::Read, time::Duration};

use brightstaff_exporter::Exporter;
use support::{Answer, EXPOSITION, ask, registry, serve};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

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
