//! What the generators of this workspace's documentation read, beside the catalogue.

use crate::{
    catalogue::Family,
    labels::{
        CancelPhase, ErrorClass, ExportOutcome, FailoverOutcome, FailoverRoute, Fallback,
        InterruptReason, Label, Outcome, OverflowLabel, RouteKind, RoutingOutcome,
        SessionCacheEvent, SessionCacheOperation, SkipReason, TokenDetail, TokenKind, UsageMissing,
    },
};

/// Whether the name of a family is one that Plano's monitoring page documents.
#[must_use]
pub fn is_documented(family: &Family) -> bool {
    family.documented
}

/// A closed label: its name, its values, and what they mean.
pub type Meanings = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// The closed labels that need an explanation: methods and classes of statuses are explained by HTTP.
pub const MEANINGS: &[Meanings] = &[
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
    meanings!(SessionCacheOperation),
    meanings!(SkipReason),
    meanings!(FailoverRoute),
    meanings!(FailoverOutcome),
    meanings!(OverflowLabel),
    meanings!(ExportOutcome),
];

macro_rules! meanings {
    ($label:ident) => {
        ($label::NAME, $label::VALUES, <$label as Label>::MEANINGS)
    };
}
use meanings;
