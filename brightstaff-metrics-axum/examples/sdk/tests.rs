//! The example with SDKs: both kinds say the same of the same responses.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

#[path = "../../tests/support/told.rs"]
mod told;

use std::net::SocketAddr;

use axum::{Router, body::Bytes, response::IntoResponse, routing::post};
use brightstaff_metrics_axum::Metrics;
use http::StatusCode;
use tokio::net::TcpListener;
use told::told;

use super::{ask, observed_below, told_by_hand, typed};

const EVENTS: &str = r#"data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hel"}}]}

data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}

data: {"object":"chat.completion.chunk","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}

data: [DONE]

"#;

/// A provider that is as well as the prompt wants it.
async fn provider() -> SocketAddr {
    let respond = |body: Bytes| async move {
        let body = String::from_utf8(body.to_vec()).unwrap();
        let head = [("content-type", "text/event-stream")];
        match body {
            body if body.contains("limit") => StatusCode::TOO_MANY_REQUESTS.into_response(),
            body if body.contains("cut") => (head, &EVENTS[..150]).into_response(),
            _ => (head, EVENTS).into_response(),
        }
    };
    let app = Router::new().route("/v1/chat/completions", post(respond));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

const FAMILIES: [&str; 5] = [
    "llm_upstream_in_flight",
    "llm_time_to_first_token_seconds_count",
    "llm_tokens_total",
    "llm_tokens_usage_missing_total",
    "llm_upstream_requests_total",
];

#[tokio::test]
async fn both_kinds_say_the_same() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = provider().await;
    let base = format!("http://{address}/v1");
    for hook in [true, false] {
        let metrics = Metrics::builder().upstreams([("openai", "gpt-4o")]);
        let metrics = metrics.register(&prometheus::Registry::new()).unwrap();
        let upstream = metrics.upstream("openai", "gpt-4o");
        for prompt in ["hello", "limit"] {
            let said = if hook {
                ask(&observed_below(&base, &upstream), "gpt-4o", prompt).await
            } else {
                told_by_hand(&typed::Client::new(&base), &upstream, prompt).await
            };
            match prompt {
                "hello" => assert_eq!(said.unwrap(), "Hello"),
                _ => drop(said.unwrap_err()),
            }
        }
        let nobody = observed_below("http://127.0.0.1:1/v1", &upstream);
        let nobody = if hook {
            ask(&nobody, "gpt-4o", "hello").await
        } else {
            let client = typed::Client::new("http://127.0.0.1:1/v1");
            told_by_hand(&client, &upstream, "hello").await
        };
        drop(nobody.unwrap_err());
        let pair = r#"model="gpt-4o",provider="openai""#;
        let call = |class, status| {
            format!(
                r#"llm_upstream_requests_total{{error_class="{class}",{pair},status_class="{status}"}} 1"#
            )
        };
        assert_eq!(
            told(&metrics, &FAMILIES),
            [
                format!("llm_time_to_first_token_seconds_count{{{pair}}} 1"),
                format!(r#"llm_tokens_total{{kind="completion",{pair}}} 2"#),
                format!(r#"llm_tokens_total{{kind="prompt",{pair}}} 9"#),
                call("connect", "error"),
                call("none", "2xx"),
                call("rate_limit", "4xx"),
            ],
            "with a hook: {hook}"
        );
    }
}

/// What nobody tells by hand, the bytes do: a stream that ends before its protocol does.
#[tokio::test]
async fn below_the_sdk_a_cut_is_seen() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let base = format!("http://{}/v1", provider().await);
    let metrics = Metrics::unregistered();
    let client = observed_below(&base, &metrics.upstream("openai", "gpt-4o"));
    drop(ask(&client, "gpt-4o", "cut").await);
    let calls = told(&metrics, &["llm_upstream_requests_total"]);
    assert_eq!(calls.len(), 1);
    assert!(calls[0].contains(r#"error_class="stream""#), "{calls:?}");
}
