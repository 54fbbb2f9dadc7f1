//! What a panel is, before it is JSON.

use crate::promql::{Expr, Selected};

/// One panel with data.
#[derive(Debug)]
pub(crate) struct Panel {
    /// Stays for good: links point to it.
    pub(crate) id: u32,
    pub(crate) title: &'static str,
    /// What is drawn, from which instant to which. A tooltip in Grafana, a paragraph in the docs.
    pub(crate) about: &'static str,
    /// How to read it, for the docs.
    pub(crate) reading: &'static str,
    pub(crate) width: u32,
    pub(crate) unit: Unit,
    pub(crate) queries: Vec<Query>,
    pub(crate) thresholds: &'static [Threshold],
    pub(crate) stacked: bool,
    /// What stands there where nothing is drawn, since nothing happened that could be.
    pub(crate) idle: &'static str,
    /// Panels to look at next.
    pub(crate) see: &'static [u32],
    /// The alert whose runbook helps.
    pub(crate) runbook: Option<&'static str>,
}

/// One expression, and how its series look.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) expr: Expr,
    pub(crate) legend: String,
    /// Where the series have a scale of their own, on the right: its unit and its name.
    pub(crate) right: Option<(Unit, &'static str)>,
    pub(crate) line: Line,
    /// Whether Prometheus is asked for the traces of its buckets, too.
    pub(crate) exemplars: bool,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Plain,
    Thin,
    Dotted,
    Dashed,
}

/// From which value on a line is worth a look, or somebody's sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Threshold {
    Look(f64),
    Act(f64),
}

/// In which unit Grafana shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Share,
    Bytes,
    Cores,
    Number,
    Tokens,
    TokensPerSecond,
    RequestsPerSecond,
    PerSecond,
}

impl Unit {
    /// The id in `@grafana/data`, or a suffix, before which Grafana puts a space.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Share => "percentunit",
            Self::Bytes => "bytes",
            Self::Cores => "suffix:cores",
            Self::Number => "short",
            Self::Tokens => "suffix:tokens",
            Self::TokensPerSecond => "suffix:tokens/s",
            Self::RequestsPerSecond => "reqps",
            Self::PerSecond => "suffix:/s",
        }
    }
}

impl Query {
    /// Series on the panel's own scale, on the left.
    pub(crate) fn new(expr: Expr, legend: impl Into<String>) -> Self {
        Self {
            expr,
            legend: legend.into(),
            right: None,
            line: Line::Plain,
            exemplars: false,
        }
    }

    /// The mean, dashed, where this quantile falls into the first or the last bucket and is not drawn.
    pub(crate) fn mean_unless<const N: usize>(
        buckets: Selected,
        q: f64,
        labels: [&'static str; N],
        legend: impl Into<String>,
    ) -> Self {
        let measured = buckets.clone().measured(q, labels);
        Self::new(buckets.mean(labels).unless(&measured), legend).dashed()
    }

    /// With the traces of its buckets, as dots.
    pub(crate) fn exemplars(self) -> Self {
        let exemplars = true;
        Self { exemplars, ..self }
    }

    /// Drawn dashed: it says something else than the other lines.
    pub(crate) fn dashed(self) -> Self {
        let line = Line::Dashed;
        Self { line, ..self }
    }

    /// The median beside higher quantiles: a thin line.
    pub(crate) fn low(self) -> Self {
        let line = Line::Thin;
        Self { line, ..self }
    }

    /// The highest of several quantiles: dots.
    pub(crate) fn high(self) -> Self {
        let line = Line::Dotted;
        Self { line, ..self }
    }

    /// On a scale of its own, on the right, and dashed.
    pub(crate) fn right(self, unit: Unit, name: &'static str) -> Self {
        let right = Some((unit, name));
        Self { right, ..self }.dashed()
    }
}
