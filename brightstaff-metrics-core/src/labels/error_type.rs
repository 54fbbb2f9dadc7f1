//! OpenTelemetry's words for how a call failed.

use super::{closed::Index, upstream::ErrorClass};

/// How a call failed, as `error.type`: one of [`ErrorType::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorType(u8);

macro_rules! statuses {
    ($($status:literal)+) => {
        /// Statuses that stand for themselves: those that are registered, and those that load balancers and providers
        /// made up. In rising order.
        const STATUSES: &[(u16, &str)] = &[$(($status, stringify!($status))),+];
    };
}

statuses! {
    300 301 302 303 304 307 308
    400 401 402 403 404 405 406 407 408 409 410 411 412 413 414 415 416 417 421 422 423 424 425 426 428 429 431 451 499
    500 501 502 503 504 505 506 507 508 511 520 521 522 523 524 525 526 529 530
}

/// What is no status, by the numbers that follow.
const WORDS: [&str; 6] = [
    "_OTHER",
    "timeout",
    "connect",
    "parse",
    "stream",
    "cancelled",
];

impl ErrorType {
    /// What says nothing more: a call that failed in no way that is told apart, or with a status that is not listed.
    pub(crate) const OTHER: Self = Self(0);
    const TIMEOUT: Self = Self(1);
    const CONNECT: Self = Self(2);
    const PARSE: Self = Self(3);
    const STREAM: Self = Self(4);
    const CANCELLED: Self = Self(5);

    /// That of a call which ended so; `None` where it ended well.
    pub(crate) fn of(class: ErrorClass, status: Option<u16>) -> Option<Self> {
        Some(match class {
            ErrorClass::None => return None,
            ErrorClass::Timeout => Self::TIMEOUT,
            ErrorClass::Connect => Self::CONNECT,
            ErrorClass::Parse => Self::PARSE,
            ErrorClass::RateLimit | ErrorClass::Status => {
                status.map_or(Self::OTHER, Self::of_status)
            }
            ErrorClass::Stream => Self::STREAM,
            ErrorClass::Cancelled => Self::CANCELLED,
            ErrorClass::Other => Self::OTHER,
        })
    }

    fn of_status(status: u16) -> Self {
        let found = STATUSES.binary_search_by_key(&status, |(listed, _)| *listed);
        found.map_or(Self::OTHER, |at| {
            Self(u8::try_from(WORDS.len() + at).expect("they are few"))
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        let at = usize::from(self.0);
        let word = WORDS.get(at);
        word.copied()
            .unwrap_or_else(|| STATUSES[at - WORDS.len()].1)
    }

    /// Every value.
    pub(crate) fn values() -> impl Iterator<Item = &'static str> {
        (0..Self::COUNT).map(|at| Self(u8::try_from(at).expect("they are few")).as_str())
    }
}

impl Index for ErrorType {
    const COUNT: usize = WORDS.len() + STATUSES.len();

    fn index(self) -> usize {
        self.0.into()
    }
}

const _: () = assert!(ErrorType::COUNT <= u8::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_status_or_a_word() {
        for (class, status, expected) in [
            (ErrorClass::None, Some(200), None),
            (ErrorClass::RateLimit, Some(429), Some("429")),
            (ErrorClass::Status, Some(300), Some("300")),
            (ErrorClass::Status, Some(500), Some("500")),
            (ErrorClass::Status, Some(529), Some("529")),
            (ErrorClass::Status, Some(530), Some("530")),
            (ErrorClass::Status, Some(101), Some("_OTHER")),
            (ErrorClass::Status, Some(799), Some("_OTHER")),
            (ErrorClass::Stream, Some(200), Some("stream")),
            (ErrorClass::Timeout, None, Some("timeout")),
            (ErrorClass::Connect, None, Some("connect")),
            (ErrorClass::Parse, Some(200), Some("parse")),
            (ErrorClass::Cancelled, None, Some("cancelled")),
            (ErrorClass::Other, None, Some("_OTHER")),
        ] {
            let error = ErrorType::of(class, status);
            assert_eq!(error.map(ErrorType::as_str), expected, "{class} {status:?}");
        }
    }

    #[test]
    fn the_values_are_closed() {
        assert!(STATUSES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut values: Vec<_> = ErrorType::values().collect();
        assert_eq!(values.len(), ErrorType::COUNT);
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), ErrorType::COUNT);
    }
}
