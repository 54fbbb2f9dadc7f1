//! What is in flight, and handlers that look.

use brightstaff_metrics_actix::Metrics;

/// The handlers of the requests that are in flight.
pub(crate) fn in_flight(metrics: &Metrics) -> Vec<String> {
    let text = metrics.render();
    let lines = text.lines().filter(|line| !line.ends_with(" 0"));
    let gauges = lines
        .filter_map(|line| line.strip_prefix("brightstaff_http_in_flight_requests{handler=\""));
    gauges.map(|line| line.replace("\"}", "")).collect()
}

/// What was in flight while the handler ran.
pub(crate) fn looks(
    metrics: &Metrics,
) -> impl Fn() -> std::future::Ready<String> + Clone + 'static {
    let metrics = metrics.clone();
    move || std::future::ready(in_flight(&metrics).join(", "))
}
