use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Unix time that is never set back: what is shown is of differences.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    began: Instant,
    at: f64,
}

impl Clock {
    pub(super) fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            began: Instant::now(),
            at: since.unwrap_or_default().as_secs_f64(),
        }
    }

    /// In seconds.
    pub(super) fn now(self) -> f64 {
        self.at + self.began.elapsed().as_secs_f64()
    }
}
