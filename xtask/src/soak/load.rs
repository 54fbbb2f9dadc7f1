//! The rows, played at a bounded rate by a bounded number of clients.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    client::Player,
    ledger::Ledger,
    provider::Provider,
    rows::{self, Row},
};

/// How many clients there are: as many as may wait for slow answers at once.
const CLIENTS: usize = 64;

/// A load that goes on where it stopped.
pub(super) struct Load<'a> {
    pub(super) gateway: SocketAddr,
    pub(super) provider: &'a Provider,
    /// Requests a second.
    pub(super) rate: u32,
    pub(super) ledger: Ledger,
    /// What clients saw that they should not have seen.
    pub(super) faults: Vec<String>,
}

impl Load<'_> {
    /// Sends so many requests more, and waits for the end of each.
    pub(super) fn run(&mut self, requests: u64) -> Result<()> {
        let (sender, receiver) = mpsc::sync_channel::<(&Row, u64)>(CLIENTS);
        let receiver = Mutex::new(receiver);
        let faults = Mutex::new(Vec::new());
        let next = || {
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv().ok()
        };
        let (gateway, provider) = (self.gateway, self.provider);
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let mut player = Player::new(gateway, provider);
                    while let Some((row, number)) = next() {
                        if let Err(error) = player.play(row, number) {
                            let fault = format!("{}: {error:#}", row.name);
                            let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                            faults.push(fault);
                        }
                    }
                });
            }
            let start = Instant::now();
            let round = rows::round();
            let first = self.ledger.requests;
            for (nth, row) in (0..requests).zip(round.iter().cycle()) {
                let due = Duration::from_secs(nth) / self.rate;
                thread::sleep(due.saturating_sub(start.elapsed()));
                self.ledger.add(row);
                sender.send((row, first + nth))?;
            }
            // Ends the clients, each after its last request.
            drop(sender);
            Ok::<_, anyhow::Error>(())
        })?;
        let seen = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.faults.extend(seen);
        Ok(())
    }
}
