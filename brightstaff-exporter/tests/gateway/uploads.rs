//! Request bodies: what they may hold, and how long they may take.

use bytes::Bytes;
use tokio::io::AsyncWriteExt;

use crate::support::{Gateway, Http2, Raw, Serve, Upstream, chat, eventually, post};

/// The longest body of these gateways.
const LONGEST: usize = 100_000;

/// The lengths of bodies that fill what there is.
const FILLING: [usize; 3] = [LONGEST, LONGEST, 50_000];

async fn gateway(limits: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::chat().await;
    let config = format!(
        "max_request_bytes = {LONGEST}\nmax_buffered_bytes = 250_000\n{limits}
         [providers.p]\nurl = '{}'",
        upstream.url
    );
    (Serve::config(&config).start().await, upstream)
}

/// A body that lacks its end.
fn nearly(length: usize) -> Vec<u8> {
    vec![b' '; length - 1]
}

/// Whether a client that would send one byte is told to, and so takes no room by being asked. Where there
/// is none, it is told so without being asked to send.
async fn has_room(gateway: &Gateway) -> bool {
    let expecting = post("content-length: 1\r\nexpect: 100-continue");
    let mut raw = Raw::sent(gateway, expecting).await;
    let answer = raw.until("\r\n\r\n").await;
    if answer == "HTTP/1.1 100 Continue\r\n\r\n" {
        return true;
    }
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(raw.rest().await.contains("\"code\":\"overloaded\""));
    false
}

async fn full(gateway: &Gateway) {
    eventually("no room is left", async || !has_room(gateway).await).await;
}

