//! Durations as people write them: `500ms`, `30s`, `5m`, `1h`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// Reads a whole number followed by `ms`, `s`, `m` or `h`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let refuse = || "is no duration: write for example 500ms, 30s, 5m or 1h".to_owned();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text[..text.len() - unit.len()]
        .parse()
        .map_err(|_| refuse())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    // A century is as good as for ever, and stays in the range of every clock.
    millis
        .filter(|millis| *millis <= 100 * 365 * 24 * 3_600_000)
        .map(Duration::from_millis)
        .ok_or_else(refuse)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).map_err(D::Error::custom)
}

/// The same of a key that may be left out.
pub(super) fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("1h"), Ok(Duration::from_secs(3600)));
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "1d",
            "99999999999999999h",
            "30 s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
