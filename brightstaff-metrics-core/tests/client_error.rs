//! Error classes of what real clients meet on real sockets.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.
#![cfg(all(feature = "reqwest-0_13", feature = "hyper-util-0_1"))]

use std::{net::SocketAddr, time::Duration};

use brightstaff_metrics_core::labels::ErrorClass;
use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A server that answers every request with these bytes, and then waits.
async fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let _ = socket.read(&mut [0; 1024]).await;
                let _ = socket.write_all(answer).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    addr
}

/// An address at which nobody listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn get(addr: SocketAddr, timeout: Duration) -> reqwest::Result<reqwest::Response> {
    // The second of two tests finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(timeout).build().unwrap();
    client.get(format!("http://{addr}/")).send().await
}

async fn with_reqwest(addr: SocketAddr, timeout: Duration) -> ErrorClass {
    let error = get(addr, timeout).await.unwrap_err();
    let class = ErrorClass::from(&error);
    // Known by its type, or not: the same.
    assert_eq!(ErrorClass::of(&error), class, "{error:?}");
    class
}

async fn with_hyper(addr: SocketAddr) -> ErrorClass {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let error = client.get(format!("http://{addr}/").parse().unwrap()).await;
    let error = error.unwrap_err();
    let class = ErrorClass::from(&error);
    assert_eq!(ErrorClass::of(&error), class, "{error:?}");
    class
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn nobody_listens() {
    let addr = nobody().await;
    assert_eq!(with_reqwest(addr, LONG).await, ErrorClass::Connect);
    assert_eq!(with_hyper(addr).await, ErrorClass::Connect);
}

#[tokio::test]
async fn nobody_answers() {
    let addr = server(b"").await;
    let short = Duration::from_millis(50);
    assert_eq!(with_reqwest(addr, short).await, ErrorClass::Timeout);
}

#[tokio::test]
async fn the_answer_is_not_http() {
    let addr = server(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    assert_eq!(with_reqwest(addr, LONG).await, ErrorClass::Parse);
    assert_eq!(with_hyper(addr).await, ErrorClass::Parse);
}

#[tokio::test]
async fn what_is_to_be_decoded_is_broken() {
    let addr = server(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{").await;
    let response = get(addr, LONG).await.unwrap();
    let error = response.json::<serde_json::Value>().await.unwrap_err();
    assert_eq!(ErrorClass::from(&error), ErrorClass::Parse);
    assert_eq!(ErrorClass::of(&error), ErrorClass::Parse);
}

#[tokio::test]
async fn a_host_is_not_found() {
    // Reserved for that (RFC 6761, section 6.4).
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let error = client.get("http://nobody.invalid/".parse().unwrap()).await;
    assert_eq!(ErrorClass::of(&error.unwrap_err()), ErrorClass::Connect);
}

#[tokio::test]
async fn a_timer_ran_out() {
    let never = std::future::pending::<()>();
    let elapsed = tokio::time::timeout(Duration::from_millis(1), never).await;
    assert_eq!(ErrorClass::of(&elapsed.unwrap_err()), ErrorClass::Timeout);
    assert_eq!(
        ErrorClass::of(&tower::timeout::error::Elapsed::new()),
        ErrorClass::Timeout
    );
}

#[test]
fn the_systems_errors_are_known_by_their_kind() {
    use std::io::{Error, ErrorKind as Kind};

    for (kind, class) in [
        (Kind::TimedOut, ErrorClass::Timeout),
        (Kind::ConnectionRefused, ErrorClass::Connect),
        (Kind::HostUnreachable, ErrorClass::Connect),
        (Kind::NetworkUnreachable, ErrorClass::Connect),
        (Kind::ConnectionReset, ErrorClass::Other),
        (Kind::UnexpectedEof, ErrorClass::Other),
    ] {
        // Alone, and as the source of another.
        assert_eq!(ErrorClass::of(&Error::from(kind)), class, "{kind:?}");
        let wrapped =
            Error::other(Box::new(Error::from(kind)) as Box<dyn std::error::Error + Send + Sync>);
        assert_eq!(ErrorClass::of(&Outer(wrapped)), class, "{kind:?}");
    }
}

/// An SDK's own error.
#[derive(Debug)]
struct Outer(std::io::Error);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request failed")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
