//! What metrics tell.

use brightstaff_metrics_axum::Metrics;

/// The samples of these families (without `brightstaff_`) that are not 0.
pub(crate) fn told(metrics: &Metrics, families: &[&str]) -> Vec<String> {
    let text = metrics.render();
    let samples = text
        .lines()
        .filter_map(|line| line.strip_prefix("brightstaff_"));
    samples
        .filter(|line| !line.ends_with(" 0"))
        .filter(|line| {
            let family = line.split(['{', ' ']).next().unwrap_or_default();
            families.contains(&family)
        })
        .map(str::to_owned)
        .collect()
}
