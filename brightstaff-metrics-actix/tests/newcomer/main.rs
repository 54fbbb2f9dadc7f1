//! A service as the docs tell to write it, with much of what actix has: every number of its exposition is what happened.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod client;
mod provider;
mod service;

use std::{sync::mpsc, time::Duration};

use client::Client;
use expect_test::expect;
use provider::provider;
use service::{Gateway, serve};

/// Long enough for any machine; never waited for where all is well.
const PATIENCE: Duration = Duration::from_secs(30);

#[actix_web::test]
async fn every_number_is_what_happened() {
    let (go, told) = mpsc::channel();
    let gateway = Gateway::new(provider(told));
    let static_files = tempfile::tempdir().unwrap();
    std::fs::write(static_files.path().join("a.txt"), "static").unwrap();
    let (address, handle) = serve(gateway, static_files.path().to_str().unwrap().to_owned());
    let client = Client::new(address);

    for (script, status) in [
        ("plain", 200),
        ("plain", 200),
        ("limited", 429),
        ("gone", 502),
        ("hung", 504),
    ] {
        assert_eq!(client.chat(script).await.status(), status, "{script}");
    }
    // Two streams: the provider goes on once the first chunk was read.
    for _ in 0..2 {
        let mut answer = client.chat("stream").await;
        assert!(answer.chunk().await.unwrap().is_some());
        go.send(()).unwrap();
        while answer.chunk().await.unwrap().is_some() {}
    }
    // One that breaks off, and one whose reader does.
    let mut broken = client.chat("broken").await;
    while let Ok(Some(_)) = broken.chunk().await {}
    let mut left = client.chat("left").await;
    assert!(left.chunk().await.unwrap().is_some());
    drop(left);

    for (path, tenant, status, body) in [
        ("/api/items/17", Some("red"), 200, "a tenant's"),
        ("/api/items/17", None, 200, "a guest's"),
        ("/api/items/18", Some("red"), 200, "a tenant's"),
        ("/api/items/18", None, 200, "a guest's"),
        ("/api/nothing", None, 404, "a page"),
        ("/static/a.txt", None, 200, "static"),
        ("/static/b.txt", None, 404, "a page"),
        ("/wp-admin/index.php", None, 404, "a page"),
    ] {
        assert_eq!(client.get(path, tenant).await, (status, body.to_owned()));
    }
    let big = client
        .0
        .get(client.url("/big"))
        .header("accept-encoding", "gzip");
    let big = big.send().await.unwrap();
    assert_eq!(big.headers()["content-encoding"], "gzip");
    assert!(big.bytes().await.unwrap().len() < 5_000);
    client.web_socket().await;

    let exposition = client.exposition_after_all().await;
    handle.stop(false).await;
    let numbers = numbers(&exposition);
    expect![[r#"
        build_info{git_sha="abc123",version="1.4.0"} 1
        http_request_duration_seconds_count{handler="/api/items/{id}"} 2
        http_request_duration_seconds_count{handler="/api/items/{item}"} 2
        http_request_duration_seconds_count{handler="/big"} 1
        http_request_duration_seconds_count{handler="/static"} 2
        http_request_duration_seconds_count{handler="/ws"} 1
        http_request_duration_seconds_count{handler="llm_chat"} 9
        http_request_duration_seconds_count{handler="not_found"} 2
        http_requests_cancelled_total{handler="llm_chat",phase="body"} 1
        http_requests_interrupted_total{handler="llm_chat",reason="error"} 1
        http_requests_total{handler="/api/items/{id}",method="GET",status_class="2xx"} 2
        http_requests_total{handler="/api/items/{item}",method="GET",status_class="2xx"} 2
        http_requests_total{handler="/big",method="GET",status_class="2xx"} 1
        http_requests_total{handler="/static",method="GET",status_class="2xx"} 1
        http_requests_total{handler="/static",method="GET",status_class="4xx"} 1
        http_requests_total{handler="/ws",method="GET",status_class="1xx"} 1
        http_requests_total{handler="llm_chat",method="POST",status_class="2xx"} 6
        http_requests_total{handler="llm_chat",method="POST",status_class="4xx"} 1
        http_requests_total{handler="llm_chat",method="POST",status_class="5xx"} 2
        http_requests_total{handler="not_found",method="GET",status_class="4xx"} 2
        http_time_to_headers_seconds_count{handler="/api/items/{id}"} 2
        http_time_to_headers_seconds_count{handler="/api/items/{item}"} 2
        http_time_to_headers_seconds_count{handler="/big"} 1
        http_time_to_headers_seconds_count{handler="/static"} 2
        http_time_to_headers_seconds_count{handler="/ws"} 1
        http_time_to_headers_seconds_count{handler="llm_chat"} 9
        http_time_to_headers_seconds_count{handler="not_found"} 2
        llm_request_tokens_count{kind="completion",model="gpt-4o",provider="openai"} 4
        llm_request_tokens_count{kind="prompt",model="gpt-4o",provider="openai"} 4
        llm_request_tokens_sum{kind="completion",model="gpt-4o",provider="openai"} 34
        llm_request_tokens_sum{kind="prompt",model="gpt-4o",provider="openai"} 58
        llm_time_per_output_token_seconds_count{model="gpt-4o",provider="openai"} 2
        llm_time_to_first_byte_seconds_count{model="gpt-4o",provider="openai"} 4
        llm_time_to_first_token_seconds_count{model="gpt-4o",provider="openai"} 4
        llm_tokens_total{kind="completion",model="gpt-4o",provider="openai"} 34
        llm_tokens_total{kind="prompt",model="gpt-4o",provider="openai"} 58
        llm_tokens_usage_missing_total{model="gpt-4o",provider="openai",reason="interrupted"} 2
        llm_upstream_duration_seconds_count{model="gpt-4o",outcome="error",provider="openai"} 5
        llm_upstream_duration_seconds_count{model="gpt-4o",outcome="ok",provider="openai"} 4
        llm_upstream_requests_total{error_class="cancelled",model="gpt-4o",provider="openai",status_class="2xx"} 1
        llm_upstream_requests_total{error_class="connect",model="gpt-4o",provider="openai",status_class="error"} 1
        llm_upstream_requests_total{error_class="none",model="gpt-4o",provider="openai",status_class="2xx"} 4
        llm_upstream_requests_total{error_class="rate_limit",model="gpt-4o",provider="openai",status_class="4xx"} 1
        llm_upstream_requests_total{error_class="stream",model="gpt-4o",provider="openai",status_class="2xx"} 1
        llm_upstream_requests_total{error_class="timeout",model="gpt-4o",provider="openai",status_class="error"} 1
    "#]]
    .assert_eq(&numbers);
}

/// All samples that are not 0, but those that depend on time, which are looked at by themselves.
fn numbers(exposition: &str) -> String {
    let mut numbers = Vec::new();
    let mut last_bucket = 0.0;
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        let name = series.split('{').next().unwrap();
        assert!(value.is_finite() && value >= 0.0, "{line}");
        if name.starts_with("process_") {
            continue;
        }
        if name.ends_with("_bucket") {
            assert!(value >= last_bucket, "{line}");
            last_bucket = value;
            continue;
        }
        if name.ends_with("_count") {
            assert_eq!(value, last_bucket, "{line}");
            last_bucket = 0.0;
        }
        if value > 0.0 && !name.ends_with("_seconds_sum") {
            let name = line.strip_prefix("brightstaff_").unwrap_or(line);
            numbers.push(format!("{name}\n"));
        }
    }
    numbers.sort();
    numbers.concat()
}
