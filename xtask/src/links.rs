//! Where the documents are, for links out of dashboards and alerts.

/// What their addresses begin with.
pub(crate) const DOCUMENTS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main");

/// A section of the monitoring page, or the page.
pub(crate) fn monitoring(anchor: &str) -> String {
    let hash = if anchor.is_empty() { "" } else { "#" };
    format!("{DOCUMENTS}/docs/monitoring.md{hash}{anchor}")
}

/// The page of every family.
pub(crate) fn metrics() -> String {
    format!("{DOCUMENTS}/METRICS.md")
}

/// What a heading is called in a link, as GitHub makes it.
pub(crate) fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}
