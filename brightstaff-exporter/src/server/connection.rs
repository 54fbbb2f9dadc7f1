//! What a connection waits for, and for how long it may.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    time::{self, Instant},
};

use crate::limits::Limits;

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

    /// Bytes came.
    fn read(&self) {
        let mut state = self.state();
        if state.answering.is_empty() && state.waits_for == For::Request {
            state.waits_for = For::Head;
            state.since = Instant::now();
            drop(state);
            self.sooner.notify_one();
        }
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

/// The connection's stream, which tells it of what comes in.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { stream, connection }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.state().cut {
            // Or the system would keep what this peer does not read, for as long as the peer likes.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.connection.read();
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    /// Without it hyper would copy each response before it writes it.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
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

    fn left(connection: &Connection) -> Duration {
        connection.deadline() - Instant::now()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_limit() {
        let connection = connection();
        time::advance(SECOND).await;
        connection.read();
        assert_eq!(
            left(&connection),
            9 * SECOND,
            "a head counts from its connection"
        );
        let first = connection.answer();
        time::advance(SECOND).await;
        let second = connection.answer();
        connection.read();
        assert_eq!(left(&connection), 29 * SECOND);
        assert_eq!(connection.waiting_since(), None);
        drop(first);
        assert_eq!(left(&connection), 30 * SECOND, "the oldest one counts");
        drop(second);
        assert_eq!(left(&connection), 300 * SECOND);
        time::advance(SECOND).await;
        connection.read();
        assert_eq!(left(&connection), 10 * SECOND);
        time::advance(SECOND).await;
        connection.read();
        assert_eq!(
            left(&connection),
            9 * SECOND,
            "a head that trickles gains nothing"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_comes_nearer_is_noticed() {
        let connection = connection();
        drop(connection.answer());
        let begun = Instant::now();
        let waiting = Arc::clone(&connection);
        let over = tokio::spawn(async move { waiting.overdue().await });
        time::advance(SECOND).await;
        connection.read();
        over.await.unwrap();
        assert_eq!(begun.elapsed(), 11 * SECOND);

        connection.evict();
        let begun = Instant::now();
        connection.overdue().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