async fn room(gateway: &Gateway) {
    eventually("there is room", async || has_room(gateway).await).await;
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_408() {
    let (gateway, upstream) = gateway("request_body_timeout = '300ms'").await;
    let answer = Raw::uploading(&gateway, 100, b"{").await.rest().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    assert!(answer.contains("within 300ms"), "{answer}");

    let mut client = Http2::connect(&gateway).await;
    let (answer, _body) = client.post();
    assert_eq!(answer.await.unwrap().status(), 408);
    assert_eq!(client.chat().await.status(), 200, "the others go on");

    assert_eq!(upstream.seen().len(), 1);
    let late = r#"http_requests_total{handler="llm_chat",status_class="4xx"}"#;
    gateway.expect(late, 2.0).await;
    gateway.expect("http_in_flight_requests", 0.0).await;
}

#[tokio::test]
async fn what_bodies_hold_is_bounded_and_given_back() {
    let (gateway, _upstream) = gateway("").await;
    let mut held = Vec::new();
    for length in FILLING {
        held.push(Raw::uploading(&gateway, length, &nearly(length)).await);
    }
    full(&gateway).await;
    assert_eq!(gateway.chat("m").await.0, 503);
    // Nor is one asked to send that does not say how much.
    let chunked = post("transfer-encoding: chunked\r\nexpect: 100-continue");
    let answer = Raw::sent(&gateway, chunked).await.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    // A client that leaves gives its room back, and so does one that is answered.
    held.pop();
    room(&gateway).await;
    for mut raw in held {
        raw.send(" ").await;
        let answer = raw.until("}}").await;
        assert!(answer.contains("\"code\":\"invalid_json\""), "{answer}");
    }
    // Each is held twice for a moment, since its model is renamed.
    let long = format!(
        "{{\"model\":\"p/m\",\"text\":\"{}\"}}",
        "x".repeat(LONGEST - 100)
    );
    for _ in 0..10 {
        let request = gateway.post("/v1/chat/completions", long.clone());
        assert_eq!(gateway.ask(request).await.0, 200);
    }
}

#[tokio::test]
async fn what_is_announced_takes_nobodys_room() {
    let (gateway, _upstream) = gateway("").await;
    let mut announced = Vec::new();
    for _ in 0..20 {
        announced.push(Raw::uploading(&gateway, LONGEST, b"").await);
    }
    gateway.expect("http_in_flight_requests", 20.0).await;
    assert_eq!(gateway.chat("m").await.0, 200);
}

#[tokio::test]
async fn streams_of_one_connection_hold_no_more_than_connections() {
    let (gateway, _upstream) = gateway("").await;
    let mut client = Http2::connect(&gateway).await;
    let mut held = Vec::new();
    for length in FILLING {
        let (answer, mut body) = client.announce(length);
        body.send_data(nearly(length).into(), false).unwrap();
        held.push((answer, body));
    }
    full(&gateway).await;
    for _ in 0..10 {
        let (answer, _body) = client.announce(10);
        assert_eq!(answer.await.unwrap().status(), 503);
    }
    drop(held);
    room(&gateway).await;
}

#[tokio::test]
async fn too_much_is_refused_before_it_is_sent() {
    let (gateway, upstream) = gateway("").await;
    let announced = format!("content-length: {}", LONGEST + 1);
    for header in [
        announced.clone(),
        format!("{announced}\r\nexpect: 100-continue"),
    ] {
        let answer = Raw::sent(&gateway, post(&header)).await.rest().await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{header}: {answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    let mut client = Http2::connect(&gateway).await;
    let (answer, _body) = client.announce(LONGEST + 1);
    assert_eq!(answer.await.unwrap().status(), 413);

    let expecting = post("content-length: 13\r\nexpect: 100-continue");
    let mut raw = Raw::sent(&gateway, expecting).await;
    raw.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    raw.send(r#"{"model":"m"}"#).await;
    assert!(raw.until("\r\n\r\n").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn an_upload_that_the_client_cuts_is_a_cancel() {
    let (gateway, _upstream) = gateway("").await;
    let uploading = async || Raw::uploading(&gateway, 100, b"{").await;
    // Closed, reset, closed on one side only, and broken off between chunks.
    drop(uploading().await);
    let reset = uploading().await;
    socket2::SockRef::from(&reset.0)
        .set_linger(Some(std::time::Duration::ZERO))
        .unwrap();
    drop(reset);
    let mut half_closed = uploading().await;
    half_closed.0.shutdown().await.unwrap();
    half_closed.ended().await;
    drop(Raw::sent(&gateway, post("transfer-encoding: chunked") + "1\r\n{\r\n").await);
    // A stream that is reset, and a connection that is gone.
    let mut client = Http2::connect(&gateway).await;
    let (_answer, mut body) = client.post();
    body.send_data(Bytes::from_static(b"{"), false).unwrap();
    gateway.expect("http_in_flight_requests", 1.0).await;
    body.send_reset(h2::Reason::CANCEL);
    let (_answer, _body) = client.post();
    let cancelled = r#"http_requests_cancelled_total{handler="llm_chat",phase="headers"}"#;
    gateway.expect(cancelled, 5.0).await;
    gateway.expect("http_in_flight_requests", 1.0).await;
    client.abort();

    gateway.expect(cancelled, 6.0).await;
    let scrape = gateway.scrape().await;
    let requests = r#"http_requests_total{status_class="error"}"#;
    assert_eq!(scrape.sum(requests), 6.0);
    assert_eq!(scrape.sum("http_requests_total"), 6.0);
    assert_eq!(scrape.sum("http_request_duration_seconds_count"), 6.0);
    assert_eq!(scrape.sum("http_in_flight_requests"), 0.0);
}

#[tokio::test]
async fn chunks_that_are_none_are_the_fault_of_a_client_that_is_there() {
    let (gateway, _upstream) = gateway("").await;
    let malformed = post("transfer-encoding: chunked") + "1\r\n{\r\nnonsense\r\n";
    let answer = Raw::sent(&gateway, malformed).await.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("\"code\":\"invalid_body\""), "{answer}");
    let bad = r#"http_requests_total{handler="llm_chat",status_class="4xx"}"#;
    gateway.expect(bad, 1.0).await;
    assert_eq!(
        gateway.scrape().await.sum("http_requests_cancelled_total"),
        0.0
    );
}

#[tokio::test]
async fn a_model_whose_name_is_a_book_is_not_known() {
    let (gateway, upstream) = gateway("").await;
    let book = "x".repeat(5000);
    let (status, answer) = gateway.chat(&book).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (400, &"model_not_found".into())
    );
    assert_eq!(upstream.seen().len(), 0);
}

/// The response is there while the client is sending still, and is not lost when it reads it afterwards.
#[tokio::test]
async fn an_early_answer_outlives_what_is_sent_behind_it() {
    let (gateway, _upstream) = gateway("").await;
    let mut raw = Raw::uploading(&gateway, 8 << 20, b"").await;
    raw.send(vec![b' '; 8 << 20]).await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let mut raw = Raw::sent(&gateway, chat()).await;
    assert!(raw.until("\r\n\r\n").await.starts_with("HTTP/1.1 200 "));
}
