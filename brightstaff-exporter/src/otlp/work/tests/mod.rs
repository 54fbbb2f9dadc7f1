mod receiver;
mod tls;

use std::{io::Read as _, time::Instant as StdInstant};

use brightstaff_metrics_core::{Metrics, labels::ErrorClass, otlp::Temporality};
use flate2::read::GzDecoder;
use prometheus::core::{Collector, Desc};

use self::receiver::{Play, Receiver, ok, says};
use super::*;
use crate::otlp::Otlp;

/// As long as a test may wait for what comes.
const LONG: Duration = Duration::from_secs(60);

/// Too short for a receiver that takes nothing, and long enough for some tries.
const SHORT: Duration = Duration::from_millis(400);

/// Pushes as these settings say, and hardly waits between tries.
fn work(otlp: Otlp, registry: &Registry) -> Work {
    let push = otlp.push(registry).unwrap().unwrap();
    Work {
        patience: Patience::short(),
        ..Work::new(push)
    }
}

fn registry() -> Registry {
    let registry = Registry::new();
    let builder = Metrics::builder().process(false);
    let metrics = builder.upstreams([("p", "m")]).register(&registry).unwrap();
    metrics.upstream("p", "m").start().fail(ErrorClass::Connect);
    registry
}

/// What becomes of the last export, which has so long.
async fn last(otlp: Otlp, within: Duration) -> ExportOutcome {
    let work = work(otlp, &registry());
    let outcomes = work.outcomes.clone();
    let outcome = last_of(work, within).await;
    for one in ExportOutcome::ALL {
        let once = u64::from(*one == outcome);
        assert_eq!(outcomes.counted(*one), once, "{one} after {outcome}");
    }
    outcome
}

async fn last_of(work: Work, within: Duration) -> ExportOutcome {
    let (_stop, stopped) = watch::channel(Some(StdInstant::now() + within));
    work.run(stopped).await.unwrap()
}

/// The exports that were counted: ok, rejected, failed.
fn exports(outcomes: &Outcomes) -> [u64; 3] {
    use ExportOutcome::{Failed, Ok, Rejected};
    [Ok, Rejected, Failed].map(|outcome| outcomes.counted(outcome))
}

async fn to(plays: impl IntoIterator<Item = Play>, within: Duration) -> (ExportOutcome, Receiver) {
    let receiver = Receiver::new(plays).await;
    let outcome = last(Otlp::new().endpoint(&receiver.url()), within).await;
    (outcome, receiver)
}

/// A family that has changed since the start.
const CALL: &[u8] = b"brightstaff_llm_upstream_requests_total";

const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";

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

#[tokio::test]
async fn an_export_says_what_it_is() {
    for gzip in [false, true] {
        let receiver = Receiver::new([ok()]).await;
        let otlp = Otlp::new().endpoint(&receiver.url()).gzip(gzip);
        let otlp = otlp.headers("Authorization=Bearer%20token,user-agent=mine");
        assert_eq!(last(otlp, LONG).await, ExportOutcome::Ok);
        let received = receiver.received().remove(0);
        let has = |line: &str| received.head.contains(&format!("\r\n{line}\r\n"));
        assert!(received.head.starts_with("POST /v1/metrics HTTP/1.1\r\n"));
        for line in [
            "content-type: application/x-protobuf",
            "authorization: Bearer token",
            "user-agent: mine",
            &format!("host: {}", receiver.address),
        ] {
            assert!(has(line), "{line}: {}", received.head);
        }
        assert_eq!(has("content-encoding: gzip"), gzip);
        let mut body = received.body;
        if gzip {
            let mut inflated = Vec::new();
            GzDecoder::new(&body[..])
                .read_to_end(&mut inflated)
                .unwrap();
            body = inflated;
        }
        // ExportMetricsServiceRequest.resource_metrics, and the name of a family.
        assert_eq!(body[0], 0x0a);
        let name = b"brightstaff_llm_upstream_requests_total";
        assert!(body.windows(name.len()).any(|bytes| bytes == name));
    }
}

/// Runs until the sender of the end is told, or dropped.
fn running(
    work: Work,
) -> (
    watch::Sender<Option<StdInstant>>,
    tokio::task::JoinHandle<Option<ExportOutcome>>,
    Outcomes,
) {
    let (stop, stopped) = watch::channel(None);
    let outcomes = work.outcomes.clone();
    (stop, tokio::spawn(work.run(stopped)), outcomes)
}

#[tokio::test]
async fn exports_follow_each_other_on_one_connection() {
    let receiver = Receiver::new([ok()]).await;
    let otlp = Otlp::new()
        .endpoint(&receiver.url())
        .interval(Duration::from_millis(100));
    let (stop, run, outcomes) = running(work(otlp, &registry()));
    receiver.wait_for(3).await;
    stop.send_replace(Some(StdInstant::now() + LONG));
    assert_eq!(run.await.unwrap(), Some(ExportOutcome::Ok));
    let received = receiver.received();
    assert!(
        received.iter().all(|one| one.connection == 0),
        "{received:?}"
    );
    let [ok, rejected, failed] = exports(&outcomes);
    assert_eq!((ok, rejected, failed), (received.len() as u64, 0, 0));
}

/// A receiver that closes a connection just when the next export goes out on it costs nothing.
#[tokio::test]
async fn a_connection_that_was_closed_is_made_anew() {
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    let receiver = Receiver::new([Play::SaysAndLeaves(ok)]).await;
    let otlp = Otlp::new()
        .endpoint(&receiver.url())
        .interval(Duration::from_millis(100));
    let (stop, run, outcomes) = running(work(otlp, &registry()));
    receiver.wait_for(3).await;
    stop.send_replace(Some(StdInstant::now() + LONG));
    assert_eq!(run.await.unwrap(), Some(ExportOutcome::Ok));
    let [_, rejected, failed] = exports(&outcomes);
    assert_eq!((rejected, failed), (0, 0));
}

