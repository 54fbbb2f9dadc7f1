//! Clients that take nothing of what they asked for.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use crate::support::{Gateway, Http2, Raw, Serve, Upstream, chat, stream};

/// A gateway before a response that has no end, and as many bytes at once as anyone takes.
async fn endless() -> (Gateway, Upstream) {
    let upstream = Upstream::start(async |_| {
        let (chunks, response) = stream();
        tokio::spawn(async move {
            // More than the buffers of two sockets hold; then as a slow model does.
            let many = Bytes::from(format!("data: {}\n\n", "x".repeat(1 << 20)));
            for _ in 0..64 {
                if chunks.send(many.clone()).is_err() {
                    return;
                }
            }
            while chunks.send("data: {}\n\n".into()).is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        });
        response
    })
    .await;
    let config = format!(
        "write_stall_timeout = '700ms'\n[providers.p]\nurl = '{}'\nmodels = ['m']",
        upstream.url
    );
    (Serve::config(&config).start().await, upstream)
}

/// Waits until so many responses were given up, and nothing else happened.
async fn dropped(gateway: &Gateway, count: f64) {
    let cancelled = r#"http_requests_cancelled_total{handler="llm_chat",phase="body"}"#;
    gateway.expect(cancelled, count).await;
    let calls = r#"llm_upstream_requests_total{error_class="cancelled",status_class="2xx"}"#;
    gateway.expect(calls, count).await;
    gateway.expect("llm_upstream_in_flight", 0.0).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped() {
    let (gateway, _upstream) = endless().await;
    let raw = Raw::sent(&gateway, chat()).await;
    dropped(&gateway, 1.0).await;
    gateway.expect("http_in_flight_requests", 0.0).await;
    drop(raw);
}

#[tokio::test]
async fn a_client_that_reads_is_not() {
    let (gateway, _upstream) = endless().await;
    let mut answer = gateway.chat_request("m").send().await.unwrap();
    let mut read = 0;
    while read < 64 << 20 {
        read += answer.chunk().await.unwrap().unwrap().len();
    }
    // What waits for the model waits for no client.
    for _ in 0..75 {
        answer.chunk().await.unwrap().unwrap();
    }
    gateway.expect("http_in_flight_requests", 1.0).await;
    assert_eq!(
        gateway.scrape().await.sum("http_requests_cancelled_total"),
        0.0
    );
}

#[tokio::test]
async fn a_stream_whose_window_stays_shut_is_dropped() {
    let (gateway, _upstream) = endless().await;
    let mut client = Http2::connect(&gateway).await;
    // Read up to its window, which is never opened again.
    let first = client.chat().await;
    dropped(&gateway, 1.0).await;
    // The connection lives.
    let mut second = client.chat().await;
    let read = second.body_mut().data().await.unwrap().unwrap();
    assert!(read.starts_with(b"data: xxx"));
    dropped(&gateway, 2.0).await;
    gateway.expect("http_in_flight_requests", 0.0).await;
    drop((first, second));
}
