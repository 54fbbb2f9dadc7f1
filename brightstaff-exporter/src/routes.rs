use axum::{
    Router,
    extract::OriginalUri,
    http::{
        HeaderName, HeaderValue,
        header::{
            CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    response::{Html, IntoResponse},
    routing::get,
};
use prometheus::Registry;

#[cfg(feature = "page")]
use crate::page::page;
use crate::{limits::Limits, metrics_handler::MetricsHandler};

const INDEX: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>brightstaff metrics</title>
<h1>brightstaff metrics</h1>
<ul>
<li><a href=\"{base}metrics\">metrics</a>, for Prometheus
<li><a href=\"{base}healthz\">healthz</a>
</ul>
</html>
";

/// A page that loads, frames and submits nothing.
const PAGE: [(HeaderName, HeaderValue); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("deny")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

pub(crate) fn router(registry: Registry, limits: Limits, first: First) -> Router {
    let metrics = MetricsHandler::new(registry, limits);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get("ok\n"))
        .route(
            "/",
            match first {
                First::Links => get(index),
                #[cfg(feature = "page")]
                First::Page => get(page),
            },
        )
}

/// What `/` answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum First {
    /// Links to the rest.
    #[cfg_attr(not(feature = "page"), default)]
    Links,
    /// The live page.
    #[cfg(feature = "page")]
    #[default]
    Page,
}

/// The links are relative to the page, which has no `/` at its end where it is nested.
async fn index(OriginalUri(uri): OriginalUri) -> impl IntoResponse {
    let (_, page) = uri.path().rsplit_once('/').unwrap_or_default();
    let base = match page {
        "" => String::new(),
        page => format!("./{}/", escaped(page)),
    };
    (PAGE, Html(INDEX.replace("{base}", &base)))
}

/// Of what may stand in a path, which clients choose where a prefix has parameters.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}
