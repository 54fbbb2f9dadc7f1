//! The Prometheus rules, generated from the catalogue: what dashboards of fleets and alerts read, and
//! the alerts.

pub(crate) mod alerts;
pub(crate) mod incidents;
pub(crate) mod recording;
mod runbooks;
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

/// Where they stand once more, as a resource of the Prometheus operator.
const RESOURCE: &str = "config/kubernetes/monitoring/prometheusrule.yaml";

/// The files of the rules.
pub(crate) fn files() -> [(PathBuf, String); 4] {
    let file = |name, groups: &[Group]| (Path::new(DIRECTORY).join(name), yaml::render(groups));
    let (mut groups, alerts) = (recording::groups(), alerts::groups());
    let recording = file("brightstaff_recording.yaml", &groups);
    let alerting = file("brightstaff_alerts.yaml", &alerts);
    groups.extend(alerts);
    let resource = yaml::render_resource(&groups);
    let cases = (incidents::PATH.into(), incidents::render());
    [recording, alerting, (RESOURCE.into(), resource), cases]
}
