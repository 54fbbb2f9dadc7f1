//! Responses that are not what is usual.

use std::time::Duration;

use crate::support::{ByHand, CHAT, Connection, Gateway, PATIENCE, Serve, eventually};
use tokio::time::{sleep, timeout};

async fn gateway(url: &str) -> Gateway {
    let config =
        format!("response_header_timeout = '3s'\n[providers.p]\nurl = '{url}'\nmodels = ['m']");
    Serve::config(&config).start().await
}

async fn is_failed(gateway: &Gateway, class: &str) {
    let (status, json) = gateway.chat("m").await;
    let (expected, code) = match class {
        "timeout" => (504, "upstream_timeout"),
        _ => (502, "upstream_failed"),
    };
    assert_eq!((status, &json["error"]["code"]), (expected, &code.into()));
    let failed =
        format!(r#"llm_upstream_requests_total{{error_class="{class}",status_class="error"}}"#);
    gateway.expect(&failed, 1.0).await;
    gateway.expect("llm_upstream_requests_total", 1.0).await;
    gateway.expect("llm_upstream_in_flight", 0.0).await;
    let line = gateway.logged("no response").await;
    assert!(
        line.contains("WARN") && line.contains("upstream=p"),
        "{line}"
    );
}

/// Nobody asked for another protocol, and what follows is not HTTP.
#[tokio::test]
async fn a_change_of_protocols_is_refused_and_its_connection_closed() {
    let (closed, mut is_closed) = tokio::sync::mpsc::unbounded_channel();
    let upstream = ByHand::start(move |mut connection| {
        let closed = closed.clone();
        async move {
            connection.request().await.unwrap();
            let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
            connection.write(head).await.unwrap();
            connection.closed().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let gateway = gateway(&upstream.url).await;
    is_failed(&gateway, "parse").await;
    timeout(PATIENCE, is_closed.recv()).await.unwrap().unwrap();
    gateway.logged("status 101").await;
    assert_eq!(gateway.get("/v1/models").await.status(), 502);
}

#[tokio::test]
async fn interim_responses_pass_unseen() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        for interim in ["100 Continue", "102 Processing", "103 Early Hints"] {
            let head = format!("HTTP/1.1 {interim}\r\nlink: </x>\r\n\r\n");
            connection.write(head).await.unwrap();
        }
        connection.write(CHAT).await.unwrap();
    })
    .await;
    let gateway = gateway(&upstream.url).await;
    assert_eq!(gateway.chat("m").await.0, 200);
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="none",status_class="2xx"}"#,
            1.0,
        )
        .await;
}

#[tokio::test]
async fn interim_responses_without_end_come_to_the_time_limit() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        let head = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
        while connection.write(head).await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    is_failed(&gateway(&upstream.url).await, "timeout").await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_read_up_to_a_limit() {
    for line in ["x-long: 0123456789\r\n", "0123456789abcdef"] {
        let written = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&written);
        let upstream = ByHand::start(move |mut connection| {
            let count = std::sync::Arc::clone(&count);
            async move {
                connection.request().await.unwrap();
                connection
                    .write("HTTP/1.1 200 OK\r\nx-first: ")
                    .await
                    .unwrap();
                while connection.write(line).await.is_ok() {
                    count.fetch_add(line.len(), std::sync::atomic::Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
                count.store(usize::MAX, std::sync::atomic::Ordering::SeqCst);
            }
        })
        .await;
        let gateway = gateway(&upstream.url).await;
        is_failed(&gateway, "parse").await;
        eventually("the connection is closed", async || {
            written.load(std::sync::atomic::Ordering::SeqCst) == usize::MAX
        })
        .await;
    }
}

#[tokio::test]
async fn the_longest_head_is_what_the_configuration_says() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-long: {}\r\n\r\n{{}}",
            "x".repeat(20_000)
        );
        let _ = connection.write(head).await;
    })
    .await;
    let config = |limit: &str| {
        format!(
            "{limit}\n[providers.p]\nurl = '{}'\nmodels = ['m']",
            upstream.url
        )
    };
    let gateway = Serve::config(&config("")).start().await;
    assert_eq!(gateway.chat("m").await.0, 200);
    let gateway = Serve::config(&config("max_response_head_bytes = 10000"))
        .start()
        .await;
    is_failed(&gateway, "parse").await;
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_passes_whole() {
    for head in [
        "HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
        "HTTP/1.0 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n",
    ] {
        let upstream = ByHand::start(move |mut connection: Connection| async move {
            connection.request().await.unwrap();
            connection.write(head).await.unwrap();
            connection
                .write("data: {\"object\":\"chat.completion.chunk\"}\n\n")
                .await
                .unwrap();
            connection.write("data: [DONE]\n\n").await.unwrap();
        })
        .await;
        let gateway = gateway(&upstream.url).await;
        for _ in 0..3 {
            let answer = gateway.chat_request("m").send().await.unwrap();
            let text = answer.text().await.unwrap();
            assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
        }
        gateway
            .expect(
                r#"llm_upstream_requests_total{error_class="none",status_class="2xx"}"#,
                3.0,
            )
            .await;
        assert_eq!(upstream.connections(), 3);
    }
}

#[tokio::test]
async fn trailers_end_a_body_and_are_bounded() {
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
    let upstream = ByHand::start(move |mut connection: Connection| async move {
        let request = connection.request().await.unwrap();
        connection.write(chunked).await.unwrap();
        if request.contains("\"endless\"") {
            while connection.write("x-sum: 0123456789\r\n").await.is_ok() {
                tokio::task::yield_now().await;
            }
        } else {
            connection.write("x-sum: 1\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let gateway = gateway(&upstream.url).await;
    let answer = gateway.chat_request("m").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "{}");
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="none",status_class="2xx"}"#,
            1.0,
        )
        .await;
    let request = gateway.chat_request("endless");
    let answer = request.send().await.unwrap();
    assert!(timeout(PATIENCE, answer.text()).await.unwrap().is_err());
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="stream",status_class="2xx"}"#,
            1.0,
        )
        .await;
    gateway.expect("llm_upstream_in_flight", 0.0).await;
}
