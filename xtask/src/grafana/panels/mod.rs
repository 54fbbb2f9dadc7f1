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

#[cfg(test)]
mod tests {
    use brightstaff_metrics_core::catalogue::{
        self, BUILD_INFO, HTTP_REQUEST_DURATION, TIME_PER_OUTPUT_TOKEN, TIME_TO_FIRST_TOKEN,
        UPSTREAM_DURATION,
    };

    use super::*;
    use crate::unplotted::UNPLOTTED;

    #[test]
    fn one_query_of_each_family_with_traces_asks_for_them() {
        let rows = rows(Source::Scraped);
        let queries = rows.iter().flat_map(|row| &row.panels);
        let asking: Vec<_> = queries
            .flat_map(|panel| &panel.queries)
            .filter(|query| query.exemplars)
            .map(|query| query.expr.to_string())
            .collect();
        let families = [
            &HTTP_REQUEST_DURATION,
            &UPSTREAM_DURATION,
            &TIME_TO_FIRST_TOKEN,
            &TIME_PER_OUTPUT_TOKEN,
        ];
        for family in families {
            let bucket = format!("{}_bucket{{", family.name);
            let its = asking.iter().filter(|text| text.contains(&bucket));
            assert_eq!(its.count(), 1, "{}", family.name);
        }
        assert_eq!(asking.len(), families.len());
    }

    #[test]
    fn every_family_is_on_a_panel_or_left_out_on_purpose() {
        let rows = rows(Source::Scraped);
        let queries = rows.iter().flat_map(|row| &row.panels);
        let text: Vec<_> = queries
            .flat_map(|panel| &panel.queries)
            .map(|query| query.expr.to_string())
            .collect();
        let text = text.join("\n");
        for family in catalogue::ALL {
            let name = family.name;
            // A name counts only where it ends, or where the suffix of a histogram follows.
            let plotted = text.match_indices(name).any(|(at, _)| {
                let rest = &text[at + name.len()..];
                ["{", "_bucket{", "_count{", "_sum{"]
                    .iter()
                    .any(|end| rest.starts_with(end))
            });
            // Build info is in expressions, but is not what they draw.
            let left_out = UNPLOTTED.iter().any(|(known, _)| known.name == name);
            let drawn = plotted && name != BUILD_INFO.name;
            assert!(
                drawn != left_out,
                "{name}: on a panel {drawn}, left out {left_out}"
            );
        }
    }
}
