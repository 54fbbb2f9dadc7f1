//! What the generators of this workspace's documentation read, beside the catalogue.

use crate::{
    catalogue::Family,
    labels::{
        CancelPhase, ErrorClass, ExportOutcome, FailoverOutcome, FailoverRoute, Fallback,
        InterruptReason, Label, Operation, Outcome, OverflowLabel, RouteKind, RoutingOutcome,
        SessionCacheEvent, SessionCacheOperation, SkipReason, TokenDetail, TokenKind, UsageMissing,
    },
};

#[cfg(feature = "otlp")]
use crate::{
    conventions::{self, Conventions, Instrument},
    labels::ErrorType,
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

/// What the values of `gen_ai.operation.name` mean.
pub const OPERATIONS: Meanings = meanings!(Operation);

macro_rules! meanings {
    ($label:ident) => {
        ($label::NAME, $label::VALUES, <$label as Label>::MEANINGS)
    };
}
use meanings;

/// One instrument of OpenTelemetry's conventions, as the `gen_ai` view tells it.
#[cfg(feature = "otlp")]
#[derive(Clone, Copy, Debug)]
pub struct GenAiInstrument(&'static Instrument);

#[cfg(feature = "otlp")]
impl GenAiInstrument {
    /// Those of the latest version that is known, and of 1.41, each with its schema.
    #[must_use]
    pub fn versions() -> [(&'static str, &'static str, Vec<Self>); 2] {
        [("latest", &LATEST), ("1.41", &V1_41)].map(|(name, version)| {
            let all = version.instruments.iter();
            (name, version.schema_url, all.map(Self).collect())
        })
    }

    /// The name, the kind, the unit, the attribute that it has beside those of all, and the upper bounds of its buckets.
    #[must_use]
    pub fn said(
        &self,
    ) -> (
        &'static str,
        &'static str,
        &'static str,
        Option<&'static str>,
        &'static [f64],
    ) {
        let (kind, bounds) = match self.0.kind {
            conventions::Kind::Counter => ("counter", &[][..]),
            conventions::Kind::Histogram(_, bounds) => ("histogram", bounds),
        };
        let Instrument { name, .. } = self.0;
        (name, kind, self.0.unit(), self.0.attribute(), bounds)
    }

    /// What one sample of it is, or one unit of its count.
    #[must_use]
    pub fn is(&self) -> &'static str {
        self.0.source.meaning()
    }
}

/// The well-known names of providers, each with the spellings that mean it.
#[cfg(feature = "otlp")]
pub const PROVIDERS: &[(&str, &[&str])] = conventions::WELL_KNOWN;

/// Every value of `error.type`.
#[cfg(feature = "otlp")]
pub fn error_types() -> impl Iterator<Item = &'static str> {
    ErrorType::values()
}

#[cfg(feature = "otlp")]
static LATEST: Conventions = Conventions::LATEST;
#[cfg(feature = "otlp")]
static V1_41: Conventions = Conventions::V1_41;
