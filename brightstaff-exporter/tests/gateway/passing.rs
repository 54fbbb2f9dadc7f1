//! What passes: what is allowed, uploads as they come, and pages that are their providers' to judge.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::{Gateway, Serve, Upstream, eventually};

fn request(gateway: &Gateway, method: &str, path: &str) -> RequestBuilder {
    let method: Method = method.parse().unwrap();
    let url = format!("{}{path}", gateway.url);
    let request = gateway.client.request(method.clone(), url);
    if method == Method::POST {
        let body = json!({ "model": "m", "messages": [] });
        return request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    request
}

#[tokio::test]
async fn the_operators_key_opens_what_models_do_and_what_is_allowed() {
    let upstream = Upstream::chat().await;
    let config = format!(
        "[providers.openai]\nurl = '{}'\napi_key_env = 'TEST_P'\nallow = ['GET /v1/files/*', '* /v1/threads/*']",
        upstream.url
    );
    let gateway = Serve::config(&config)
        .env("TEST_P", "sk-ours")
        .start()
        .await;
    for (method, path, status) in [
        ("POST", "/v1/chat/completions", 200),
        ("POST", "/openai/responses", 200),
        ("GET", "/v1/models", 200),
        ("GET", "/v1/models/m", 200),
        ("GET", "/v1/files/f/content", 200),
        ("GET", "/openai/files/f", 200),
        ("DELETE", "/openai/v1/threads/t", 200),
        ("GET", "/v1/chat/completions", 403),
        ("DELETE", "/v1/models/m", 403),
        ("DELETE", "/v1/files/f", 403),
        ("GET", "/v1/responses/r", 403),
        ("GET", "/v1/organization/users", 403),
        ("GET", "/openai/v1/batches", 403),
        ("POST", "/openai/new/thing", 403),
        ("GET", "/openai/v1/files/..%2forganization", 400),
    ] {
        let answer = request(&gateway, method, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        if status == 403 {
            let told = answer.text().await.unwrap();
            assert!(told.contains("to providers.openai.allow"), "{told}");
        }
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 7);
    assert!(
        seen.iter()
            .all(|seen| seen.header("authorization") == Some("Bearer sk-ours"))
    );
}

#[tokio::test]
async fn an_upload_passes_while_it_comes() {
    let upstream = Upstream::json(200, r#"{"text":"hello","usage":{"type":"tokens","input_tokens":3,"output_tokens":4,"total_tokens":7}}"#).await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url), ("another", &upstream.url)])
        .start()
        .await;
    let form = |model: &str, before: bool| {
        let field =
            format!("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n");
        let file = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{}\r\n",
            "x".repeat(40 << 20)
        );
        let parts = if before { [field, file] } else { [file, field] };
        parts.concat() + "--b--\r\n"
    };
    for (path, model, before) in [
        ("/v1/audio/transcriptions", "openai/whisper", true),
        ("/openai/v1/audio/transcriptions", "whisper", true),
        // Too far behind to be waited for.
        ("/openai/v1/audio/transcriptions", "whisper", false),
    ] {
        let request = gateway
            .client
            .post(format!("{}{path}", gateway.url))
            .header("content-type", "multipart/form-data; boundary=b")
            .body(form(model, before));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(seen.target, "/v1/audio/transcriptions");
        assert!(seen.body == form("whisper", before), "{path}: another body");
        let length = seen.header("content-length").unwrap().parse::<usize>();
        assert_eq!(length.unwrap(), seen.body.len());
    }
    for (model, calls) in [("whisper", 2.0), ("unknown", 1.0)] {
        let series = format!(
            r#"llm_upstream_requests_total{{provider="openai",model="{model}",status_class="2xx"}}"#
        );
        gateway.expect(&series, calls).await;
    }
    // Files are nothing that models do, so that nobody waits for them here.
    let long = "x".repeat(40 << 20);
    let request = gateway
        .client
        .post(format!("{}/openai/v1/files", gateway.url));
    assert_eq!(
        request.body(long.clone()).send().await.unwrap().status(),
        200
    );
    assert!(upstream.seen().pop().unwrap().body == long);
}

#[tokio::test]
async fn a_page_with_credentials_of_its_own_is_its_providers_to_judge() {
    let upstream = Upstream::start(|_| async {
        axum::response::Response::builder()
            .header("access-control-allow-origin", "https://app.example.com")
            .body("{}".into())
            .unwrap()
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let chat = || {
        request(&gateway, "POST", "/v1/chat/completions")
            .header("origin", "https://app.example.com")
    };
    let preflight = gateway
        .client
        .request(
            Method::OPTIONS,
            format!("{}/v1/chat/completions", gateway.url),
        )
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST");
    for request in [preflight, chat().bearer_auth("sk-of-the-page")] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let allowed = &answer.headers()["access-control-allow-origin"];
        assert_eq!(allowed, "https://app.example.com");
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(seen.header("origin"), Some("https://app.example.com"));
    }
    assert_eq!(chat().send().await.unwrap().status(), 403);
    let cookie = chat().header("cookie", "a=b");
    assert_eq!(cookie.send().await.unwrap().status(), 403);
    assert_eq!(upstream.seen().len(), 2);
    gateway.expect("llm_upstream_requests_total", 1.0).await;
}

#[tokio::test]
async fn a_client_that_leaves_its_upload_cancels_its_call() {
    let upstream = Upstream::silent().await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<bytes::Bytes>();
    let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(chunk), receiver))
    });
    sender
        .send("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nw\r\n--b\r\n".into())
        .unwrap();
    let request = gateway
        .client
        .post(format!("{}/v1/audio/transcriptions", gateway.url))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(reqwest::Body::wrap_stream(Box::pin(chunks)));
    let asked = tokio::spawn(request.send());
    let in_flight = async || gateway.scrape().await.sum("llm_upstream_in_flight") == 1.0;
    eventually("a call in flight", in_flight).await;
    asked.abort();
    let series = r#"llm_upstream_requests_total{error_class="cancelled"}"#;
    gateway.expect(series, 1.0).await;
    gateway.expect("http_in_flight_requests", 0.0).await;
    gateway.expect("llm_upstream_in_flight", 0.0).await;
    drop(sender);
}
