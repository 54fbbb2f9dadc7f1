//! Where instants come from: the processor's counter, the system, or a hand that tests turn.

#[cfg(any(test, feature = "testing"))]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// What tells instants, and the time between two of them, which is never negative.
///
/// On Linux on x86-64, where the kernel itself tells the time by the processor's counter when this is
/// first asked for, that counter is read directly, at less than half of the price of asking the kernel's
/// code for it; elsewhere this is [`Instant`].
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    Counter(quanta::Clock),
    /// Counts nanoseconds from there.
    System(Instant),
    /// Nanoseconds that a test let pass.
    #[cfg(any(test, feature = "testing"))]
    Manual(Arc<AtomicU64>),
}

/// An instant. All clocks of a process but manual ones understand each other's. One word: guards that hold them are moved from hand
/// to hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick(u64);

/// What the clock on the wall says: nanoseconds since the Unix epoch. Enough until the year 2554.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WallTime(u64);

impl WallTime {
    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long it is after the Unix epoch.
    pub(crate) fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

#[cfg(any(test, feature = "testing"))]
impl Clock {
    /// A clock that stands still until [`Clock::advance`]. On its wall it is 2023-11-14 22:13:20 UTC, Unix time
    /// 1,700,000,000, at first.
    #[must_use]
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::default()))
    }

    /// Turns a manual clock on; does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.fetch_add(nanos(by), Ordering::SeqCst);
        }
    }
}

impl Clock {
    #[inline]
    pub(crate) fn now(&self) -> Tick {
        Tick(match &self.0 {
            #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
            Source::Counter(clock) => clock.raw(),
            Source::System(epoch) => nanos(epoch.elapsed()),
            #[cfg(any(test, feature = "testing"))]
            Source::Manual(now) => now.load(Ordering::SeqCst),
        })
    }

    /// Nanoseconds from one instant to a later one; 0 where it is none.
    #[inline]
    pub(crate) fn nanos(&self, from: Tick, to: Tick) -> u64 {
        match &self.0 {
            #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
            Source::Counter(clock) => clock.delta_as_nanos(from.0, to.0),
            _ => to.0.saturating_sub(from.0),
        }
    }

    /// What the clock on the wall says now.
    pub(crate) fn wall(&self) -> WallTime {
        WallTime(match &self.0 {
            #[cfg(any(test, feature = "testing"))]
            Source::Manual(now) => MANUAL_WALL_NANOS + now.load(Ordering::SeqCst),
            // A wall that shows a time before the epoch tells nothing.
            _ => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, nanos),
        })
    }

    fn real() -> Self {
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        if counter_is_the_clocksource() {
            // Compares the counter with the system's clock until it is sure, for 200 ms at most.
            return Self(Source::Counter(quanta::Clock::new()));
        }
        Self(Source::System(Instant::now()))
    }
}

impl Default for Clock {
    fn default() -> Self {
        static REAL: OnceLock<Clock> = OnceLock::new();
        REAL.get_or_init(Self::real).clone()
    }
}

/// Whether the kernel tells the time by the processor's counter. It does so only where it found that one
/// to be the same on all cores and in all states of power.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn counter_is_the_clocksource() -> bool {
    const CURRENT: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    std::fs::read_to_string(CURRENT).is_ok_and(|source| source.trim() == "tsc")
}

/// What the wall says when a manual clock starts.
#[cfg(any(test, feature = "testing"))]
const MANUAL_WALL_NANOS: u64 = 1_700_000_000 * 1_000_000_000;

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whichever source it has: a clock that is off by a thousandth would tell wrong durations.
    #[test]
    fn the_system_s_clock_tells_the_time() {
        for clock in [Clock::default(), Clock(Source::System(Instant::now()))] {
            let (outer, from) = (Instant::now(), clock.now());
            let inner = Instant::now();
            std::thread::sleep(Duration::from_millis(50));
            let least = inner.elapsed().as_secs_f64();
            let seconds = Duration::from_nanos(clock.nanos(from, clock.now())).as_secs_f64();
            let most = outer.elapsed().as_secs_f64();
            assert!(
                (least * 0.999..=most * 1.001).contains(&seconds),
                "{clock:?}: {least} {seconds} {most}"
            );
        }
    }

    #[test]
    fn a_manual_clock_stands_still() {
        let clock = Clock::manual();
        let from = clock.now();
        assert_eq!(clock.nanos(from, clock.now()), 0);
        clock.advance(Duration::from_millis(1_100));
        assert_eq!(clock.nanos(from, clock.now()), 1_100_000_000);
        assert_eq!(clock.nanos(clock.now(), from), 0);
        let wall = clock.wall().since_epoch();
        assert_eq!(wall, Duration::from_millis(1_700_000_001_100));
    }
}
