//! Which candidates are left alone for a while, and until when.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use brightstaff_metrics_core::labels::SkipReason;

/// What is known of one candidate, whichever aliases lead to it.
///
/// Each value is right by itself, and none is read for what another means: so nothing orders them, and nobody waits.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Since its last success.
    failures: AtomicU32,
    /// Until when it cools down; once that is over, one request tries it. [`NEVER`] where it does not.
    cool_until: AtomicU64,
    /// Until when it asked to be left alone.
    retry_at: AtomicU64,
}

/// After how many failures in a row a candidate cools down, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoolDown {
    pub(super) after: u32,
    pub(super) lasts: Duration,
}

/// What a route goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// For how long a candidate may ask to be left alone, if at all.
    pub(super) max_retry_after: Option<Duration>,
    pub(super) cool_down: Option<CoolDown>,
}

/// An instant, in milliseconds of a [`Clock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

/// Before every moment.
const NEVER: u64 = 0;

impl Rules {
    /// Nobody is ever left alone.
    pub(super) fn are_none(self) -> bool {
        self.max_retry_after.is_none() && self.cool_down.is_none()
    }
}

impl Health {
    /// Whether it may be asked now. One that has cooled down is given to who asks first, to try it; all others leave it
    /// alone until that is over. Where it never ends, since the client went away, the next try is a cool-down later.
    pub(super) fn admit(&self, rules: Rules, now: Moment) -> Result<(), SkipReason> {
        if rules.max_retry_after.is_some() && now.0 < self.retry_at.load(Relaxed) {
            return Err(SkipReason::RetryAfter);
        }
        let Some(cool_down) = rules.cool_down else {
            return Ok(());
        };
        let until = self.cool_until.load(Relaxed);
        if until == NEVER {
            return Ok(());
        }
        if now.0 < until {
            return Err(SkipReason::CoolingDown);
        }
        let next = now.after(cool_down.lasts).0;
        let taken = self
            .cool_until
            .compare_exchange(until, next, Relaxed, Relaxed);
        taken.map(drop).map_err(|_| SkipReason::CoolingDown)
    }

    /// It was accepted. What it asked for stays: other requests may have been refused meanwhile.
    pub(super) fn succeeded(&self) {
        // Mostly there is nothing to change, and then nobody's cache line.
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
        if self.cool_until.load(Relaxed) != NEVER {
            self.cool_until.store(NEVER, Relaxed);
        }
    }

    /// It failed. Tells whether it cools down from now on, and did not before.
    pub(super) fn failed(&self, rules: Rules, now: Moment) -> bool {
        let Some(cool_down) = rules.cool_down else {
            return false;
        };
        let more = |failures: u32| Some(failures.saturating_add(1));
        let before = self.failures.fetch_update(Relaxed, Relaxed, more);
        let failures = before.unwrap_or_default().saturating_add(1);
        // After a cool-down they are as many as before it: one more is enough.
        if failures < cool_down.after {
            return false;
        }
        let until = now.after(cool_down.lasts).0;
        self.cool_until.fetch_max(until, Relaxed) == NEVER
    }

    /// It asks to be left alone for this long. Tells whether it is from now on, and was not before.
    pub(super) fn asks(&self, rules: Rules, wait: Duration, now: Moment) -> bool {
        let Some(most) = rules.max_retry_after else {
            return false;
        };
        let at = now.after(wait.min(most));
        let before = self.retry_at.fetch_max(at.0, Relaxed);
        now < at && before <= now.0
    }
}

impl Moment {
    fn after(self, wait: Duration) -> Self {
        // Rounded up, so that the shortest wait is one.
        let millis = wait.as_nanos().div_ceil(1_000_000);
        Self(
            self.0
                .saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)),
        )
    }
}

