//! The Grafana dashboards, generated from a typed table of panels.

mod colours;
mod dashboard;
pub(crate) mod overview;
mod panel;
pub(crate) mod panels;
mod variables;

use crate::promql::Source;

pub(crate) use self::{dashboard::render, panel::Panel};

/// Makes a dashboard's file.
type Render = fn() -> String;

/// The first page, and the two with all panels: the one that reads what is scraped, and the one for fleets, which
/// reads what the recording rules make of it and so costs the same for one replica and for a hundred.
pub(crate) const DASHBOARDS: [(&str, Render); 3] = [
    (
        "config/grafana/brightstaff_overview_dashboard.json",
        overview::render,
    ),
    ("config/grafana/brightstaff_dashboard.json", || {
        render(Source::Scraped)
    }),
    ("config/grafana/brightstaff_fleet_dashboard.json", || {
        render(Source::Fleet)
    }),
];
