//! The same small gateway, bare and with middleware, for the bench and the count of allocations.

use brightstaff_metrics_actix::{Metrics, MetricsMiddleware};

#[path = "app.rs"]
mod app;

pub(crate) use app::{Floor, PATHS, Send, app, send};

/// The gateways to compare: bare, with a middleware by hand, measured, and with implicit calls measured as well.
pub(crate) fn apps() -> Vec<(&'static str, Send)> {
    // Each has its own, as gateways have: what one of them wants of its requests is no business of the others.
    let middleware = || {
        // The reading of the process does not run under valgrind, which counts instructions.
        let metrics = Metrics::builder().process(false);
        let registry = prometheus::Registry::new();
        MetricsMiddleware::new(metrics.register(&registry).unwrap())
    };
    vec![
        ("bare", send(app())),
        ("floor", send(app().wrap(Floor))),
        ("metrics", send(app().wrap(middleware()))),
        (
            "metrics, innermost",
            send(app().wrap(middleware().innermost())),
        ),
        (
            "metrics and implicit calls",
            send(app().wrap(middleware().implicit("openai"))),
        ),
    ]
}
