//! Usage that is asked for, hidden, and read.

mod bodies;
mod warnings;

use axum::{body::Body, response::Response};
use serde_json::json;

use crate::support::{Exchange, Gateway, Serve, Upstream};

/// One that answers every stream with this body, `«` and `»` around what is only there where usage was asked for.
async fn provider(body: &'static str, head: &'static [(&'static str, &'static str)]) -> Upstream {
    Upstream::start(move |exchange: Exchange| {
        let asked = exchange.json()["stream_options"]["include_usage"] == true;
        let mut response = Response::builder().header("content-type", "text/event-stream");
        for (name, value) in head {
            response = response.header(*name, *value);
        }
        std::future::ready(response.body(Body::from(stream_of(body, asked))).unwrap())
    })
    .await
}

fn stream_of(body: &str, asked: bool) -> String {
    let parts = body.split(['«', '»']).enumerate();
    let parts = parts.filter(|(n, _)| asked || n % 2 == 0);
    parts.map(|(_, part)| part).collect()
}

/// As OpenAI writes it.
const BODY: &str = r#"data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]«,"usage":null»,"obfuscation":"a"}

data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]«,"usage":null»,"obfuscation":"ab"}

data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]«,"usage":null»,"obfuscation":"abc"}

«data: {"object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12},"obfuscation":""}

»data: [DONE]

"#;

const STREAM: &str = r#"{"model":"p/m","stream":true}"#;
const ASKED: &str = r#"{"model":"p/m","stream":true,"stream_options":{"include_usage":true}}"#;
const DECLINED: &str = r#"{"model":"p/m","stream":true,"stream_options":{"include_usage":false}}"#;
const CHAT: &str = "/v1/chat/completions";

const COMPLETION: &str = r#"llm_tokens_total{kind="completion",model="m",provider="p"}"#;
const NOT_REPORTED: &str = r#"llm_tokens_usage_missing_total{reason="not_reported"}"#;

async fn text(gateway: &Gateway, path: &str, body: &'static str) -> String {
    let response = gateway.post(path, body).send().await.unwrap();
    response.text().await.unwrap()
}

#[tokio::test]
async fn by_default_usage_is_counted_and_not_seen() {
    let upstream = provider(BODY, &[]).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    assert_eq!(text(&gateway, CHAT, STREAM).await, stream_of(BODY, false));
    assert_eq!(
        upstream.only().json(),
        json!({ "model": "m", "stream": true, "stream_options": { "include_usage": true } })
    );
    gateway.expect(COMPLETION, 12.0).await;

    // Who chose gets what they chose.
    assert_eq!(text(&gateway, CHAT, ASKED).await, stream_of(BODY, true));
    gateway.expect(COMPLETION, 24.0).await;
    assert_eq!(text(&gateway, CHAT, DECLINED).await, stream_of(BODY, false));
    let sent = upstream.seen().pop().unwrap().json();
    assert_eq!(sent["stream_options"]["include_usage"], false);
    gateway.expect(NOT_REPORTED, 1.0).await;
    gateway
        .expect("llm_time_to_first_token_seconds_count", 3.0)
        .await;
    gateway
        .logged("clients that leave it out are counted")
        .await;

    // So it is with legacy completions. The other endpoints, and what is not streamed, tell usage by themselves.
    let legacy = text(&gateway, "/v1/completions", STREAM).await;
    assert_eq!(legacy, stream_of(BODY, false));
    let seen = upstream.seen().len();
    text(&gateway, "/v1/responses", STREAM).await;
    text(&gateway, CHAT, r#"{"model":"m"}"#).await;
    for exchange in &upstream.seen()[seen..] {
        assert_eq!(exchange.json().get("stream_options"), None);
    }
}

#[tokio::test]
async fn usage_is_shown_or_not_asked_for_where_that_is_configured() {
    let upstream = provider(BODY, &[]).await;
    let url = &upstream.url;
    let shown = format!("[providers.p]\nurl = '{url}'\ninclude_usage = 'shown'");
    let off = format!("include_usage = 'off'\n[providers.p]\nurl = '{url}'");
    let by_itself = format!("[providers.p]\nurl = '{url}'\napi = 'mistral'");
    let upstreams = || Serve::upstreams(&[("p", url)]).arg("--include-usage");
    for (serve, asks, sees) in [
        (Serve::config(&shown), true, true),
        (Serve::config(&off), false, false),
        (Serve::config(&by_itself), false, false),
        (upstreams().arg("shown"), true, true),
        (upstreams().arg("off"), false, false),
        (
            Serve::config(&off).arg("--include-usage").arg("hidden"),
            true,
            false,
        ),
        (
            Serve::config(&shown).arg("--include-usage").arg("off"),
            true,
            true,
        ),
    ] {
        let gateway = serve.start().await;
        assert_eq!(text(&gateway, CHAT, STREAM).await, stream_of(BODY, sees));
        let sent = upstream.seen().pop().unwrap();
        assert_eq!(sent.json().get("stream_options").is_some(), asks);
        gateway
            .expect(NOT_REPORTED, f64::from(u8::from(!asks)))
            .await;
        gateway
            .expect(COMPLETION, if asks { 12.0 } else { 0.0 })
            .await;
    }
}

#[tokio::test]
async fn every_path_is_asked_whose_streams_tell_their_usage_only_then() {
    let upstream = provider(BODY, &[]).await;
    for (api, path, asks) in [
        ("openai", "/p/v1/chat/completions", true),
        ("openai", "/p/completions", true),
        ("openai", "/chat/completions/", true),
        (
            "azure",
            "/openai/deployments/d/chat/completions?api-version=1",
            true,
        ),
        ("azure", "/p/openai/deployments/d/completions", true),
        ("azure", "/p/openai/v1/chat/completions", true),
        ("ollama", "/v1/chat/completions", true),
        ("ollama", "/p/api/chat", false),
        ("gemini", "/p/v1beta/openai/chat/completions", false),
        ("mistral", "/v1/chat/completions", false),
        ("openai", "/v1/responses", false),
    ] {
        let config = format!("[providers.p]\nurl = '{}'\napi = '{api}'", upstream.url);
        let gateway = Serve::config(&config).start().await;
        let body = r#"{"model":"m","stream":true}"#;
        assert_eq!(text(&gateway, path, body).await, stream_of(BODY, false));
        let sent = upstream.seen().pop().unwrap().json();
        let options = asks.then(|| json!({ "include_usage": true }));
        assert_eq!(sent.get("stream_options"), options.as_ref(), "{path}");
        // In a path it is the deployment that counts, and the body stays as it is.
        assert_eq!(sent["model"], "m");
        gateway
            .expect("llm_tokens_total", if asks { 21.0 } else { 0.0 })
            .await;
        if path.contains("/deployments/") {
            let series = r#"llm_tokens_total{model="d",provider="p"}"#;
            gateway.expect(series, 21.0).await;
        }
    }
}
