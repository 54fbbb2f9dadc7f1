use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

use super::{ConfigError, Target, duration};

/// An alias for an ordered list of candidates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteAlias {
    /// Either models or agents, tried in this order.
    pub(crate) candidates: Vec<Target>,
    /// After which responses the next candidate is tried, beside 429, 5xx and none at all.
    #[serde(default)]
    pub(crate) retry_on: RetryOn,
    /// How long the first event of a response is waited for, from its head on, before it passes unknown.
    #[serde(default = "first_event_timeout", with = "duration")]
    pub(crate) first_event_timeout: Duration,
    /// How many bytes of a response may come before its first event is whole; then it passes unknown.
    #[serde(default = "first_event_max_bytes")]
    pub(crate) first_event_max_bytes: u64,
    /// Whether a candidate whose 429 or 503 says when to come again is left alone until then.
    #[serde(default = "respect_retry_after")]
    pub(crate) respect_retry_after: bool,
    /// For how long at the most.
    #[serde(default = "max_retry_after", with = "duration")]
    pub(crate) max_retry_after: Duration,
    /// After how many failures in a row a candidate is left alone; 0 is never.
    #[serde(default)]
    pub(crate) cool_down_after: u32,
    /// For how long, from its last failure on.
    #[serde(default = "cool_down", with = "duration")]
    pub(crate) cool_down: Duration,
}

fn first_event_timeout() -> Duration {
    Duration::from_secs(2)
}

fn first_event_max_bytes() -> u64 {
    64 << 10
}

const fn respect_retry_after() -> bool {
    true
}

fn max_retry_after() -> Duration {
    Duration::from_secs(60)
}

fn cool_down() -> Duration {
    Duration::from_secs(30)
}

impl RouteAlias {
    /// `key` names the route.
    pub(super) fn check(&self, key: &str) -> Result<(), ConfigError> {
        for (name, zero) in [
            ("first_event_timeout", self.first_event_timeout.is_zero()),
            ("first_event_max_bytes", self.first_event_max_bytes == 0),
            ("max_retry_after", self.max_retry_after.is_zero()),
            ("cool_down", self.cool_down.is_zero()),
        ] {
            if zero {
                let key = format_args!("{key}.{name}");
                return Err(ConfigError::new(key, "must be more than 0"));
            }
        }
        Ok(())
    }
}

/// After which responses the next candidate is tried, beside those after which it always is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RetryOn {
    pub(crate) statuses: Vec<u16>,
    /// After a success whose first event is an error.
    pub(crate) first_event_error: bool,
}

/// The statuses that may speak of the candidate rather than of the request, so that another may do better: its key,
/// its credit, its permission, its model, its time, its locks, its own model's failure, its country. All other 4xx say that
/// the request is bad, and would be everywhere.
const RETRIABLE: [u16; 9] = [401, 402, 403, 404, 408, 409, 410, 424, 451];

const FIRST_EVENT_ERROR: &str = "first_event_error";

/// One entry of the list.
enum Entry {
    Status(u16),
    FirstEventError,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;

        impl Visitor<'_> for Entries {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status or a word")
            }

            fn visit_i64<E: Error>(self, status: i64) -> Result<Entry, E> {
                let status = u16::try_from(status).unwrap_or_default();
                if RETRIABLE.contains(&status) {
                    Ok(Entry::Status(status))
                } else if status == 429 || (500..600).contains(&status) {
                    Err(E::custom(
                        "holds 429 or a 5xx, after which the next candidate is tried in any case: write none of them",
                    ))
                } else {
                    Err(E::custom(refusal()))
                }
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Entry, E> {
                let known = word == FIRST_EVENT_ERROR;
                known
                    .then_some(Entry::FirstEventError)
                    .ok_or_else(|| E::custom(refusal()))
            }
        }

        from.deserialize_any(Entries)
    }
}

fn refusal() -> String {
    let statuses = RETRIABLE.map(|status| status.to_string()).join(", ");
    format!("holds what it may not: write any of {statuses} and \"{FIRST_EVENT_ERROR}\"")
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = RetryOn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RetryOn, A::Error> {
                let mut retry_on = RetryOn::default();
                while let Some(entry) = list.next_element()? {
                    match entry {
                        Entry::Status(status) => retry_on.statuses.push(status),
                        Entry::FirstEventError => retry_on.first_event_error = true,
                    }
                }
                Ok(retry_on)
            }
        }

        from.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Config, *};

    fn route(keys: &str) -> Result<RouteAlias, String> {
        let text = format!(
            "[providers.p]\nurl = 'http://p'\n[routes.r]\ncandidates = ['p/a', 'p/b']\n{keys}"
        );
        let config = Config::from_toml(&text).map_err(|error| error.to_string())?;
        Ok(config.routes["r"].clone())
    }

    #[test]
    fn the_example_shows_the_defaults_of_a_route() {
        let example = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.toml"));
        let mut example = Config::from_toml(example).unwrap().routes["fast"].clone();
        let default = route("").unwrap();
        example.candidates.clone_from(&default.candidates);
        assert_eq!(format!("{example:?}"), format!("{default:?}"));
    }

    #[test]
    fn retries_where_the_candidate_may_be_at_fault() {
        let of = |list: &str| Ok::<_, String>(route(&format!("retry_on = {list}"))?.retry_on);
        assert_eq!(of("[]"), Ok(RetryOn::default()));
        let expected = RetryOn {
            statuses: RETRIABLE.to_vec(),
            first_event_error: true,
        };
        let all = format!("{RETRIABLE:?}").replace(']', ", 'first_event_error']");
        assert_eq!(of(&all), Ok(expected));
        for (wrong, fix) in [
            ("[401, 400]", "write any of 401, 402,"),
            ("[422]", "write any of"),
            ("[200]", "write any of"),
            ("[-1]", "write any of"),
            ("[70000]", "write any of"),
            ("['sk-secret']", "and \"first_event_error\""),
            ("[429]", "write none of them"),
            ("[408, 503]", "write none of them"),
            ("[4.5]", "write for example retry_on"),
            ("'first_event_error'", "write for example retry_on"),
        ] {
            let error = of(wrong).unwrap_err();
            let named = error.starts_with("line 5: routes.r.retry_on: ");
            assert!(named && error.contains(fix), "{wrong}: {error}");
            assert!(
                !error.contains("secret") && !error.contains('\n'),
                "{error}"
            );
        }
    }

    #[test]
    fn limits_are_more_than_nothing() {
        for wrong in [
            "first_event_timeout = '0s'",
            "first_event_max_bytes = 0",
            "max_retry_after = '0s'",
            "cool_down = '0s'",
        ] {
            let key = wrong.split(' ').next().unwrap();
            let expected = format!("routes.r.{key}: must be more than 0");
            assert_eq!(route(wrong).unwrap_err(), expected);
        }
    }
}
