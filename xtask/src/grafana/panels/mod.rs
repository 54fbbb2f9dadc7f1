//! The panels, row by row: 19 of them.

mod http;
mod llm;
mod process;
mod routing;

use super::panel::Panel;
use crate::promql::Source;

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// Every row, with what its panels read from this source.
pub(crate) fn rows(from: Source) -> Vec<Row> {
    vec![
        Row {
            title: "HTTP RED",
            panels: http::panels(from),
        },
        Row {
            title: "LLM upstream",
            panels: llm::panels(from),
        },
        Row {
            title: "Routing service",
            panels: routing::panels(from),
        },
        Row {
            title: "Process & Envoy link",
            panels: process::panels(from),
        },
    ]
}
