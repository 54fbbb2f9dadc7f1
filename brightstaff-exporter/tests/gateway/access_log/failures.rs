//! What a line says of a request that did not end well.

use std::collections::BTreeSet;

use serde_json::json;

use super::{DELTA, is, lines, logged, only};
use crate::support::{Raw, Serve, Upstream, chat, eventually, post, stream};

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_is_cancelled() {
    let upstream = Upstream::silent().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let client = Raw::sent(&gateway, chat()).await;
    eventually("it is asked", async || !upstream.seen().is_empty()).await;
    drop(client);
    let expected = json!({
        "handler": "llm_chat",
        "provider": "openai",
        "status": null,
        "end": "cancelled",
        "error_class": "cancelled",
        "attempts": 1,
        "headers_ms": null,
        "prompt_tokens": null,
        "bytes": 0,
    });
    is(&only(&gateway).await, &expected);
}

#[tokio::test]
async fn a_client_that_leaves_within_the_body_is_cancelled() {
    let upstream = Upstream::start(|_| async {
        let (chunks, response) = stream();
        chunks.send(DELTA.into()).unwrap();
        // The stream goes on for as long as the sender lives.
        std::mem::forget(chunks);
        response
    })
    .await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let mut client = Raw::sent(&gateway, chat()).await;
    client.until("\n\n").await;
    drop(client);
    let expected = json!({
        "status": 200,
        "end": "cancelled",
        "error_class": "cancelled",
        "attempts": 1,
        "completion_tokens": null,
        "bytes": DELTA.len(),
    });
    let line = only(&gateway).await;
    is(&line, &expected);
    assert!(line["ttft_ms"].is_f64(), "{line}");
}

#[tokio::test]
async fn failures_are_told_as_they_were() {
    let failing = Upstream::json(500, r#"{"error":{"message":"no"}}"#).await;
    let nobody = Upstream::nobody().await;
    let serve = Serve::upstreams(&[("failing", &failing.url), ("nobody", &nobody)]);
    let gateway = logged(serve).start().await;
    assert_eq!(gateway.chat("failing/m").await.0, 500);
    assert_eq!(gateway.chat("nobody/m").await.0, 502);
    assert_eq!(
        gateway.get("/nothing/here?key=sk-secret").await.status(),
        404
    );
    let head = gateway.client.head(format!("{}/v1/models", gateway.url));
    assert_eq!(head.send().await.unwrap().status(), 200);
    assert_eq!(gateway.chat("unknown").await.0, 400);
    eventually("all are told", async || lines(&gateway).len() == 5).await;
    let told = lines(&gateway);
    let none = json!({ "provider": null, "model": null, "error_class": null, "attempts": 0 });
    let expected = [
        json!({
            "handler": "llm_chat", "provider": "failing", "model": "other", "requested_model": "failing/m",
            "status": 500, "end": "complete", "refusal": null, "error_class": "status", "attempts": 1,
        }),
        json!({
            "handler": "llm_chat", "provider": "nobody", "model": "other", "requested_model": "nobody/m",
            "status": 502, "end": "complete", "refusal": "upstream_unreachable", "error_class": "connect", "attempts": 1,
        }),
        json!({
            "method": "GET", "path": "/nothing/here", "handler": "not_found", "status": 404, "end": "complete",
        }),
        json!({ "method": "HEAD", "path": "/v1/models", "status": 200, "end": "complete", "bytes": 0 }),
        json!({ "status": 400, "requested_model": "unknown", "end": "complete" }),
    ];
    for (line, expected) in told.iter().zip(&expected) {
        is(line, expected);
    }
    for line in &told[2..] {
        is(line, &none);
    }
    let ids: BTreeSet<_> = told
        .iter()
        .map(|line| line["request_id"].as_str())
        .collect();
    assert_eq!(ids.len(), 5);
    assert!(!gateway.output().contains("sk-secret"));
}

#[tokio::test]
async fn what_is_refused_before_it_is_read_has_its_line() {
    let upstream = Upstream::chat().await;
    let config = format!(
        "max_request_bytes = 100\n[providers.p]\nurl = '{}'",
        upstream.url
    );
    let gateway = logged(Serve::config(&config)).start().await;
    let long = Raw::sent(&gateway, post("content-length: 101")).await;
    assert!(long.rest().await.starts_with("HTTP/1.1 413 "));
    let expected = json!({
        "handler": "llm_chat", "status": 413, "end": "complete", "refusal": "request_too_large", "attempts": 0, "error_class": null,
    });
    is(&only(&gateway).await, &expected);

    // Nothing is known of a request that is none.
    let malformed = Raw::sent(&gateway, "GET / HTTP/1.1\r\nbad header\r\n\r\n").await;
    assert!(malformed.rest().await.starts_with("HTTP/1.1 400 "));
    eventually("it is told", async || lines(&gateway).len() == 2).await;
    let expected = json!({
        "request_id": null, "method": "OTHER", "path": null, "handler": "malformed", "status": 400,
        "end": "complete",
    });
    is(&lines(&gateway)[1], &expected);
    assert_eq!(upstream.seen().len(), 0);
}
