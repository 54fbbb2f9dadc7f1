//! The Prometheus rules, generated from the catalogue: what dashboards of fleets and alerts read, and
//! the alerts.

pub(crate) mod alerts;
mod recording;
mod yaml;

use std::path::{Path, PathBuf};

use crate::promql::Expr;

/// Where the rules are.
pub(crate) const DIRECTORY: &str = "config/prometheus/rules";

/// Rules that are evaluated together, one after the other.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// Why they are there, as a comment.
    pub(crate) about: &'static str,
    /// How often; the configuration's own interval where not given.
    pub(crate) interval: Option<&'static str>,
    pub(crate) rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug)]
pub(crate) enum Rule {
    Record { name: String, expr: Expr },
    Alert(alerts::Alert),
}

/// The files of the rules.
pub(crate) fn files() -> [(PathBuf, String); 2] {
    [
        ("brightstaff_recording.yaml", recording::groups()),
        ("brightstaff_alerts.yaml", alerts::groups()),
    ]
    .map(|(file, groups)| (Path::new(DIRECTORY).join(file), yaml::render(&groups)))
}
