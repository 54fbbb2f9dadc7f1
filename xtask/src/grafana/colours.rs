//! What means the same has the same colour, on every panel and whatever else is on it.

use brightstaff_metrics_core::labels::{
    ErrorClass, RoutingOutcome, SessionCacheEvent, TokenKind, UsageMissing,
};

/// What is drawn beside its parts, in no colour that one of them may have.
const WHOLES: [&str; 6] = [
    "all errors",
    "all handlers",
    "all reasons",
    "all routes",
    "completed calls",
    "share of calls",
];

/// The colours of the series with this legend, by their names: where the legend is one closed label, or a whole.
pub(super) fn of(legend: &str) -> Vec<(&'static str, &'static str)> {
    if let Some(whole) = WHOLES.iter().find(|whole| **whole == legend) {
        return vec![(whole, "text")];
    }
    let label = legend
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    match label {
        Some(ErrorClass::NAME) => ErrorClass::ALL
            .iter()
            .map(|class| (class.as_str(), error(*class)))
            .collect(),
        Some(TokenKind::NAME) => vec![
            (TokenKind::Prompt.as_str(), "blue"),
            (TokenKind::Completion.as_str(), "green"),
        ],
        // Both labels are called `outcome`, and share no value.
        Some(RoutingOutcome::NAME) => vec![
            (RoutingOutcome::DecisionServed.as_str(), "green"),
            (RoutingOutcome::NoCandidates.as_str(), "orange"),
            (RoutingOutcome::PolicyError.as_str(), "red"),
            (SessionCacheEvent::Error.as_str(), "red"),
            (SessionCacheEvent::StoreError.as_str(), "purple"),
        ],
        Some(UsageMissing::NAME) => vec![
            (UsageMissing::NotReported.as_str(), "orange"),
            (UsageMissing::Interrupted.as_str(), "blue"),
            (UsageMissing::Unparsable.as_str(), "red"),
            (UsageMissing::UnsupportedEncoding.as_str(), "purple"),
        ],
        _ => Vec::new(),
    }
}

/// Red is a status, orange a 429, yellow a broken stream, purple the way there, blue our own side.
fn error(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::None => "green",
        ErrorClass::Status => "red",
        ErrorClass::Stream => "yellow",
        ErrorClass::Parse => "light-red",
        ErrorClass::RateLimit => "orange",
        ErrorClass::Timeout => "purple",
        ErrorClass::Connect => "light-purple",
        ErrorClass::Cancelled => "blue",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grafana::panels, promql::Source};

    #[test]
    fn every_whole_is_on_a_panel() {
        let rows = panels::rows(Source::Scraped);
        let panels = rows.iter().flat_map(|row| &row.panels);
        let legends: Vec<_> = panels
            .flat_map(|panel| &panel.queries)
            .map(|query| &*query.legend)
            .collect();
        for whole in WHOLES {
            assert!(legends.contains(&whole), "{whole}");
        }
    }
}
