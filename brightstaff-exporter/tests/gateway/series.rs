//! Who owns series.

use axum::{Json, response::IntoResponse};
use serde_json::json;

use crate::support::{Serve, Upstream};

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

#[tokio::test]
async fn models_that_no_list_names_earn_series() {
    let upstream = obliging().await;
    let config = format!("[providers.p]\nurl = '{}'", upstream.url);
    let gateway = Serve::config(&config).start().await;
    assert_eq!(gateway.ask(gateway.chat_request("m")).await.0, 200);
    let series = format!(r#"{REQUESTS}{{provider="p",model="m"}}"#);
    gateway.expect(&series, 1.0).await;
}
