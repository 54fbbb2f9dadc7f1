//! Families that are on no panel, and why.

use brightstaff_metrics_core::catalogue::{
    BUILD_INFO, Family, HTTP_TIME_TO_HEADERS, LOG_LINES_DROPPED, PROCESS_MAX_FDS, PROCESS_OPEN_FDS,
    PROCESS_START_TIME, PROCESS_THREADS, PROCESS_VIRTUAL_MEMORY, PROCESS_VIRTUAL_MEMORY_MAX,
};

/// Every family that is on no panel, on purpose.
pub(crate) static UNPLOTTED: &[(&Family, &str)] = &[
    (
        &HTTP_TIME_TO_HEADERS,
        "the time to first token says more of a stream, and the duration of everything else; for a closer look",
    ),
    (&PROCESS_VIRTUAL_MEMORY, "address space, not memory in use"),
    (&PROCESS_VIRTUAL_MEMORY_MAX, "a limit, and mostly none"),
    (&PROCESS_OPEN_FDS, "follows the requests in flight"),
    (&PROCESS_MAX_FDS, "a limit"),
    (&PROCESS_THREADS, "set by the runtime, and constant"),
    (&PROCESS_START_TIME, "for uptime, and for finding restarts"),
    (
        &LOG_LINES_DROPPED,
        "0 for as long as something reads the log; for a gateway that has gone quiet",
    ),
    (
        &BUILD_INFO,
        "feeds the variable `instance`, and tells the gateway's processes from others",
    ),
];

#[cfg(test)]
mod tests {
    use brightstaff_metrics_core::catalogue;

    use super::*;
    use crate::{grafana::panels, promql::Source};

    #[test]
    fn every_family_is_on_a_panel_or_left_out_on_purpose() {
        let rows = panels::rows(Source::Scraped);
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
