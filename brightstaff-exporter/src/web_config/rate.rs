//! So many requests at once, and one more after each interval.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What a token bucket is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// A token comes in each of these.
    pub(super) interval: Duration,
    /// How many tokens there may be.
    pub(super) burst: u32,
}

/// A token bucket: full at the start.
#[derive(Debug)]
pub(super) struct Rate {
    limit: Limit,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(limit: Limit) -> Self {
        let state = Mutex::new(State {
            tokens: limit.burst.into(),
            at: Instant::now(),
        });
        Self { limit, state }
    }

    /// Takes a token, if there is one.
    pub(super) fn allows(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let came = now.saturating_duration_since(state.at).as_secs_f64()
            / self.limit.interval.as_secs_f64();
        state.tokens = (state.tokens + came).min(self.limit.burst.into());
        state.at = now;
        let allowed = state.tokens >= 1.0;
        if allowed {
            state.tokens -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_in_each_interval() {
        let second = Duration::from_secs(1);
        let rate = Rate::new(Limit {
            interval: second,
            burst: 2,
        });
        let start = Instant::now();
        let allowed = |at: u32, times: usize| {
            let now = start + second * at;
            (0..times).filter(|_| rate.allows(now)).count()
        };
        assert_eq!(allowed(0, 5), 2);
        assert_eq!(allowed(1, 5), 1);
        assert_eq!(allowed(100, 5), 2);
    }
}
