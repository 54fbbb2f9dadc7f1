//! Every closed label, as an enum: what is not here cannot become a label value.
//!
//! Open labels (`handler`, `provider`, `model`, `selected_model`) are plain strings, made safe by
//! [`sanitize`] and bounded by caps.

/// What stands in an open label whose value is not known.
pub const UNKNOWN: &str = "unknown";

/// What stands in an open label whose value was folded away: too long, unprintable, or past the cap.
pub const OTHER: &str = "other";

/// The longest value that an open label may carry, in bytes; [`MAX_TEMPLATE_BYTES`] for the template of a
/// route.
///
/// The text format escapes quotes and backslashes, each of which is two bytes there, and nothing else that
/// a label may carry: so a value takes at most twice as many bytes of a scrape.
pub const MAX_LABEL_BYTES: usize = 128;

/// The longest template of a route that the label `handler` may carry, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 512;

/// Makes a string fit for an open label: empty is [`UNKNOWN`]; longer than [`MAX_LABEL_BYTES`], or
/// with a control character in it, is [`OTHER`].
///
/// ```
/// use brightstaff_metrics_core::labels::sanitize;
///
/// assert_eq!(sanitize("gpt-4o"), "gpt-4o");
/// assert_eq!(sanitize(""), "unknown");
/// assert_eq!(sanitize("gpt\n4o"), "other");
/// assert_eq!(sanitize(&"x".repeat(129)), "other");
/// ```
#[must_use]
pub fn sanitize(value: &str) -> &str {
    fit(value, MAX_LABEL_BYTES).unwrap_or(OTHER)
}

/// The same for a value of `most` bytes; `None` for what is [`OTHER`], and has to be counted as such.
pub(crate) fn fit(value: &str, most: usize) -> Option<&str> {
    if value.is_empty() {
        Some(UNKNOWN)
    } else if value.len() > most || value.chars().any(char::is_control) {
        None
    } else {
        Some(value)
    }
}

/// Something that has a place in an array with one place for each of its values.
pub(crate) trait Index: Copy {
    const COUNT: usize;
    fn index(self) -> usize;
}

impl<A: Index, B: Index> Index for (A, B) {
    const COUNT: usize = A::COUNT * B::COUNT;
    fn index(self) -> usize {
        self.0.index() * B::COUNT + self.1.index()
    }
}

/// What the values of the closed labels mean, for the generated documentation: the name of each label, its
/// values and their meanings. Methods and classes of statuses are explained by HTTP.
pub(crate) const MEANINGS: &[(&str, &[&str], &[&str])] = &[
    meanings!(CancelPhase),
    meanings!(InterruptReason),
    meanings!(ErrorClass),
    meanings!(Outcome),
    meanings!(TokenKind),
    meanings!(TokenDetail),
    meanings!(UsageMissing),
    meanings!(RouteKind),
    meanings!(Fallback),
    meanings!(RoutingOutcome),
    meanings!(SessionCacheEvent),
    meanings!(OverflowLabel),
];

macro_rules! meanings {
    ($label:ident) => {
        ($label::NAME, $label::VALUES, <$label as Label>::MEANINGS)
    };
}
use meanings;

/// A closed label.
pub(crate) trait Label: Index + 'static {
    const ALL: &'static [Self];
    /// What every value means, in the same order.
    const MEANINGS: &'static [&'static str];
    fn as_str(self) -> &'static str;
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident = $label:literal { $($(#[doc = $vdoc:literal])* $variant:ident => $value:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $vdoc])* #[doc = concat!("\n\nLabel value `", $value, "`.")] $variant,)+
        }

        impl $name {
            /// The name of the label.
            pub const NAME: &'static str = $label;

            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Every value as it stands in the exposition, in the same order.
            pub(crate) const VALUES: &'static [&'static str] = &[$($value),+];

            /// The value as it stands in the exposition.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value),+ }
            }
        }

        impl Index for $name {
            const COUNT: usize = Self::ALL.len();
            fn index(self) -> usize { self as usize }
        }

        impl Label for $name {
            const ALL: &'static [Self] = Self::ALL;
            const MEANINGS: &'static [&'static str] = &[$(concat!($($vdoc),*).trim_ascii()),+];
            fn as_str(self) -> &'static str { self.as_str() }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

