//! Labels of calls to providers.

use super::closed::{Index, Label, label};

label! {
    /// What became of a call to a provider. The first class that fits, in the order of the contract.
    ErrorClass = "error_class" {
        /// The call ended well.
        None => "none",
        /// No status: a time-out, that of the connection included.
        Timeout => "timeout",
        /// No status: the connection could not be made.
        Connect => "connect",
        /// The response could not be read as HTTP, or as what the gateway expects.
        Parse => "parse",
        /// Status 429.
        RateLimit => "rate_limit",
        /// Any other status but a 2xx, whatever became of its body.
        Status => "status",
        /// A 2xx whose body reported an error, broke, or stopped before its protocol's end.
        Stream => "stream",
        /// Dropped by our side: the client hung up, or the gateway gave up.
        Cancelled => "cancelled",
        /// Anything else: a call that failed without a status, or a panic.
        Other => "other",
    }
}

label! {
    /// Whether a call, or an operation of the session cache, ended well.
    Outcome = "outcome" {
        /// A call: `error_class` is `none`. An operation of the session cache: it was answered in time.
        Ok => "ok",
        /// A call: `error_class` is anything else. An operation of the session cache: it failed, or took too long.
        Error => "error",
    }
}

label! {
    /// The two disjoint kinds of tokens.
    TokenKind = "kind" {
        /// All input tokens, those read from or written to a cache included.
        Prompt => "prompt",
        /// All output tokens, reasoning included.
        Completion => "completion",
    }
}

label! {
    /// Subsets of the prompt and completion tokens.
    TokenDetail = "kind" {
        /// Part of the prompt: read from the provider's cache.
        CacheRead => "cache_read",
        /// Part of the prompt: written to the provider's cache.
        CacheWrite => "cache_write",
        /// Part of the completion: reasoning (thinking).
        Reasoning => "reasoning",
    }
}

label! {
    /// Why the final usage of a 2xx call is not known.
    UsageMissing = "reason" {
        /// The response was read to its end, and said nothing of usage.
        NotReported => "not_reported",
        /// The response stopped (an error, a hang-up) before its final usage.
        Interrupted => "interrupted",
        /// The response is of no known form, or broken.
        Unparsable => "unparsable",
        /// The response is compressed in a way that is not read here, or past the bound of that.
        UnsupportedEncoding => "unsupported_encoding",
    }
}
