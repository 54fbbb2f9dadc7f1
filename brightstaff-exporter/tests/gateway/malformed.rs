//! What is no request, and what is one that cannot be read.

use crate::support::{Gateway, Http2, Raw, Serve, Upstream, chat};

const MALFORMED: &str =
    r#"http_requests_total{handler="malformed",method="OTHER",status_class="4xx"}"#;

async fn refused(gateway: &Gateway, request: &str, status: &str) {
    let answer = Raw::sent(gateway, request).await.rest().await;
    let start = &request[..request.len().min(20)];
    assert!(answer.starts_with(status), "{start}: {answer}");
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_counted() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    refused(&gateway, "nonsense\r\n\r\n", "HTTP/1.1 400 ").await;
    let bad = "GET / HTTP/1.1\r\nhost h\r\n\r\n";
    refused(&gateway, bad, "HTTP/1.1 400 ").await;
    let smuggled = "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n";
    refused(&gateway, smuggled, "HTTP/1.1 400 ").await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    refused(&gateway, &long, "HTTP/1.1 414 ").await;
    let heavy = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(500_000));
    refused(&gateway, &heavy, "HTTP/1.1 431 ").await;
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(200));
    refused(&gateway, &many, "HTTP/1.1 431 ").await;
    gateway.expect(MALFORMED, 6.0).await;

    // TLS to a port without: there is nothing that a response could be read by.
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    Raw::sent(&gateway, hello).await.ended().await;
    gateway.expect(MALFORMED, 7.0).await;

    // Behind a good one, and once for all that follows.
    let mut raw = Raw::sent(&gateway, chat()).await;
    raw.until("\"completion_tokens\":12}}").await;
    raw.send("nonsense\r\n\r\nnonsense\r\n\r\n").await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    gateway.expect(MALFORMED, 8.0).await;

    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum("http_requests_total"), 9.0);
    assert_eq!(scrape.sum("http_request_duration_seconds_count"), 9.0);
    assert_eq!(scrape.sum("http_in_flight_requests"), 0.0);
    assert_eq!(scrape.sum("http_requests_cancelled_total"), 0.0);
}

#[tokio::test]
async fn what_is_no_request_is_not_counted() {
    let upstream = Upstream::chat().await;
    let config = format!(
        "idle_timeout = '300ms'\nhead_timeout = '300ms'\n[providers.p]\nurl = '{}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    // A probe of the port, a client that is silent, one that goes, and one that stops.
    drop(Raw::connect(&gateway).await);
    Raw::connect(&gateway).await.ended().await;
    drop(Raw::sent(&gateway, "GET / HT").await);
    Raw::sent(&gateway, "GET / HT").await.ended().await;
    // And one that HTTP/2 refuses by itself.
    let mut client = Http2::connect(&gateway).await;
    let answer = client.heavy(40 << 10).await.unwrap();
    assert_eq!(answer.status(), 431);
    assert_eq!(gateway.chat("m").await.0, 200);
    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum(MALFORMED), 0.0);
    assert_eq!(scrape.sum("http_requests_total"), 1.0);
}
