//! One line, rewritten in place, of what happens right now.

use std::{
    collections::VecDeque,
    fmt,
    io::{IsTerminal, Write, stdout},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    client::{Ending, Seen},
    order::Order,
};
use crate::sim::Book;

/// How far back the rates and the quantiles look.
const WINDOW: Duration = Duration::from_secs(5);

/// What the live line tells.
#[derive(Debug)]
pub(super) struct Live {
    started: Instant,
    lasts: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    done: VecDeque<Instant>,
    tokens: VecDeque<(Instant, u64)>,
    first_tokens: VecDeque<(Instant, Duration)>,
    total: u64,
    errors: u64,
    hang_ups: u64,
}

impl Live {
    pub(super) fn new(lasts: Duration) -> Self {
        Self {
            started: Instant::now(),
            lasts,
            state: Mutex::default(),
        }
    }

    /// A request is over.
    pub(super) fn done(&self, order: &Order, seen: &Seen) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.total += 1;
        state.done.push_back(seen.ended);
        match (seen.ending, seen.head) {
            (Ending::HungUp(_), _) => state.hang_ups += 1,
            (Ending::Whole, Some((..400, _))) => {}
            _ => state.errors += 1,
        }
        if let (true, Some(at)) = (order.streamed, seen.first_token) {
            let took = at.duration_since(seen.sent);
            state.first_tokens.push_back((at, took));
        }
        // Where there is no terminal, nobody draws the line, and nobody else lets go of them.
        state.forget(seen.ended);
    }

    /// Rewrites the line until it is dropped, where there is a terminal.
    pub(super) async fn show(&self, book: &Book) {
        if !stdout().is_terminal() {
            return std::future::pending().await;
        }
        let _wiped = Wipe;
        loop {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let line = self.line(Instant::now(), book.tokens(), book.open());
            // Without wrapping, a narrow terminal shows the start of the line, and no more.
            rewrite(format_args!("\x1b[?7l\x1b[K{line}\x1b[?7h"));
        }
    }

    fn line(&self, now: Instant, tokens: u64, open: usize) -> String {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tokens.push_back((now, tokens));
        state.forget(now);
        let elapsed = now.duration_since(self.started);
        let window = elapsed.min(WINDOW).as_secs_f64().max(0.001);
        let before = state.tokens.front().map_or(0, |(_, before)| *before);
        let mut first: Vec<_> = state.first_tokens.iter().map(|(_, took)| *took).collect();
        first.sort_unstable();
        #[expect(clippy::cast_precision_loss)]
        let per_second = |count: u64| count as f64 / window;
        format!(
            "{:>3}/{}s {:>5.1} req/s {:>5.0} tokens/s  TTFT p50 {} p95 {}  open {} errors {} hang-ups {}",
            elapsed.as_secs(),
            self.lasts.as_secs(),
            per_second(state.done.len() as u64),
            per_second(tokens - before),
            quantile(&first, 50),
            quantile(&first, 95),
            open,
            state.errors,
            state.hang_ups,
        )
    }
}

impl State {
    /// Leaves out what is past the window.
    fn forget(&mut self, now: Instant) {
        let old = |at: &Instant| now.saturating_duration_since(*at) > WINDOW;
        while self.done.front().is_some_and(old) {
            self.done.pop_front();
        }
        while self.tokens.front().is_some_and(|(at, _)| old(at)) {
            self.tokens.pop_front();
        }
        while self.first_tokens.front().is_some_and(|(at, _)| old(at)) {
            self.first_tokens.pop_front();
        }
    }
}

/// The value that so many percent do not exceed.
fn quantile(sorted: &[Duration], percent: usize) -> String {
    match sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)) {
        Some(took) => format!("{:.2}s", took.as_secs_f64()),
        None => "-".to_owned(),
    }
}

/// A terminal that is gone has nobody who reads it.
fn rewrite(line: fmt::Arguments<'_>) {
    let mut out = stdout();
    let _ = write!(out, "\r{line}").and_then(|()| out.flush());
}

/// Leaves an empty line behind.
struct Wipe;

impl Drop for Wipe {
    fn drop(&mut self) {
        rewrite(format_args!("\x1b[K"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let seconds: Vec<_> = (1..=20).map(Duration::from_secs).collect();
        assert_eq!(quantile(&seconds, 50), "10.00s");
        assert_eq!(quantile(&seconds, 95), "19.00s");
        assert_eq!(quantile(&[], 95), "-");
    }
}
