use axum::{
    Router,
    extract::State,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use prometheus::{Registry, TextEncoder};
use tower_http::compression::CompressionLayer;

const TEXT_FORMAT: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

const INDEX: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>brightstaff metrics</title>
<h1>brightstaff metrics</h1>
<ul>
<li><a href=\"metrics\">metrics</a>, for Prometheus
<li><a href=\"healthz\">healthz</a>
</ul>
</html>
";

pub(crate) fn router(registry: Registry) -> Router {
    // Other crates' features must not switch on what Prometheus does not ask for.
    let gzip = CompressionLayer::new().no_br().no_deflate().no_zstd();
    Router::new()
        .route("/metrics", get(metrics).layer(gzip))
        .route("/healthz", get("ok\n"))
        .route("/", get(Html(INDEX)))
        .with_state(registry)
}

async fn metrics(State(registry): State<Registry>) -> Response {
    // Gathering clones every series, reads /proc, and runs collectors that are not ours.
    let exposition = tokio::task::spawn_blocking(move || {
        TextEncoder::new().encode_to_string(&registry.gather())
    });
    match exposition.await {
        Ok(Ok(text)) => {
            let headers = [
                (CONTENT_TYPE, TEXT_FORMAT),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, text).into_response()
        }
        Ok(Err(error)) => failed(&format!("the registry cannot be encoded: {error}\n")),
        Err(_) => failed("a collector of the registry panicked\n"),
    }
}

fn failed(fault: &str) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, fault.to_owned()).into_response()
}
