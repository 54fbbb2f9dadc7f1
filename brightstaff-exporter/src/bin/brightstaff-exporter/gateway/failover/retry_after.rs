//! When a response says to come again.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::RETRY_AFTER};

/// What OpenAI's own clients look at first.
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// How long to wait from now on: `retry-after-ms` in milliseconds, else `Retry-After` (RFC 9110, section 10.2.3), as
/// seconds or as a date, which is over once it has passed. What is neither says nothing.
pub(super) fn wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).map(HeaderValue::to_str)?.ok();
    let millis = text(RETRY_AFTER_MS).and_then(|text| seconds(text, 1000.0));
    millis.or_else(|| {
        let text = text(RETRY_AFTER)?;
        seconds(text, 1.0).or_else(|| {
            let at = httpdate::parse_http_date(text).ok()?;
            Some(at.duration_since(now).unwrap_or_default())
        })
    })
}

/// A number of units of which a second has so many. Some providers write fractions.
fn seconds(text: &str, units: f64) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(number / units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_of(headers: &[(&'static str, &'static str)]) -> Option<Duration> {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        // Sun, 06 Nov 1994 08:49:37 GMT.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        wait(&headers.iter().map(header).collect(), now)
    }

    #[test]
    fn reads_what_providers_write() {
        for (value, millis) in [
            ("30", 30_000),
            (" 7 ", 7_000),
            ("1.5", 1_500),
            ("0", 0),
            ("Sun, 06 Nov 1994 08:50:07 GMT", 30_000),
            ("Sunday, 06-Nov-94 08:49:38 GMT", 1_000),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ] {
            let expected = Some(Duration::from_millis(millis));
            assert_eq!(wait_of(&[("retry-after", value)]), expected, "{value}");
        }
        let both = [("retry-after", "30"), ("retry-after-ms", "250")];
        assert_eq!(wait_of(&both), Some(Duration::from_millis(250)));
        let both = [("retry-after", "30"), ("retry-after-ms", "soon")];
        assert_eq!(wait_of(&both), Some(Duration::from_secs(30)));
    }

    #[test]
    fn leaves_what_says_nothing() {
        assert_eq!(wait_of(&[]), None);
        for value in ["", "soon", "-1", "NaN", "inf", "1e400", "30s", "1994-11-06"] {
            assert_eq!(wait_of(&[("retry-after", value)]), None, "{value}");
        }
    }
}
