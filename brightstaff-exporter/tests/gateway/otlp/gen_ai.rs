//! The view of generative AI.

use axum::{http::StatusCode, response::Response};

use super::{decoded::Pushed, receiver};
use crate::support::{Serve, Upstream};

/// What is counted for the view alone is counted where it is pushed.
#[tokio::test]
async fn the_view_of_generative_ai_is_pushed() {
    let (provider, receiver) = (Upstream::chat().await, receiver().await);
    let toml = |view: &str| {
        let (provider, receiver) = (&provider.url, &receiver.url);
        format!(
            "[providers.openai]\nurl = '{provider}'\n
             [otlp]\nendpoint = '{receiver}/v1/metrics'\ngen_ai = '{view}'"
        )
    };
    for (n, (view, tokens)) in [("latest", Some(9.0)), ("off", None)]
        .into_iter()
        .enumerate()
    {
        let gateway = Serve::config(&toml(view)).start().await;
        assert_eq!(gateway.chat("m").await.0, 200);
        gateway
            .expect("llm_tokens_total{kind=\"prompt\"}", 9.0)
            .await;
        gateway.signal("TERM");
        assert_eq!(gateway.ended().await, 0);
        let pushed = Pushed::of(&receiver.seen()[n]);
        let chats = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
        ];
        assert_eq!(
            pushed.sum("gen_ai.client.inference.usage.input_tokens", &chats),
            tokens
        );
    }
}

/// A failure shows no API: the gateway knows what its endpoints are for.
#[tokio::test]
async fn what_failed_is_told_by_its_endpoint() {
    let refuses = |_| async {
        let mut response = Response::new("".into());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    };
    let (provider, receiver) = (Upstream::start(refuses).await, receiver().await);
    let (url, endpoint) = (&provider.url, &receiver.url);
    let gateway = Serve::config(&format!(
        "[providers.mistral]\nurl = '{url}'\n
         [otlp]\nendpoint = '{endpoint}/v1/metrics'\ngen_ai = 'latest'"
    ))
    .start()
    .await;
    for path in ["/v1/embeddings", "/v1/completions", "/v1/rerank"] {
        let request = gateway.post(path, r#"{"model":"m","input":"a"}"#);
        assert_eq!(request.send().await.unwrap().status(), 503, "{path}");
    }
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
    let seen = receiver.seen();
    let pushed = Pushed::of(seen.last().unwrap());
    for operation in ["embeddings", "text_completion", "rerank", "chat"] {
        let calls = [
            ("gen_ai.operation.name", operation),
            ("gen_ai.provider.name", "mistral_ai"),
        ];
        let tokens = pushed.sum("gen_ai.client.inference.usage.input_tokens", &calls);
        assert_eq!(tokens, (operation != "chat").then_some(0.0), "{operation}");
    }
}
