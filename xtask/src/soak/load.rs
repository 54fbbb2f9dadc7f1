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
    target::Target,
};

/// How many clients there are: as many as may wait for slow responses at once.
const CLIENTS: usize = 64;

/// A load that goes on where it stopped.
pub(super) struct Load<'a> {
    target: Target,
    gateway: SocketAddr,
    pub(super) provider: &'a Provider,
    /// Requests a second.
    rate: u32,
    /// The rows in the order in which they are played, again and again.
    round: Vec<Row>,
    pub(super) ledger: Ledger,
    /// What clients saw that they should not have seen.
    pub(super) faults: Vec<String>,
}

impl<'a> Load<'a> {
    pub(super) fn new(
        target: Target,
        gateway: SocketAddr,
        provider: &'a Provider,
        rate: u32,
    ) -> Self {
        Self {
            target,
            gateway,
            provider,
            rate,
            round: rows::round(target),
            ledger: Ledger::default(),
            faults: Vec::new(),
        }
    }

    /// How many kinds of requests there are.
    pub(super) fn kinds(&self) -> usize {
        let mut names: Vec<_> = self.round.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }

    /// Sends so many requests more, and waits for the end of each.
    pub(super) fn run(&mut self, requests: u64) -> Result<()> {
        let (sender, receiver) = mpsc::sync_channel::<(Row, u64)>(CLIENTS);
        let receiver = Mutex::new(receiver);
        let faults = Mutex::new(Vec::new());
        let next = || {
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv().ok()
        };
        let (target, gateway, provider) = (self.target, self.gateway, self.provider);
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let mut player = Player::new(target, gateway, provider);
                    while let Some((row, number)) = next() {
                        if let Err(error) = player.play(&row, number) {
                            let fault = format!("{}: {error:#}", row.name);
                            let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                            faults.push(fault);
                        }
                    }
                });
            }
            let start = Instant::now();
            let first = self.ledger.requests;
            for (nth, &row) in (0..requests).zip(self.round.iter().cycle()) {
                let due = Duration::from_secs(nth) / self.rate;
                thread::sleep(due.saturating_sub(start.elapsed()));
                self.ledger.add(&row);
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