label! {
    /// The method of an inbound request.
    RequestMethod = "method" {
        /// `GET`.
        Get => "GET",
        /// `POST`.
        Post => "POST",
        /// `PUT`.
        Put => "PUT",
        /// `DELETE`.
        Delete => "DELETE",
        /// `PATCH`.
        Patch => "PATCH",
        /// `HEAD`: its response never has a body.
        Head => "HEAD",
        /// `OPTIONS`.
        Options => "OPTIONS",
        /// Any other method, whatever the client called it.
        Other => "OTHER",
    }
}

impl From<&str> for RequestMethod {
    /// Methods are case-sensitive (RFC 9110, section 9.1): `get` is [`RequestMethod::Other`].
    fn from(method: &str) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == method)
            .unwrap_or(Self::Other)
    }
}

label! {
    /// The class of a status, or that there was none.
    StatusClass = "status_class" {
        /// 100 to 199; anything below as well, which is not an HTTP status.
        Informational => "1xx",
        /// 200 to 299.
        Success => "2xx",
        /// 300 to 399.
        Redirection => "3xx",
        /// 400 to 499.
        ClientError => "4xx",
        /// 500 and above.
        ServerError => "5xx",
        /// There never was a status.
        Error => "error",
    }
}

impl StatusClass {
    /// The class of a status code. Codes from 600 on, which no RFC defines, count as server errors.
    ///
    /// ```
    /// use brightstaff_metrics_core::labels::StatusClass;
    ///
    /// assert_eq!(StatusClass::of(204).as_str(), "2xx");
    /// assert_eq!(StatusClass::of(799).as_str(), "5xx");
    /// ```
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            0..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

label! {
    /// When a client went away.
    CancelPhase = "phase" {
        /// Before the status and the headers were ready.
        Headers => "headers",
        /// After them, before the end of the body.
        Body => "body",
    }
}

label! {
    /// Why a response body stopped before its end, with its client still there.
    InterruptReason = "reason" {
        /// The body failed, or had fewer bytes than were declared.
        Error => "error",
        /// The code that makes the body panicked.
        Panic => "panic",
    }
}

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
    /// Whether a call ended well.
    Outcome = "outcome" {
        /// `error_class` is `none`.
        Ok => "ok",
        /// `error_class` is anything else.
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

label! {
    /// Which way a request was routed.
    RouteKind = "route" {
        /// `/agents/…`.
        Agent => "agent",
        /// `/routing/…`: the decision itself was asked for.
        Routing => "routing",
        /// An LLM endpoint.
        Llm => "llm",
    }
}

label! {
    /// Whether the candidate that was accepted was not the first.
    Fallback = "fallback" {
        /// The first candidate was accepted.
        No => "false",
        /// An earlier candidate failed.
        Yes => "true",
    }
}

impl From<bool> for Fallback {
    fn from(fallback: bool) -> Self {
        if fallback { Self::Yes } else { Self::No }
    }
}

label! {
    /// What became of a request to the routing service.
    RoutingOutcome = "outcome" {
        /// A model was answered.
        DecisionServed => "decision_served",
        /// Nothing matched.
        NoCandidates => "no_candidates",
        /// The policy or the request was bad.
        PolicyError => "policy_error",
    }
}

label! {
    /// One lookup in the session cache, or one store to it.
    SessionCacheEvent = "outcome" {
        /// A lookup that found its session.
        Hit => "hit",
        /// A lookup that did not.
        Miss => "miss",
        /// A store.
        Store => "store",
        /// A lookup that the backend failed.
        Error => "error",
        /// A store that the backend failed.
        StoreError => "store_error",
    }
}

label! {
    /// The open label, or pair of labels, in which a value was folded to `other`.
    OverflowLabel = "label" {
        /// The pair `provider`, `model`.
        Upstream => "upstream",
        /// `selected_model`.
        SelectedModel => "selected_model",
        /// `handler`.
        Handler => "handler",
    }
}
