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
    ErrorClass::from(&get(addr, timeout).await.unwrap_err())
}

async fn with_hyper(addr: SocketAddr) -> ErrorClass {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let error = client.get(format!("http://{addr}/").parse().unwrap()).await;
    ErrorClass::from(&error.unwrap_err())
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
}
