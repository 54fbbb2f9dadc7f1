//! What becomes of an export, by what the receiver responds.

use std::time::Duration;

use super::{
    LONG, PROTOBUF, SHORT, last,
    receiver::{Play, Receiver, ok, says},
};
use crate::otlp::{ExportOutcome, Otlp};

async fn to(plays: impl IntoIterator<Item = Play>, within: Duration) -> (ExportOutcome, Receiver) {
    let receiver = Receiver::new(plays).await;
    let outcome = last(Otlp::new().endpoint(&receiver.url()), within).await;
    (outcome, receiver)
}

#[tokio::test]
async fn what_is_taken_or_refused_is_sent_once() {
    use ExportOutcome::{Ok, Rejected};
    let partial = b"\x0a\x09\x08\xac\x02\x12\x04late";
    let warning = b"\x0a\x06\x12\x04late";
    for (play, expected) in [
        (ok(), Ok),
        (says("202 Accepted", "", b""), Ok),
        (says("200 OK", PROTOBUF, warning), Ok),
        (says("200 OK", PROTOBUF, partial), Rejected),
        // Some respond in words of their own.
        (
            says("200 OK", "content-type: application/json\r\n", b"{}"),
            Ok,
        ),
        (says("200 OK", PROTOBUF, b"\xff\xff\xff"), Ok),
        (
            says("200 OK", "content-type: text/html\r\n", b"<html>"),
            Rejected,
        ),
        (says("400 Bad Request", PROTOBUF, b"\x12\x02no"), Rejected),
        (says("401 Unauthorized", "", b""), Rejected),
        (says("404 Not Found", "", b""), Rejected),
        (says("413 Content Too Large", "", b""), Rejected),
        (says("500 Internal Server Error", "", b""), Rejected),
        (
            says("501 Not Implemented", "retry-after: 0\r\n", b""),
            Rejected,
        ),
        (
            says("301 Moved Permanently", "location: /\r\n", b""),
            Rejected,
        ),
    ] {
        let told = format!("{play:?}");
        let (outcome, receiver) = to([play], LONG).await;
        assert_eq!(
            (outcome, receiver.received().len()),
            (expected, 1),
            "{told}"
        );
    }
}

#[tokio::test]
async fn what_may_be_taken_later_is_sent_again() {
    let retry = |status| says(status, "retry-after: 0\r\n", b"busy");
    let garbage = |bytes: &[u8]| Play::SaysAndLeaves(bytes.to_vec());
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(100_000));
    for first in [
        retry("429 Too Many Requests"),
        retry("502 Bad Gateway"),
        retry("503 Service Unavailable"),
        retry("504 Gateway Timeout"),
        says("503 Service Unavailable", "retry-after: soon\r\n", b""),
        Play::Resets,
        garbage(b""),
        garbage(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
        garbage(b"SSH-2.0-OpenSSH_9.2\r\n"),
        garbage(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"),
        garbage(b"HTTP/1.1 999999 NO\r\n\r\n"),
        garbage(endless.as_bytes()),
    ] {
        let told = format!("{first:?}");
        let (outcome, receiver) = to([first.clone(), first, ok()], LONG).await;
        let received = receiver.received();
        assert_eq!((outcome, received.len()), (ExportOutcome::Ok, 3), "{told}");
        // The same numbers, and so the same export.
        assert!(received.iter().all(|one| one.body == received[0].body));
    }
}

#[tokio::test]
async fn what_never_arrives_has_failed() {
    for play in [
        says("503 Service Unavailable", "", b""),
        says("429 Too Many Requests", "retry-after: 3600\r\n", b""),
        Play::Resets,
        Play::Stalls,
        Play::SaysAndLeaves(b"220 mail.example.com ESMTP\r\n".to_vec()),
    ] {
        let told = format!("{play:?}");
        let (outcome, _) = to([play], SHORT).await;
        assert_eq!(outcome, ExportOutcome::Failed, "{told}");
    }
    // Nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/metrics", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(
        last(Otlp::new().endpoint(&url), SHORT).await,
        ExportOutcome::Failed
    );
}

#[tokio::test]
async fn a_receiver_that_stalls_is_given_up_and_asked_again() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec();
    for stalls in [Play::Stalls, Play::Floods(head, 0)] {
        let receiver = Receiver::new([stalls, ok()]).await;
        let otlp = Otlp::new().endpoint(&receiver.url());
        let outcome = last(otlp.timeout(Duration::from_millis(100)), LONG).await;
        assert_eq!(outcome, ExportOutcome::Ok);
        let received = receiver.received();
        assert!(received.len() > 1 && received[0].connection != received[1].connection);
    }
}

#[tokio::test]
async fn a_receiver_says_when_to_come_again() {
    let (outcome, receiver) = to([says("503 Later", "retry-after: 1\r\n", b""), ok()], LONG).await;
    let received = receiver.received();
    assert_eq!((outcome, received.len()), (ExportOutcome::Ok, 2));
    assert!(received[1].at - received[0].at >= Duration::from_secs(1));
}

/// Whatever a receiver sends, no more is taken than a little past the bound, which what the sockets hold explains.
#[tokio::test]
async fn a_response_without_end_is_not_read() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n".to_vec();
    let unavailable = b"HTTP/1.1 503 OK\r\ncontent-length: 1073741824\r\n\r\n".to_vec();
    for (plays, expected, requests) in [
        (vec![Play::Floods(head, 1 << 30)], ExportOutcome::Ok, 1),
        (
            vec![Play::Floods(unavailable, 1 << 30), ok()],
            ExportOutcome::Ok,
            2,
        ),
    ] {
        let (outcome, receiver) = to(plays, LONG).await;
        assert_eq!((outcome, receiver.received().len()), (expected, requests));
        assert!(receiver.flooded() < 32 << 20, "{}", receiver.flooded());
    }
}