#[tokio::test]
async fn a_newer_export_takes_the_place_of_one_that_waits() {
    let busy = says("503 Service Unavailable", "retry-after: 1\r\n", b"");
    let receiver = Receiver::new([busy, ok()]).await;
    let otlp = Otlp::new()
        .endpoint(&receiver.url())
        .interval(Duration::from_millis(100));
    let (stop, run, outcomes) = running(work(otlp, &registry()));
    let received = receiver.wait_for(2).await;
    stop.send_replace(Some(StdInstant::now() + LONG));
    assert_eq!(run.await.unwrap(), Some(ExportOutcome::Ok));
    // It waited as it was told, and what then came was new: the exports that gave way are counted in it.
    assert!(received[1].at - received[0].at >= Duration::from_secs(1));
    assert_ne!(received[0].body, received[1].body);
    let [_, rejected, failed] = exports(&outcomes);
    assert!(rejected == 0 && failed > 0, "{failed}");
}

/// What was taken is not told again, not even in part; what was refused or did not arrive is.
#[tokio::test]
async fn deltas_begin_where_the_last_export_was_taken() {
    let partial = says("200 OK", PROTOBUF, b"\x0a\x02\x08\x01");
    for (first, taken) in [
        (ok(), true),
        (partial, true),
        (says("400 Bad Request", "", b""), false),
        (
            says("503 Service Unavailable", "retry-after: 1\r\n", b""),
            false,
        ),
    ] {
        let told = format!("{first:?}");
        let receiver = Receiver::new([first, ok()]).await;
        let otlp = Otlp::new()
            .endpoint(&receiver.url())
            .interval(Duration::from_millis(100))
            .temporality(Temporality::Delta);
        let (stop, run, _) = running(work(otlp, &registry()));
        let received = receiver.wait_for(3).await;
        drop(stop);
        run.await.unwrap();
        // The call that failed, which the second export has, too, unless the first was taken.
        let whole = |n: usize| {
            received[n]
                .body
                .windows(CALL.len())
                .any(|bytes| bytes == CALL)
        };
        assert_eq!(
            (whole(0), whole(1), whole(2)),
            (true, !taken, false),
            "{told}"
        );
    }
}

/// The end comes while a receiver stalls: what is under way is given up, and the last numbers arrive.
#[tokio::test]
async fn the_last_export_comes_behind_one_that_stalls() {
    let receiver = Receiver::new([Play::Stalls, ok()]).await;
    let otlp = Otlp::new()
        .endpoint(&receiver.url())
        .interval(Duration::from_millis(100));
    let (stop, run, outcomes) = running(work(otlp.timeout(LONG), &registry()));
    receiver.wait_for(1).await;
    stop.send_replace(Some(StdInstant::now() + Duration::from_secs(2)));
    assert_eq!(run.await.unwrap(), Some(ExportOutcome::Ok));
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(exports(&outcomes), [1, 0, 1]);
}

/// The end comes while an export waits for its next try.
#[tokio::test]
async fn the_last_export_waits_for_nothing() {
    let busy = says("429 Too Many Requests", "retry-after: 300\r\n", b"");
    let receiver = Receiver::new([busy, ok()]).await;
    let otlp = Otlp::new()
        .endpoint(&receiver.url())
        .interval(Duration::from_millis(100));
    let (stop, run, _) = running(work(otlp, &registry()));
    receiver.wait_for(1).await;
    stop.send_replace(Some(StdInstant::now() + LONG));
    assert_eq!(run.await.unwrap(), Some(ExportOutcome::Ok));
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert!(received[1].at - received[0].at < LONG);
}

#[tokio::test]
async fn whoever_is_dropped_exports_nothing_more() {
    let receiver = Receiver::new([Play::Stalls]).await;
    let otlp = Otlp::new()
        .endpoint(&receiver.url())
        .interval(Duration::from_millis(100));
    let (stop, run, _) = running(work(otlp.timeout(LONG).export_timeout(LONG), &registry()));
    receiver.wait_for(1).await;
    drop(stop);
    assert_eq!(run.await.unwrap(), None);
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn what_is_too_long_is_not_sent() {
    let receiver = Receiver::new([ok()]).await;
    let work = Work {
        max_body_bytes: 100,
        ..work(Otlp::new().endpoint(&receiver.url()), &registry())
    };
    assert_eq!(last_of(work, LONG).await, ExportOutcome::Failed);
    assert_eq!(receiver.received().len(), 0);
}

/// A collector that is not ours.
struct Panics;

impl Collector for Panics {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<prometheus::proto::MetricFamily> {
        panic!("as collectors may");
    }
}

#[tokio::test]
async fn a_collector_that_panics_ends_nothing_else() {
    let receiver = Receiver::new([ok()]).await;
    let registry = registry();
    registry.register(Box::new(Panics)).unwrap();
    let otlp = Otlp::new().endpoint(&receiver.url());
    let push = otlp.push(&registry).unwrap().unwrap();
    let outcomes = push.outcomes.clone();
    assert_eq!(last_of(Work::new(push), LONG).await, ExportOutcome::Failed);
    assert_eq!(receiver.received().len(), 0);
    assert_eq!(exports(&outcomes), [0, 0, 1]);
}
