//! Upstreams that fall silent in the middle of a response.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::support::{ByHand, Gateway, PATIENCE, Serve, Upstream, stream};

async fn gateway(url: &str, idle: &str) -> Gateway {
    let config =
        format!("stream_idle_timeout = '{idle}'\n[providers.p]\nurl = '{url}'\nmodels = ['m']");
    Serve::config(&config).start().await
}

/// Reads what comes, and returns it once the response breaks off.
async fn broken_off(gateway: &Gateway, path: &str) -> String {
    let mut answer = gateway
        .post(path, r#"{"model":"m","stream":true}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let mut text = String::new();
    let read = async {
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => text += std::str::from_utf8(&chunk).unwrap(),
                Ok(None) => panic!("the response ended as if it were whole: {text}"),
                Err(_) => return,
            }
        }
    };
    timeout(PATIENCE, read).await.expect("still in flight");
    text
}

async fn is_recorded(gateway: &Gateway) {
    let ended = r#"llm_upstream_requests_total{error_class="stream",status_class="2xx",model="m"}"#;
    gateway.expect(ended, 1.0).await;
    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum("llm_upstream_requests_total"), 1.0);
    assert_eq!(scrape.sum("llm_upstream_in_flight"), 0.0);
    gateway.expect("http_in_flight_requests", 0.0).await;
    let line = gateway.logged("broke off").await;
    assert!(
        line.contains("WARN") && line.contains("upstream=p") && line.contains("silent for 200ms"),
        "{line}"
    );
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_cut() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        connection.write(head).await.unwrap();
        connection.write("a\r\ndata: {}\n\n\r\n").await.unwrap();
        connection.closed().await;
    })
    .await;
    let gateway = gateway(&upstream.url, "200ms").await;
    let text = broken_off(&gateway, "/v1/chat/completions").await;
    assert_eq!(text, "data: {}\n\n");
    is_recorded(&gateway).await;
}

#[tokio::test]
async fn a_whole_response_that_stalls_is_cut() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"object\":";
        connection.write(head).await.unwrap();
        connection.closed().await;
    })
    .await;
    let gateway = gateway(&upstream.url, "200ms").await;
    assert_eq!(broken_off(&gateway, "/v1/responses").await, "{\"object\":");
    is_recorded(&gateway).await;
}

#[tokio::test]
async fn a_list_of_models_that_stalls_is_cut() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        connection.write(head).await.unwrap();
        connection.closed().await;
    })
    .await;
    let gateway = gateway(&upstream.url, "200ms").await;
    let answer = gateway.get("/v1/models").await;
    let read = timeout(PATIENCE, answer.bytes()).await.unwrap();
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn the_clock_starts_anew_with_each_frame() {
    let upstream = Upstream::start(async |_| {
        let (chunks, response) = stream();
        tokio::spawn(async move {
            for _ in 0..8 {
                chunks.send("data: {}\n\n".into()).unwrap();
                sleep(Duration::from_millis(400)).await;
            }
            chunks.send("data: [DONE]\n\n".into()).unwrap();
        });
        response
    })
    .await;
    let gateway = gateway(&upstream.url, "2s").await;
    let answer = gateway.chat_request("m").send().await.unwrap();
    let text = answer.text().await.unwrap();
    assert_eq!(text.matches("data: {}").count(), 8);
    assert!(text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn a_reader_that_pauses_is_not_taken_for_a_silent_upstream() {
    const CHUNK: usize = 64 << 10;
    // More than the buffers between can hold.
    const CHUNKS: usize = 512;
    let upstream = Upstream::start(async |_| {
        let (chunks, response) = stream();
        for _ in 0..CHUNKS {
            chunks.send(vec![b' '; CHUNK].into()).unwrap();
        }
        response
    })
    .await;
    let gateway = gateway(&upstream.url, "1s").await;
    let mut answer = gateway.chat_request("m").send().await.unwrap();
    let mut length = answer.chunk().await.unwrap().unwrap().len();
    sleep(Duration::from_millis(2500)).await;
    while let Some(chunk) = answer.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert_eq!(length, CHUNK * CHUNKS);
}

/// A provider's own limit goes before the one of all.
#[tokio::test]
async fn each_provider_may_have_a_limit_of_its_own() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        connection.write(head).await.unwrap();
        connection.closed().await;
    })
    .await;
    let config = format!(
        "stream_idle_timeout = '1h'\n[providers.p]\nurl = '{0}'\nstream_idle_timeout = '200ms'
         [agents.a]\nurl = '{0}'\nstream_idle_timeout = '200ms'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    for path in ["/v1/chat/completions", "/agents/v1/chat/completions"] {
        assert_eq!(broken_off(&gateway, path).await, "{");
    }
}
