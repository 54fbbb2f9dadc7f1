//! The Grafana dashboards, generated from a typed table of panels.

mod colours;
mod dashboard;
mod panel;
pub(crate) mod panels;
mod variables;

use crate::promql::Source;

pub(crate) use self::{dashboard::render, panel::Panel};

/// Both dashboards: the one that reads what is scraped, and the one for fleets, which reads what the
/// recording rules make of it and so costs the same for one replica and for a hundred.
pub(crate) const DASHBOARDS: [(&str, Source); 2] = [
    ("config/grafana/brightstaff_dashboard.json", Source::Scraped),
    (
        "config/grafana/brightstaff_fleet_dashboard.json",
        Source::Fleet,
    ),
];
