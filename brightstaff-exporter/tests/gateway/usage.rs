//! Usage that is asked for, and read.

use std::io::Write;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use serde_json::json;

use crate::support::{Exchange, Serve, Upstream, stream};

/// A provider that reports usage on streams only when asked.
async fn streaming() -> Upstream {
    Upstream::start(async |exchange: Exchange| {
        let (chunks, response) = stream();
        let send = |event: serde_json::Value| {
            chunks.send(format!("data: {event}\n\n").into()).unwrap();
        };
        let chunk = |delta: serde_json::Value, finish: Option<&str>| {
            json!({ "object": "chat.completion.chunk", "model": "m",
                    "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
        };
        send(chunk(json!({ "role": "assistant" }), None));
        send(chunk(json!({ "content": "hello" }), None));
        send(chunk(json!({}), Some("stop")));
        if exchange.json()["stream_options"]["include_usage"] == true {
            let usage = json!({ "prompt_tokens": 9, "completion_tokens": 12 });
            send(json!({ "object": "chat.completion.chunk", "model": "m",
                         "choices": [], "usage": usage }));
        }
        chunks.send("data: [DONE]\n\n".into()).unwrap();
        response
    })
    .await
}

const STREAM: &str = r#"{"model":"p/m","stream":true}"#;
const NOT_ASKED: &str = r#"{"model":"p/m","stream":true,"stream_options":{"include_usage":false}}"#;

#[tokio::test]
async fn usage_is_asked_for_where_configured_and_not_chosen() {
    let upstream = streaming().await;
    let config = format!(
        "[providers.p]\nurl = '{}'\ninclude_usage = true",
        upstream.url
    );
    let gateway = Serve::config(&config).start().await;
    let answer = gateway
        .post("/v1/chat/completions", STREAM)
        .send()
        .await
        .unwrap();
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("\"completion_tokens\":12")
    );
    let sent = upstream.only().json();
    assert_eq!(
        sent,
        json!({ "model": "m", "stream": true, "stream_options": { "include_usage": true } })
    );
    gateway
        .expect(
            r#"llm_tokens_total{kind="completion",model="m",provider="p"}"#,
            12.0,
        )
        .await;

    let answer = gateway
        .post("/v1/chat/completions", NOT_ASKED)
        .send()
        .await
        .unwrap();
    assert!(!answer.text().await.unwrap().contains("completion_tokens"));
    gateway
        .expect(
            r#"llm_tokens_usage_missing_total{reason="not_reported"}"#,
            1.0,
        )
        .await;

    // The other endpoints, and answers that are not streamed report usage by themselves, or cannot.
    gateway
        .post("/v1/completions", STREAM)
        .send()
        .await
        .unwrap();
    let legacy = upstream.seen().pop().unwrap();
    assert_eq!(legacy.json()["stream_options"]["include_usage"], true);
    gateway.post("/v1/responses", STREAM).send().await.unwrap();
    gateway
        .post("/v1/chat/completions", r#"{"model":"m"}"#)
        .send()
        .await
        .unwrap();
    for exchange in &upstream.seen()[3..] {
        assert_eq!(exchange.json().get("stream_options"), None);
    }
}

#[tokio::test]
async fn usage_is_not_asked_for_by_default() {
    let upstream = streaming().await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let answer = gateway
        .post("/v1/chat/completions", STREAM)
        .send()
        .await
        .unwrap();
    assert!(!answer.text().await.unwrap().contains("completion_tokens"));
    assert_eq!(upstream.only().body, r#"{"model":"m","stream":true}"#);
    gateway
        .expect(
            r#"llm_tokens_usage_missing_total{reason="not_reported"}"#,
            1.0,
        )
        .await;
    gateway
        .expect("llm_time_to_first_token_seconds_count", 1.0)
        .await;
}

#[tokio::test]
async fn compressed_answers_pass_as_they_are_and_are_read() {
    let plain = r#"{"object":"chat.completion","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain.as_bytes()).unwrap();
    let packed = Bytes::from(encoder.finish().unwrap());
    let sent = packed.clone();
    let upstream = Upstream::start(move |_| {
        let sent = sent.clone();
        async move {
            Response::builder()
                .header("content-type", "application/json")
                .header("content-encoding", "gzip")
                .body(Body::from(sent))
                .unwrap()
        }
    })
    .await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let request = gateway.chat_request("m").header("accept-encoding", "gzip");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.bytes().await.unwrap(), packed);
    assert_eq!(upstream.only().header("accept-encoding"), Some("gzip"));
    gateway
        .expect(r#"llm_tokens_total{kind="prompt"}"#, 9.0)
        .await;
}
