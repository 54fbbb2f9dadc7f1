//! When a receiver is asked again.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
use tokio::time::Instant;

use super::random::random;

/// How long the wait after the first failure is at most; it doubles with each that follows.
const FIRST: Duration = Duration::from_secs(1);

/// How long the wait is at most, whatever failed before.
const LONGEST: Duration = Duration::from_secs(30);

/// How long a receiver may say to wait.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Waits longer with each failure, across exports.
#[derive(Debug)]
pub(super) struct Patience {
    first: Duration,
    failures: u32,
    until: Option<Instant>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: FIRST,
            failures: 0,
            until: None,
        }
    }
}

impl Patience {
    /// One that hardly waits, for tests.
    #[cfg(test)]
    pub(super) fn short() -> Self {
        Self {
            first: Duration::from_millis(20),
            ..Self::default()
        }
    }

    /// From when on the receiver may be asked again.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// The receiver responded as it should.
    pub(super) fn end(&mut self) {
        (self.failures, self.until) = (0, None);
    }

    /// It did not, or said when to come again.
    pub(super) fn failed(&mut self, retry_after: Option<Duration>) {
        let most = self
            .first
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Half of it at least, so that many who failed together do not come again together.
        let share = f64::from(u32::from_be_bytes(random())) / f64::from(u32::MAX);
        let wait = most.mul_f64(0.5 + share / 2.0);
        let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        self.until = Some(Instant::now() + wait.max(asked));
    }
}

/// How long to wait from now on, as `Retry-After` says it (RFC 9110, section 10.2.3): in seconds, or as a date, which is
/// over once it has passed. What is neither says nothing.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER).map(HeaderValue::to_str)?.ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_when_to_come_again_is_read() {
        // Sun, 06 Nov 1994 08:49:37 GMT.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, seconds) in [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            let wait = retry_after(&headers, now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_up_to_the_longest_and_start_anew() {
        let mut patience = Patience::default();
        let wait = |patience: &Patience| patience.until().map(|until| until - Instant::now());
        assert_eq!(wait(&patience), None);
        for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
            patience.failed(None);
            let (least, most) = (
                Duration::from_millis(seconds * 500),
                Duration::from_secs(seconds),
            );
            let wait = wait(&patience).unwrap();
            assert!((least..=most).contains(&wait), "{wait:?} after {seconds}");
        }
        patience.end();
        assert_eq!(wait(&patience), None);
        patience.failed(Some(Duration::from_secs(7)));
        assert_eq!(wait(&patience), Some(Duration::from_secs(7)));
        patience.failed(Some(Duration::MAX));
        assert_eq!(wait(&patience), Some(MAX_RETRY_AFTER));
    }
}
