//! Who goes first where the processors do not suffice: whoever answers clients, not who counts them.

use std::time::{Duration, Instant};

/// Gives way, as long as that costs little.
///
/// A low priority decides who gets how much of a processor, and not at once: Linux lets a thread that was let in run
/// for a slice of some milliseconds, whoever wakes up meanwhile. One that offers the processor in between holds nobody
/// up. But where every processor is busy for good, each offer is taken for as long as others want.
#[derive(Debug)]
pub(crate) struct Courtesy {
    /// How long others may still be let in.
    left: Duration,
}

/// How long one piece of work gives way, in all: long enough for a busy machine, where others take milliseconds each
/// time, and a twentieth of the 10 s after which Prometheus gives up a scrape.
const COURTESY: Duration = Duration::from_millis(500);

impl Default for Courtesy {
    fn default() -> Self {
        Self { left: COURTESY }
    }
}

impl Courtesy {
    /// Lets others go first, by this, unless they took too long already.
    pub(crate) fn give_way(&mut self, by: impl FnOnce()) {
        if !self.left.is_zero() {
            let begun = Instant::now();
            by();
            self.left = self.left.saturating_sub(begun.elapsed());
        }
    }
}

/// Added to the niceness of 0 that programs start with. At 10 a thread gets a tenth of what one of the gateway's
/// gets on the same processor, and all that is left over: scrapes go on, more slowly, where all are busy.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of this thread, for good: raising it again is a privilege.
#[cfg(target_os = "linux")]
pub(crate) fn lower() {
    use rustix::process::{getpriority_process, setpriority_process};
    // Linux knows no niceness of processes: what is said of "this process" is of the thread that says it. Where
    // it cannot be lowered, scrapes only cost more.
    if getpriority_process(None).is_ok_and(|now| now < NICENESS) {
        let _ = setpriority_process(None, NICENESS);
    }
}

/// Elsewhere a niceness is the whole process's.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn courtesy_ends_where_it_is_taken_for_too_long() {
        let mut courtesy = Courtesy::default();
        let mut given = 0;
        for _ in 0..3 {
            courtesy.give_way(|| given += 1);
        }
        assert_eq!(given, 3);
        courtesy.give_way(|| std::thread::sleep(COURTESY));
        courtesy.give_way(|| given += 1);
        assert_eq!(given, 3);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_thread_that_asks_is_lowered() {
        use rustix::process::getpriority_process;
        let before = getpriority_process(None).unwrap();
        let lowered = std::thread::spawn(|| {
            lower();
            getpriority_process(None).unwrap()
        });
        assert_eq!(lowered.join().unwrap(), before.max(NICENESS));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