/// Tells the moments of all candidates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now(self) -> Moment {
        let millis = u64::try_from(self.0.elapsed().as_millis());
        Moment(millis.unwrap_or(u64::MAX).saturating_add(NEVER + 1))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Barrier, atomic::AtomicUsize},
        thread,
    };

    use super::*;

    const RULES: Rules = Rules {
        max_retry_after: Some(Duration::from_secs(60)),
        cool_down: Some(CoolDown {
            after: 3,
            lasts: Duration::from_secs(30),
        }),
    };

    fn at(seconds: u64) -> Moment {
        Moment(1 + 1000 * seconds)
    }

    fn waits(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn cools_down_after_so_many_failures_in_a_row() {
        let health = Health::default();
        for _ in 0..2 {
            assert!(!health.failed(RULES, at(0)) && !health.failed(RULES, at(0)));
            // In a row.
            health.succeeded();
        }
        let failed = [0, 1, 2].map(|second| {
            assert_eq!(health.admit(RULES, at(second)), Ok(()));
            health.failed(RULES, at(second))
        });
        assert_eq!(failed, [false, false, true]);
        assert_eq!(health.admit(RULES, at(3)), Err(SkipReason::CoolingDown));
        assert_eq!(health.admit(RULES, at(31)), Err(SkipReason::CoolingDown));
        assert_eq!(health.admit(RULES, at(32)), Ok(()));
    }

    #[test]
    fn one_tries_what_has_cooled_down() {
        let health = Health::default();
        let cooled = || (0..3).filter(|_| health.failed(RULES, at(0))).count();
        assert_eq!(cooled(), 1);
        // It is tried by one, and fails: it cools down anew, for the whole of it.
        assert_eq!(health.admit(RULES, at(30)), Ok(()));
        assert_eq!(health.admit(RULES, at(30)), Err(SkipReason::CoolingDown));
        assert!(!health.failed(RULES, at(40)), "it did before");
        assert_eq!(health.admit(RULES, at(69)), Err(SkipReason::CoolingDown));
        // Then who tries it goes away: the next try is a cool-down later.
        assert_eq!(health.admit(RULES, at(70)), Ok(()));
        assert_eq!(health.admit(RULES, at(99)), Err(SkipReason::CoolingDown));
        assert_eq!(health.admit(RULES, at(100)), Ok(()));
        // And is accepted.
        health.succeeded();
        assert_eq!(health.admit(RULES, at(100)), Ok(()));
        assert_eq!(health.admit(RULES, at(100)), Ok(()));
        assert_eq!(cooled(), 1, "from the start");
    }

    #[test]
    fn of_many_at_once_one_tries() {
        let health = Health::default();
        let failed = (0..3).filter(|_| health.failed(RULES, at(0))).count();
        assert_eq!(failed, 1);
        let (barrier, admitted) = (Barrier::new(8), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    if health.admit(RULES, at(30)).is_ok() {
                        admitted.fetch_add(1, Relaxed);
                    }
                });
            }
        });
        assert_eq!(admitted.into_inner(), 1);
    }

    #[test]
    fn is_left_alone_as_long_as_it_asks_within_a_bound() {
        let health = Health::default();
        assert!(!health.asks(RULES, waits(0), at(0)));
        assert_eq!(health.admit(RULES, at(0)), Ok(()));
        assert!(health.asks(RULES, waits(5), at(0)));
        assert!(!health.asks(RULES, waits(2), at(0)), "it did before");
        // A request that began earlier may still succeed.
        health.succeeded();
        assert_eq!(health.admit(RULES, at(4)), Err(SkipReason::RetryAfter));
        assert_eq!(health.admit(RULES, at(5)), Ok(()));
        assert!(health.asks(RULES, waits(3600), at(5)));
        assert_eq!(health.admit(RULES, at(64)), Err(SkipReason::RetryAfter));
        assert_eq!(health.admit(RULES, at(65)), Ok(()));
        assert!(health.asks(RULES, Duration::from_nanos(1), at(65)));
        assert_eq!(health.admit(RULES, at(65)), Err(SkipReason::RetryAfter));
    }

    #[test]
    fn a_route_that_has_no_rules_leaves_nobody_alone() {
        let (health, none) = (Health::default(), Rules::default());
        assert!(none.are_none() && !RULES.are_none());
        for _ in 0..100 {
            assert!(!health.failed(none, at(0)));
        }
        assert!(!health.asks(none, waits(60), at(0)));
        assert_eq!(health.admit(RULES, at(0)), Ok(()));
        // Nor do those of others bind it.
        for _ in 0..100 {
            health.failed(RULES, at(0));
        }
        health.asks(RULES, waits(60), at(0));
        assert_eq!(health.admit(none, at(0)), Ok(()));
        assert!(Clock::start().now() > Moment(NEVER));
    }
}
