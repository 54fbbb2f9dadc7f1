//! The tasks that answer the streams of an HTTP/2 connection.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::rt::Executor;
use pin_project::pin_project;
use tokio::time::{Sleep, sleep};

use super::lane::Lane;

/// Runs the streams of one connection, and drops those whose client takes nothing, or has left.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    /// That of the request which was called last. Hyper calls a service and runs what answers in one go,
    /// one request after the other, so that nobody waits for the lock.
    called: Arc<Mutex<Option<Arc<Lane>>>>,
    write_stall_timeout: Duration,
}

impl Streams {
    pub(super) fn new(write_stall_timeout: Duration) -> Self {
        Self {
            called: Arc::default(),
            write_stall_timeout,
        }
    }

    /// The lane of a request that is called now.
    pub(super) fn call(&self) -> Arc<Lane> {
        let lane = Arc::new(Lane::default());
        lane.ask();
        *self.called() = Some(Arc::clone(&lane));
        lane
    }

    fn called(&self) -> std::sync::MutexGuard<'_, Option<Arc<Lane>>> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        match self.called().take() {
            Some(lane) => drop(tokio::spawn(Watched {
                stream,
                lane,
                limit: self.write_stall_timeout,
                waiting: None,
            })),
            None => drop(tokio::spawn(stream)),
        }
    }
}

/// A stream that ends when it stalls: it waits for nothing but its client.
#[pin_project]
struct Watched<F> {
    #[pin]
    stream: F,
    lane: Arc<Lane>,
    limit: Duration,
    /// The frame that the client is to take, and until when.
    waiting: Option<(u64, Pin<Box<Sleep>>)>,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.stream.poll(cx).is_ready() || this.lane.has_left() {
            return Poll::Ready(());
        }
        let Some(frame) = this.lane.waiting() else {
            *this.waiting = None;
            return Poll::Pending;
        };
        let known = this.waiting.take().filter(|(known, _)| *known == frame);
        let limit = *this.limit;
        let (_, until) = this
            .waiting
            .insert(known.unwrap_or_else(|| (frame, Box::pin(sleep(limit)))));
        ready!(until.as_mut().poll(cx));
        tracing::debug!("a client took nothing of its response for {limit:?}");
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::Instant;

    use super::*;

    /// Runs a stream that hands out frames at these seconds, and then waits for its client.
    async fn runs_for(at: &'static [u64]) -> u64 {
        let start = Instant::now();
        let streams = Streams::new(Duration::from_secs(10));
        let lane = streams.call();
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        streams.execute(async move {
            let _ended = ended;
            for at in at {
                tokio::time::sleep_until(start + Duration::from_secs(*at)).await;
                lane.hand();
            }
            std::future::pending::<()>().await;
        });
        let _ = end.await;
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_its_client_takes_nothing() {
        assert_eq!(runs_for(&[60]).await, 70);
        assert_eq!(runs_for(&[5, 14, 23]).await, 33);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_waits_for_its_answer_does_not_stall() {
        let streams = Streams::new(Duration::from_secs(10));
        let lane = streams.call();
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        streams.execute(async move {
            let _ended = ended;
            lane.hand();
            lane.ask();
            tokio::time::sleep(Duration::from_secs(60)).await;
        });
        let start = Instant::now();
        let _ = end.await;
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_client() {
        let streams = Streams::new(Duration::from_secs(10));
        let client = super::super::Client::new(streams.call());
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let mut left = Box::pin(client.left());
        streams.execute(poll_fn(move |cx| {
            let _ended = &ended;
            left.as_mut().poll(cx).map(|never| match never {})
        }));
        let _ = end.await;
    }
}
