//! PromQL that can only name families, labels and values of the catalogue.
//!
//! Families and values are the catalogue's own statics and enums, so that a name that changes
//! there changes here, or does not compile. A label that a family does not have is a panic in the
//! generator, and so a failed test.

use brightstaff_metrics_core::{
    catalogue::{self, Family, Kind},
    labels::{self, CancelPhase, StatusClass},
};

mod expr;
mod source;

pub(crate) use self::{
    expr::{Expr, part, ratio, share},
    source::{Selected, Source, recorded},
};

/// What the scrape adds: which process was scraped, and for which job.
pub(crate) const INSTANCE: &str = "instance";
pub(crate) const JOB: &str = "job";
/// For which share of the last five minutes a job has been scraped, as the recording rules tell it.
pub(crate) const COVERED: &str = "job:brightstaff_scraped:ratio5m";
/// The upper bound of a bucket.
const LE: &str = "le";

pub(crate) const HANDLER: &str = catalogue::HANDLER.name;
pub(crate) const PROVIDER: &str = catalogue::PROVIDER.name;
pub(crate) const MODEL: &str = catalogue::MODEL.name;
pub(crate) const SELECTED_MODEL: &str = catalogue::SELECTED_MODEL.name;

/// The handlers of what looks after the gateway: it asks all the time, whatever becomes of the requests that count.
pub(crate) const PROBES: [Value; 2] = [Value::of(HANDLER, "healthz"), Value::of(HANDLER, "readyz")];

/// Requests that failed without a status, each second: a handler panicked, or the service had an error.
/// What was abandoned before its headers has no status either, and is a cancel.
pub(crate) fn unanswered<const N: usize>(from: Source, by: [&'static str; N]) -> Expr {
    let statusless = from.rate(&catalogue::HTTP_REQUESTS).is(StatusClass::Error);
    let abandoned = from
        .rate(&catalogue::HTTP_CANCELLED)
        .is(CancelPhase::Headers);
    statusless.by(by).less(abandoned.by(by))
}

/// Requests whose response had its status and then broke off, each second. One whose status is a 5xx, which is
/// rare, is counted as that, too: the family does not know statuses.
pub(crate) fn interrupted<const N: usize>(from: Source, by: [&'static str; N]) -> Expr {
    from.rate(&catalogue::HTTP_INTERRUPTED).by(by)
}

/// A family that another program publishes.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) name: &'static str,
    labels: &'static [&'static str],
}

/// What Envoy says of its clusters, as `/stats?format=prometheus` names it.
pub(crate) mod envoy {
    use super::Foreign;

    pub(crate) const CLUSTER: &str = "envoy_cluster_name";
    pub(crate) const CODE_CLASS: &str = "envoy_response_code_class";

    pub(crate) static REQUESTS: Foreign = Foreign {
        name: "envoy_cluster_upstream_rq_total",
        labels: &[CLUSTER],
    };
    pub(crate) static RESPONSES: Foreign = Foreign {
        name: "envoy_cluster_upstream_rq_xx",
        labels: &[CLUSTER, CODE_CLASS],
    };
    pub(crate) static CONNECT_FAILURES: Foreign = Foreign {
        name: "envoy_cluster_upstream_cx_connect_fail",
        labels: &[CLUSTER],
    };
}

/// A family, ours or another's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Metric {
    Ours(&'static Family),
    Theirs(&'static Foreign),
}

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Self::Ours(family) => family.name,
            Self::Theirs(foreign) => foreign.name,
        }
    }

    fn has(self, label: &str) -> bool {
        self.labels().contains(&label)
    }

    fn labels(self) -> Vec<&'static str> {
        match self {
            Self::Ours(family) => family.labels.iter().map(|label| label.name).collect(),
            Self::Theirs(foreign) => foreign.labels.to_vec(),
        }
    }

    /// Whether other programs publish the same name, so that a job alone does not tell ours apart.
    fn shared(self) -> bool {
        self.name().starts_with("process_")
    }

    /// The default bounds of its buckets.
    fn bounds(self) -> &'static [f64] {
        match self {
            Self::Ours(Family {
                kind: Kind::Histogram(set),
                ..
            }) => set.default_bounds(),
            _ => panic!("{self:?} has no buckets"),
        }
    }

    fn histogram(self) -> bool {
        matches!(self, Self::Ours(family) if matches!(family.kind, Kind::Histogram(_)))
    }
}

impl From<&'static Family> for Metric {
    fn from(family: &'static Family) -> Self {
        Self::Ours(family)
    }
}

impl From<&'static Foreign> for Metric {
    fn from(foreign: &'static Foreign) -> Self {
        Self::Theirs(foreign)
    }
}

/// One value of a closed label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    label: &'static str,
    value: &'static str,
}

impl Value {
    /// A value of a label that is not ours.
    pub(crate) const fn of(label: &'static str, value: &'static str) -> Self {
        Self { label, value }
    }
}

macro_rules! values {
    ($($label:ident),+ $(,)?) => {
        $(impl From<labels::$label> for Value {
            fn from(value: labels::$label) -> Self {
                Self { label: labels::$label::NAME, value: value.as_str() }
            }
        })+
    };
}

values!(
    CancelPhase,
    ErrorClass,
    FailoverOutcome,
    Fallback,
    Outcome,
    SessionCacheEvent,
    StatusClass,
    TokenKind,
    UsageMissing,
);
