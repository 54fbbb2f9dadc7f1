use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use brightstaff_exporter::socket::Watch;
use tokio::time::{Instant, sleep_until};

use super::Limits;

/// When a connection last did what it is to do: kept by those who read, write and answer, and looked at
/// now and then by the one that ends it.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    /// Whether bytes outside of a request are of the next one's head; in HTTP/2 they may be anything.
    heads: bool,
    /// Requests from their head to the end of their response's body.
    requests: AtomicUsize,
    idle: Mark,
    /// The first byte of a head that is not whole.
    head: Mark,
    /// The first attempt to write what could not be written.
    blocked: Mark,
}

/// The limit that a connection is past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Head,
    Idle,
    Stalled,
}

/// An instant, as the nanoseconds since the start of its connection plus one; or none, as 0.
#[derive(Debug, Default)]
struct Mark(AtomicU64);

impl Pulse {
    /// A connection of HTTP/1, whose first head starts now.
    pub(super) fn http1() -> Arc<Self> {
        let pulse = Self::new(true);
        pulse.read();
        Arc::new(pulse)
    }

    /// A connection of HTTP/2, which is idle from now on.
    pub(super) fn http2() -> Arc<Self> {
        Arc::new(Self::new(false))
    }

    fn new(heads: bool) -> Self {
        let pulse = Self {
            start: Instant::now(),
            heads,
            requests: AtomicUsize::new(0),
            idle: Mark::default(),
            head: Mark::default(),
            blocked: Mark::default(),
        };
        pulse.rest();
        pulse
    }

    /// The head of a request is whole; it is in progress as long as what this returns lives.
    pub(super) fn request(self: &Arc<Self>) -> InProgress {
        self.head.clear();
        self.requests.fetch_add(1, Relaxed);
        InProgress(Arc::clone(self))
    }

    /// It is idle from now on, once more.
    pub(super) fn rest(&self) {
        self.idle.set(self.start);
    }

    /// Waits until it is past one of its limits.
    pub(super) async fn overdue(&self, limits: &Limits) -> Overdue {
        // What starts after a look at it is seen by the next, before it can be overdue.
        let every = limits
            .head_timeout
            .min(limits.idle_timeout)
            .min(limits.write_stall_timeout);
        loop {
            let now = Instant::now();
            let mut next = now + every;
            if let Some((at, overdue)) = self.due(limits) {
                if at <= now {
                    return overdue;
                }
                next = next.min(at);
            }
            sleep_until(next).await;
        }
    }

    /// When it is past which limit, if nothing happens until then.
    fn due(&self, limits: &Limits) -> Option<(Instant, Overdue)> {
        let (since, limit, overdue) = if let Some(since) = self.blocked.get() {
            (since, limits.write_stall_timeout, Overdue::Stalled)
        } else if self.requests.load(Relaxed) > 0 {
            return None;
        } else if let Some(since) = self.head.get() {
            (since, limits.head_timeout, Overdue::Head)
        } else {
            (self.idle.get()?, limits.idle_timeout, Overdue::Idle)
        };
        Some((self.start + since + limit, overdue))
    }
}

impl Watch for Pulse {
    /// Those of a head, where no request is in progress.
    fn read(&self) {
        if self.heads && self.requests.load(Relaxed) == 0 && !self.head.is_set() {
            self.head.set(self.start);
        }
    }

    fn write(&self, could: bool) {
        if could == self.blocked.is_set() {
            if could {
                self.blocked.clear();
                self.rest();
            } else {
                self.blocked.set(self.start);
            }
        }
    }
}

impl Mark {
    fn set(&self, start: Instant) {
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX - 1);
        self.0.store(nanos + 1, Relaxed);
    }

    fn clear(&self) {
        self.0.store(0, Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    fn get(&self) -> Option<Duration> {
        let nanos = self.0.load(Relaxed).checked_sub(1)?;
        Some(Duration::from_nanos(nanos))
    }
}

/// A request that is in progress as long as this lives.
#[derive(Debug)]
pub(super) struct InProgress(Arc<Pulse>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.rest();
        self.0.requests.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            max_connections: 1,
            max_concurrent_streams: 1,
            head_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(10),
            write_stall_timeout: Duration::from_secs(30),
        }
    }

    #[track_caller]
    fn due(pulse: &Pulse, seconds: u64, expected: Overdue) {
        let (at, overdue) = pulse.due(&limits()).unwrap();
        assert_eq!(overdue, expected);
        assert_eq!(at - Instant::now(), Duration::from_secs(seconds));
    }

    #[tokio::test(start_paused = true)]
    async fn each_state_has_its_limit() {
        let advance = async |seconds| tokio::time::advance(Duration::from_secs(seconds)).await;
        let pulse = Arc::new(Pulse::new(true));
        due(&pulse, 10, Overdue::Idle);
        advance(4).await;
        due(&pulse, 6, Overdue::Idle);
        pulse.read();
        advance(1).await;
        pulse.read();
        due(&pulse, 2, Overdue::Head);
        let request = pulse.request();
        pulse.read();
        assert_eq!(pulse.due(&limits()), None);
        pulse.write(true);
        pulse.write(false);
        advance(1).await;
        pulse.write(false);
        due(&pulse, 29, Overdue::Stalled);
        pulse.write(true);
        assert_eq!(pulse.due(&limits()), None);
        drop(request);
        due(&pulse, 10, Overdue::Idle);
        // What is left of a response is written after its body has ended.
        pulse.write(false);
        advance(20).await;
        due(&pulse, 10, Overdue::Stalled);
        pulse.write(true);
        due(&pulse, 10, Overdue::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_overdue_when_its_limit_is_reached_and_not_before() {
        let start = Instant::now();
        let pulse = Pulse::http1();
        let request = pulse.request();
        let ends = Arc::clone(&pulse);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(request);
            tokio::time::sleep(Duration::from_secs(9)).await;
            ends.read();
        });
        assert_eq!(pulse.overdue(&limits()).await, Overdue::Head);
        assert_eq!(start.elapsed().as_secs(), 60 + 9 + 3);
        let pulse = Pulse::http2();
        pulse.read();
        assert_eq!(pulse.overdue(&limits()).await, Overdue::Idle);
        assert_eq!(start.elapsed().as_secs(), 72 + 10);
    }
}
