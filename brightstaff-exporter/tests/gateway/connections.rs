//! Connections: how many there may be, and for how long.

use std::time::Duration;

use crate::support::{Gateway, Http2, Raw, Serve, Upstream, chat, eventually};

async fn gateway(limits: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::chat().await;
    let config = format!("{limits}\n[providers.p]\nurl = '{}'", upstream.url);
    (Serve::config(&config).start().await, upstream)
}

async fn answered(raw: &mut Raw) {
    raw.send(chat()).await;
    let answer = raw.until("\"completion_tokens\":12}}").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn more_connections_than_there_may_be_wait() {
    let (gateway, _upstream) = gateway("max_connections = 2").await;
    let mut first = Raw::connect(&gateway).await;
    answered(&mut first).await;
    let second = Raw::connect(&gateway).await;
    let mut third = Raw::sent(&gateway, chat()).await;
    // The others go on meanwhile, and so do scrapes.
    for _ in 0..10 {
        answered(&mut first).await;
        gateway.scrape().await;
    }
    let mut byte = [0];
    let early = third.0.try_read(&mut byte).map_err(|error| error.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock));
    gateway.logged("max_connections: 2 are open").await;

    drop(second);
    let answer = third.until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn more_connections_than_files_are_told_of() {
    let (gateway, _upstream) = gateway("max_connections = 9_000_000_000_000_000_000").await;
    assert_eq!(gateway.chat("m").await.0, 200);
    let told = "max_connections: 9000000000000000000 need";
    let told = gateway.logged(told).await;
    assert!(told.contains("ulimit -n"), "{told}");
}

#[tokio::test]
async fn a_connection_without_a_request_ends() {
    let (gateway, _upstream) = gateway("idle_timeout = '300ms'\nhead_timeout = '1h'").await;
    Raw::connect(&gateway).await.ended().await;
    let mut used = Raw::connect(&gateway).await;
    answered(&mut used).await;
    used.ended().await;
    let mut client = Http2::connect(&gateway).await;
    assert_eq!(client.chat().await.status(), 200);
    client.ended().await;
    Http2::connect(&gateway).await.ended().await;

    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum("http_requests_total"), 2.0);
    assert_eq!(scrape.sum("http_requests_cancelled_total"), 0.0);
}

#[tokio::test]
async fn a_request_outlasts_the_limits_of_what_is_none() {
    // The client is idle, too, until its request is there: the limits are long enough for a busy machine.
    let upstream = Upstream::start(async |_| {
        tokio::time::sleep(Duration::from_secs(10)).await;
        axum::response::Response::new("{}".into())
    })
    .await;
    let limits = "idle_timeout = '3s'\nhead_timeout = '3s'\nwrite_stall_timeout = '3s'";
    let config = format!("{limits}\n[providers.p]\nurl = '{}'", upstream.url);
    let gateway = Serve::config(&config).start().await;
    let mut client = Http2::connect(&gateway).await;
    let (http1, http2) = tokio::join!(gateway.chat("m"), client.chat());
    assert_eq!((http1.0, http2.status().as_u16()), (200, 200));
}

#[tokio::test]
async fn a_head_that_takes_too_long_ends_its_connection() {
    let (gateway, _upstream) = gateway("head_timeout = '300ms'").await;
    let mut idle = Raw::connect(&gateway).await;
    answered(&mut idle).await;
    for start in [
        "P",
        "PRI * HT",
        "POST /v1/chat/completions HTTP/1.1\r\nhost",
    ] {
        Raw::sent(&gateway, start).await.ended().await;
    }
    // The time before a head is not that of a head.
    answered(&mut idle).await;
    idle.send("POST /v1").await;
    idle.ended().await;
    gateway.expect("http_requests_total", 2.0).await;
}

#[tokio::test]
async fn streams_are_bounded() {
    let (gateway, _upstream) = gateway("max_concurrent_streams = 5").await;
    let mut client = Http2::connect(&gateway).await;
    assert_eq!(client.chat().await.status(), 200);
    assert_eq!(client.max_streams(), 5);
    // What may be sent ahead of what is read.
    let (_answer, mut body) = client.post();
    body.reserve_capacity(1 << 20);
    eventually("the window is there", async || body.capacity() == 256 << 10).await;
}

/// The kernel's timer of the gateway's end, as `/proc/net/tcp` tells it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_asks_whether_a_silent_client_is_there() {
    let (gateway, _upstream) = gateway("").await;
    let raw = Raw::connect(&gateway).await;
    let ends = [raw.0.peer_addr(), raw.0.local_addr()].map(|end| end.unwrap().port());
    let [own, client] = ends.map(|port| format!("0100007F:{port:04X}"));
    eventually("the keep-alive timer runs", async || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut lines = table.lines().map(|line| line.split_whitespace());
        lines.any(|mut fields| {
            let ends = (fields.nth(1), fields.next());
            let timer = fields.nth(2);
            ends == (Some(&own), Some(&client))
                && timer.is_some_and(|timer| timer.starts_with("02:"))
        })
    })
    .await;
}
