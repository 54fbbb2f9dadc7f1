//! One export after another, up to the last.

use std::time::{Duration, Instant as StdInstant};

use brightstaff_metrics_core::otlp::Temporality;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    super::Outcomes,
    CALL, LONG, PROTOBUF, SHORT, exports,
    receiver::{Play, Receiver, ok, says},
    registry, work,
};
use crate::otlp::{ExportOutcome, Otlp};

/// Runs until the sender of the end is told, or dropped.
struct Running {
    stop: watch::Sender<Option<StdInstant>>,
    run: JoinHandle<Option<ExportOutcome>>,
    outcomes: Outcomes,
}

impl Running {
    fn new(otlp: Otlp) -> Self {
        let work = work(otlp, &registry());
        let (stop, stopped) = watch::channel(None);
        let outcomes = work.outcomes.clone();
        let run = tokio::spawn(work.run(stopped));
        Self {
            stop,
            run,
            outcomes,
        }
    }

    /// Tells of the end, by which the last export must arrive; gives how all of them were counted.
    async fn end(self, within: Duration) -> [u64; 3] {
        self.stop.send_replace(Some(StdInstant::now() + within));
        assert_eq!(self.run.await.unwrap(), Some(ExportOutcome::Ok));
        exports(&self.outcomes)
    }

    /// Tells that nobody waits for it any more.
    async fn dropped(self) -> Option<ExportOutcome> {
        drop(self.stop);
        self.run.await.unwrap()
    }
}

/// Pushes as often as may be.
fn often(receiver: &Receiver) -> Otlp {
    let otlp = Otlp::new().endpoint(&receiver.url());
    otlp.interval(Duration::from_millis(100))
}

#[tokio::test]
async fn exports_follow_each_other_on_one_connection() {
    let receiver = Receiver::new([ok()]).await;
    let running = Running::new(often(&receiver));
    receiver.wait_for(3).await;
    let [ok, rejected, failed] = running.end(LONG).await;
    let received = receiver.received();
    assert!(
        received.iter().all(|one| one.connection == 0),
        "{received:?}"
    );
    assert_eq!((ok, rejected, failed), (received.len() as u64, 0, 0));
}

/// A receiver that closes a connection just when the next export goes out on it costs nothing.
#[tokio::test]
async fn a_connection_that_was_closed_is_made_anew() {
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    let receiver = Receiver::new([Play::SaysAndLeaves(ok)]).await;
    let running = Running::new(often(&receiver));
    receiver.wait_for(3).await;
    let [_, rejected, failed] = running.end(LONG).await;
    assert_eq!((rejected, failed), (0, 0));
}

#[tokio::test]
async fn a_newer_export_takes_the_place_of_one_that_waits() {
    let busy = says("503 Service Unavailable", "retry-after: 1\r\n", b"");
    let receiver = Receiver::new([busy, ok()]).await;
    let running = Running::new(often(&receiver));
    let received = receiver.wait_for(2).await;
    let [_, rejected, failed] = running.end(LONG).await;
    // It waited as it was told, and what then came was new: the exports that gave way are counted in it.
    assert!(received[1].at - received[0].at >= Duration::from_secs(1));
    assert_ne!(received[0].body, received[1].body);
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
        let running = Running::new(often(&receiver).temporality(Temporality::Delta));
        let received = receiver.wait_for(3).await;
        running.dropped().await;
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
    let running = Running::new(often(&receiver).timeout(LONG));
    receiver.wait_for(1).await;
    assert_eq!(running.end(Duration::from_secs(2)).await, [1, 0, 1]);
    assert_eq!(receiver.received().len(), 2);
}

/// The end comes while an export waits for its next try.
#[tokio::test]
async fn the_last_export_waits_for_nothing() {
    let busy = says("429 Too Many Requests", "retry-after: 300\r\n", b"");
    let receiver = Receiver::new([busy, ok()]).await;
    let running = Running::new(often(&receiver));
    receiver.wait_for(1).await;
    running.end(LONG).await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert!(received[1].at - received[0].at < LONG);
}

#[tokio::test]
async fn whoever_is_dropped_exports_nothing_more() {
    let receiver = Receiver::new([Play::Stalls]).await;
    let running = Running::new(often(&receiver).timeout(LONG).export_timeout(LONG));
    receiver.wait_for(1).await;
    assert_eq!(running.dropped().await, None);
    assert_eq!(receiver.received().len(), 1);
}

/// As long as there is.
const EVER: Duration = Duration::MAX;

#[tokio::test]
async fn no_time_is_too_long() {
    let receiver = Receiver::new([ok()]).await;
    let otlp = || Otlp::new().endpoint(&receiver.url()).timeout(EVER);
    let start = |otlp: Otlp| otlp.push(&registry()).unwrap().unwrap().start().unwrap();
    let pushing = start(otlp().interval(EVER).export_timeout(EVER));
    assert_eq!(pushing.shutdown(EVER).await, ExportOutcome::Ok);
    // An export that was not the last one.
    let running = Running::new(otlp().interval(SHORT).export_timeout(EVER));
    while receiver.received().len() < 2 && !running.run.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.end(LONG).await;
}
