//! Traces as exemplars, and what else `[metrics]` has series tell.

use axum::{Json, http::StatusCode, response::IntoResponse};
use serde_json::json;

use crate::support::{Gateway, Serve, Upstream, eventually};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// Has no room on the model `m`, and answers on any other.
async fn upstream() -> Upstream {
    Upstream::start(async |asked| match asked.json()["model"] == "m" {
        true => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        false => Json(json!({ "object": "chat.completion" })).into_response(),
    })
    .await
}

/// The exposition in OpenMetrics.
async fn open(gateway: &Gateway) -> String {
    let scrape = gateway.client.get(&gateway.metrics);
    let scrape = scrape.header("accept", "application/openmetrics-text; version=1.0.0");
    scrape.send().await.unwrap().text().await.unwrap()
}

/// Whose buckets show an exemplar, each once, in the order of the exposition.
fn shown(text: &str) -> Vec<&str> {
    let exemplar = format!(r#" # {{trace_id="{TRACE}",span_id="{SPAN}"}} "#);
    let lines = text.lines().filter(|line| line.contains(&exemplar));
    let series = lines.map(|line| line.split(",le=").next().unwrap());
    series.collect()
}

#[tokio::test]
async fn a_trace_is_shown_at_its_request_and_at_each_of_its_calls() {
    let upstream = upstream().await;
    let config = format!(
        "[providers.p]\nurl = '{}'\nmodels = ['m', 'n']\n[routes.r]\ncandidates = ['p/m', 'p/n']",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    assert_eq!(gateway.ask(gateway.chat_request("r")).await.0, 200);
    let not_sampled = format!("00-{TRACE}-{SPAN}-00");
    let request = gateway.chat_request("r");
    let request = request.header("traceparent", not_sampled);
    assert_eq!(gateway.ask(request).await.0, 200);
    gateway
        .expect("http_request_duration_seconds_count", 2.0)
        .await;
    assert!(!open(&gateway).await.contains("trace_id"));

    let request = gateway.chat_request("r");
    let request = request.header("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    assert_eq!(gateway.ask(request).await.0, 200);
    let expected = [
        r#"brightstaff_http_request_duration_seconds_bucket{handler="llm_chat""#,
        r#"brightstaff_llm_upstream_duration_seconds_bucket{model="m",outcome="error",provider="p""#,
        r#"brightstaff_llm_upstream_duration_seconds_bucket{model="n",outcome="ok",provider="p""#,
    ];
    eventually("the exemplars", async || {
        let text = open(&gateway).await;
        let mut shown = shown(&text);
        shown.sort_unstable();
        shown == expected
    })
    .await;
    // The upstream is told of the trace, too.
    let asked = upstream.seen();
    assert!(asked.last().unwrap().header("traceparent").is_some());
    // The other text format cannot say it.
    let text = gateway.client.get(&gateway.metrics).send().await.unwrap();
    assert!(!text.text().await.unwrap().contains("trace_id"));
}

#[tokio::test]
async fn series_tell_when_they_began_if_they_are_to() {
    for (metrics, created) in [("", false), ("[metrics]\ncreated_samples = true\n", true)] {
        let config = format!("{metrics}[providers.p]\nurl = 'http://127.0.0.1:1'\nmodels = ['m']");
        let gateway = Serve::config(&config).start().await;
        let text = open(&gateway).await;
        let series = r#"brightstaff_llm_tokens_created{kind="prompt",model="m",provider="p"} 1"#;
        assert_eq!(text.contains(series), created, "{text}");
    }
}
