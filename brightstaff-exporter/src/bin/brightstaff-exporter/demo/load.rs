//! The load: each order at its time, whatever became of those before it.

use std::{collections::HashMap, mem::take, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    client::{self, Ending},
    deal::Dealer,
    live::Live,
    past::Past,
    truth::Made,
};
use crate::sim::Book;

/// How much, for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) rate: f64,
    pub(super) lasts: Duration,
    pub(super) seed: u64,
    /// A proxy before the gateway.
    pub(super) via: Option<SocketAddr>,
    /// Whether every request is kept, and not only what it adds to the truth.
    pub(super) keep: bool,
}

impl Load {
    /// Runs to its end, or until `stop`; then waits for what was begun.
    pub(super) async fn run(
        self,
        gateway: SocketAddr,
        book: &Arc<Book>,
        live: &Arc<Live>,
        stop: impl Future<Output = ()>,
    ) -> Past {
        let mut requests = JoinSet::new();
        let mut past = Past::new(self.keep);
        let begin = self.begin(gateway, book, live, &mut requests, &mut past);
        tokio::select! {
            () = begin => {}
            () = stop => {}
        }
        while let Some(made) = requests.join_next().await {
            past.push(made.expect("no request panics"));
        }
        past
    }

    async fn begin(
        self,
        gateway: SocketAddr,
        book: &Arc<Book>,
        live: &Arc<Live>,
        requests: &mut JoinSet<Made>,
        past: &mut Past,
    ) {
        let mut dealer = Dealer::new(self.seed);
        // The end of each session's latest turn.
        let mut turns: HashMap<String, oneshot::Receiver<()>> = HashMap::new();
        let started = Instant::now();
        for due in self.due() {
            sleep_until(started + due).await;
            while let Some(made) = requests.try_join_next() {
                past.push(made.expect("no request panics"));
            }
            past.fold(book, Instant::now().into_std());
            // The turns that are still under way.
            turns.retain(|_, turn| turn.try_recv() == Err(TryRecvError::Empty));
            let mut order = dealer.deal();
            let (over, next_turn) = oneshot::channel();
            let session = order.session.clone();
            let turn = session.and_then(|session| turns.insert(session, next_turn));
            let (book, live) = (Arc::clone(book), Arc::clone(live));
            requests.spawn(async move {
                if let Some(turn) = turn {
                    // Over, one way or the other.
                    let _ = turn.await;
                }
                let reached = book.plan(order.id, take(&mut order.behaviours));
                let seen = client::make(gateway, &order, &book, &reached).await;
                live.done(&order, &seen);
                if seen.ending == Ending::Whole {
                    // No attempt can be on its way any more.
                    book.forget(order.id);
                }
                drop(over);
                Made { order, seen }
            });
        }
        sleep_until(started + self.lasts).await;
    }

    /// When each request is due: evenly spaced, the first one at once.
    fn due(self) -> impl Iterator<Item = Duration> {
        let Self { rate, lasts, .. } = self;
        #[expect(clippy::cast_precision_loss)]
        let due = (0_u64..).map(move |n| Duration::from_secs_f64(n as f64 / rate));
        due.take_while(move |due| *due < lasts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_evenly_spaced() {
        let load = |rate, lasts| Load {
            rate,
            lasts: Duration::from_secs(lasts),
            seed: 0,
            via: None,
            keep: false,
        };
        assert_eq!(load(20.0, 5).due().count(), 100);
        assert_eq!(load(0.2, 30).due().count(), 6);
        assert_eq!(load(4.0, 1).due().nth(1), Some(Duration::from_millis(250)));
    }
}
