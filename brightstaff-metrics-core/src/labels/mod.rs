//! Every closed label, as an enum: what is not here cannot become a label value.
//!
//! Open labels (`handler`, `provider`, `model`, `selected_model`) are plain strings, made safe by
//! [`sanitize`] and bounded by caps.

mod closed;
#[cfg(feature = "otlp")]
mod error_type;
mod gen_ai;
mod http;
mod routing;
mod upstream;

pub use self::{
    gen_ai::Operation,
    http::{CancelPhase, InterruptReason, RequestMethod, StatusClass},
    routing::{
        FailoverOutcome, FailoverRoute, Fallback, RouteKind, RoutingOutcome, SessionCacheEvent,
        SessionCacheOperation, SkipReason,
    },
    upstream::{ErrorClass, Outcome, TokenDetail, TokenKind, UsageMissing},
};
use closed::label;
pub(crate) use closed::{Index, Label};
#[cfg(feature = "otlp")]
pub(crate) use error_type::ErrorType;

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

label! {
    /// What became of one export over OTLP.
    ExportOutcome = "outcome" {
        /// The backend took every data point.
        Ok => "ok",
        /// The backend refused the export, or some of its data points, for good: sending it again would change nothing.
        Rejected => "rejected",
        /// The export did not arrive, or not in time: no connection, no response, nothing but responses that ask for another try, or more than may be sent. The next one says as much, and more.
        Failed => "failed",
    }
}
