//! Labels of the `gen_ai` view: OpenTelemetry's words for what a call was for, and for how it failed.

use super::closed::{Index, Label, label};
use super::upstream::ErrorClass;

label! {
    /// What a call to a provider was for, in the words of OpenTelemetry's conventions for generative AI. Their value
    /// for what fits no other, and ours for reranking, which they have no word for.
    Operation = "gen_ai.operation.name" {
        /// A conversation goes on: Chat Completions, Responses, Messages, Converse and their like.
        Chat => "chat",
        /// A text goes on: the legacy Completions, and generation from a prompt alone.
        TextCompletion => "text_completion",
        /// Text becomes vectors.
        Embeddings => "embeddings",
        /// Content of any kind is generated: Gemini's `generateContent`, images, speech, transcriptions.
        GenerateContent => "generate_content",
        /// Documents are ranked. No value of the conventions, which allow others.
        Rerank => "rerank",
    }
}

impl Operation {
    /// Whether its responses hold generated output, which is counted in tokens.
    pub(crate) fn generates(self) -> bool {
        !matches!(self, Self::Embeddings | Self::Rerank)
    }
}

label! {
    /// What the tokens are of.
    Modality = "gen_ai.token.modality" {
        /// The provider did not say, or said it of the others only.
        Unknown => "unknown",
        /// Audio, by the provider's count.
        Audio => "audio",
        /// Images, by the provider's count.
        Image => "image",
    }
}

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
