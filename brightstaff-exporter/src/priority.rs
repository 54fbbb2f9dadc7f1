//! Who goes first where the processors do not suffice: whoever answers clients, not who counts them.

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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn only_the_thread_that_asks_is_lowered() {
        let before = getpriority_process(None).unwrap();
        let lowered = std::thread::spawn(|| {
            lower();
            getpriority_process(None).unwrap()
        });
        assert_eq!(lowered.join().unwrap(), before.max(NICENESS));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
