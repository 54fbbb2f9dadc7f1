//! What a connection waits for, and for how long it may.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    net::TcpStream,
    sync::Notify,
    time::{self, Instant},
};

use crate::{limits::Limits, socket::Watch};

/// One connection, in the eyes of the clock.
#[derive(Debug)]
pub(super) struct Connection {
    limits: Limits,
    state: Mutex<State>,
    /// Something happened that may have brought the deadline nearer.
    sooner: Notify,
}

#[derive(Debug)]
struct State {
    /// When the requests came whose responses are not written yet, oldest first: HTTP/1 answers in order.
    answering: VecDeque<Instant>,
    /// What it waits for where that is none.
    waits_for: For,
    /// Since when.
    since: Instant,
    /// It has to make room for another.
    evicted: bool,
    /// It was not over when its time was.
    cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// The handshake and the first request, or the rest of a head that has begun.
    Head,
    /// Another request.
    Request,
}

impl Connection {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::new(State {
                answering: VecDeque::new(),
                // A client that connects has something to say.
                waits_for: For::Head,
                since: Instant::now(),
                evicted: false,
                cut: false,
            }),
            sooner: Notify::new(),
        }
    }

    /// Waits until its time is over.
    pub(super) async fn overdue(&self) {
        loop {
            let deadline = self.deadline();
            tokio::select! {
                () = time::sleep_until(deadline) => {
                    let mut state = self.state();
                    if state.deadline(&self.limits) <= deadline {
                        state.cut = true;
                        return;
                    }
                }
                () = self.sooner.notified() => {}
            }
        }
    }

    /// A request is whole: its response is in work until what this returns is gone.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.state().answering.push_back(Instant::now());
        self.sooner.notify_one();
        Answering(Arc::clone(self))
    }

    /// Since when nobody has been answered here, if so.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let state = self.state();
        state.answering.is_empty().then_some(state.since)
    }

    /// Ends it at once.
    pub(super) fn evict(&self) {
        self.state().evicted = true;
        self.sooner.notify_one();
    }

    fn deadline(&self) -> Instant {
        self.state().deadline(&self.limits)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn deadline(&self, limits: &Limits) -> Instant {
        if self.evicted {
            return self.since;
        }
        match (self.answering.front(), self.waits_for) {
            (Some(since), _) => *since + limits.timeout,
            (None, For::Head) => self.since + limits.head_timeout,
            (None, For::Request) => self.since + limits.idle_timeout,
        }
    }
}

/// A response in work, up to its last byte.
#[derive(Debug)]
pub(super) struct Answering(Arc<Connection>);

impl Drop for Answering {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.answering.pop_front();
        state.waits_for = For::Request;
        state.since = Instant::now();
    }
}

impl Watch for Connection {
    fn read(&self) {
        let mut state = self.state();
        if state.answering.is_empty() && state.waits_for == For::Request {
            state.waits_for = For::Head;
            state.since = Instant::now();
            drop(state);
            self.sooner.notify_one();
        }
    }

    fn close(&self, stream: &TcpStream) {
        if self.state().cut {
            // Or the system would keep what this peer does not read, for as long as the peer likes.
            let _ = stream.set_zero_linger();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn connection() -> Arc<Connection> {
        Arc::new(Connection::new(Limits {
            head_timeout: 10 * SECOND,
            idle_timeout: 300 * SECOND,
            timeout: 30 * SECOND,
            ..Limits::default()
        }))
    }

    /// Asserts that the time is over this long after an instant between `from` and now.
    #[track_caller]
    fn due(connection: &Connection, from: Instant, limit: Duration) {
        let deadline = connection.deadline();
        assert!(deadline >= from + limit, "too early");
        assert!(deadline <= Instant::now() + limit, "too late");
    }

    #[tokio::test]
    async fn each_wait_has_its_own_limit() {
        let begun = Instant::now();
        let connection = connection();
        due(&connection, begun, 10 * SECOND);
        let deadline = connection.deadline();
        connection.read();
        assert_eq!(
            connection.deadline(),
            deadline,
            "a head counts from its connection"
        );

        let asked = Instant::now();
        let first = connection.answer();
        due(&connection, asked, 30 * SECOND);
        let deadline = connection.deadline();
        let asked = Instant::now();
        let second = connection.answer();
        connection.read();
        assert_eq!(connection.deadline(), deadline, "the oldest one counts");
        assert_eq!(connection.waiting_since(), None);
        drop(first);
        due(&connection, asked, 30 * SECOND);
        let ended = Instant::now();
        drop(second);
        due(&connection, ended, 300 * SECOND);
        assert!(connection.waiting_since() >= Some(ended));

        let read = Instant::now();
        connection.read();
        due(&connection, read, 10 * SECOND);
        let deadline = connection.deadline();
        connection.read();
        assert_eq!(
            connection.deadline(),
            deadline,
            "a head that trickles gains nothing"
        );
    }

    #[tokio::test]
    async fn a_limit_that_comes_nearer_is_noticed() {
        let connection = Arc::new(Connection::new(Limits {
            head_timeout: Duration::from_millis(20),
            ..Limits::default()
        }));
        drop(connection.answer());
        let waiting = Arc::clone(&connection);
        let over = tokio::spawn(async move { waiting.overdue().await });
        tokio::task::yield_now().await;
        connection.read();
        time::timeout(60 * SECOND, over)
            .await
            .expect("unnoticed")
            .unwrap();

        let evicted = self::connection();
        evicted.evict();
        time::timeout(60 * SECOND, evicted.overdue())
            .await
            .expect("unnoticed");
    }
}
