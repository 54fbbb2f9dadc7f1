//! Who owns series.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use axum::{Json, http::StatusCode, response::IntoResponse};
use serde_json::json;

use crate::support::{Serve, Upstream, eventually};

/// A provider that takes any model for its own.
async fn obliging() -> Upstream {
    Upstream::start(async |_| Json(json!({ "object": "chat.completion" })).into_response()).await
}

const REQUESTS: &str = "llm_upstream_requests_total";

#[tokio::test]
async fn only_configured_pairs_own_series() {
    let upstream = obliging().await;
    let config = format!("[providers.p]\nurl = '{}'\nmodels = ['m']", upstream.url);
    let gateway = Serve::config(&config).start().await;
    for model in ["m", "p/stranger"] {
        assert_eq!(gateway.ask(gateway.chat_request(model)).await.0, 200);
    }
    let of = |pair: &str| format!("{REQUESTS}{{{pair}}}");
    gateway.expect(&of(r#"provider="p",model="m""#), 1.0).await;
    gateway
        .expect(&of(r#"provider="other",model="other""#), 1.0)
        .await;
}

/// What the warning at the start says: it is there, it is true, and it spares who lists models.
#[tokio::test]
async fn models_that_never_answered_are_other_and_warned_of() {
    let answered = Arc::new(AtomicBool::new(false));
    let upstream = Upstream::start(move |_| {
        let status = if answered.swap(true, Relaxed) {
            200
        } else {
            500
        };
        async move { StatusCode::from_u16(status).unwrap().into_response() }
    })
    .await;
    let config = format!(
        "[providers.listed]\nurl = '{0}'\nmodels = ['m']\n[providers.open]\nurl = '{0}'",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    eventually("a warning", async || gateway.log().contains("WARN")).await;
    let log = gateway.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    let warning = "upstream open lists no models: until a model that the configuration does not name has answered \
                   a call with success, its calls are recorded as provider=\"other\", model=\"other\"; \
                   to name its models, write models = [...] below [providers.open] in the file of --config";
    assert!(
        warnings.len() == 1 && warnings[0].ends_with(warning),
        "{log}"
    );

    for status in [500, 200] {
        assert_eq!(gateway.ask(gateway.chat_request("open/m")).await.0, status);
    }
    for (pair, class) in [
        (r#"provider="other",model="other""#, "5xx"),
        (r#"provider="open",model="m""#, "2xx"),
    ] {
        let series = format!(r#"{REQUESTS}{{{pair},status_class="{class}"}}"#);
        gateway.expect(&series, 1.0).await;
    }
}

#[tokio::test]
async fn models_that_no_list_names_earn_series() {
    let upstream = obliging().await;
    let config = format!("[providers.p]\nurl = '{}'", upstream.url);
    let gateway = Serve::config(&config).start().await;
    assert_eq!(gateway.ask(gateway.chat_request("m")).await.0, 200);
    let series = format!(r#"{REQUESTS}{{provider="p",model="m"}}"#);
    gateway.expect(&series, 1.0).await;
}
