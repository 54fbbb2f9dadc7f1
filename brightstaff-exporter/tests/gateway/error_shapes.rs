//! Errors of the gateway, in the shape of the API that was asked.

use serde_json::{Value, json};

use crate::support::{Serve, Upstream};

/// What a refusal tells at this path: its status, its headers and its body.
async fn refused(path: &str, id: &str) -> (u16, reqwest::header::HeaderMap, Value) {
    let upstream = Upstream::chat().await;
    let config = format!(
        "client_tokens_env = 'TOKENS'\n[providers.p]\nurl = '{0}'\n[providers.mistral]\nurl = '{0}'
         [providers.cohere]\nurl = '{0}'",
        upstream.url
    );
    let serve = Serve::config(&config);
    let gateway = serve.env("TOKENS", "a-token-of-the-gateway").start().await;
    let request = gateway.post(path, r#"{"model":"m"}"#);
    let request = request.header("x-request-id", id);
    let answer = request.send().await.unwrap();
    assert!(upstream.seen().is_empty());
    (
        answer.status().as_u16(),
        answer.headers().clone(),
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap(),
    )
}

const FAULT: &str = "this gateway asks for a client token: send one of its own as \
                     Authorization: Bearer, x-api-key, api-key or x-goog-api-key";

/// A token that is missing is refused before the path is looked at.
#[tokio::test]
async fn each_api_is_told_in_its_own_shape() {
    let openai = json!({ "error": {
        "message": FAULT, "type": "invalid_request_error", "param": null, "code": "invalid_client_token",
    }});
    let anthropic = json!({
        "type": "error",
        "error": { "type": "authentication_error", "message": FAULT },
        "request_id": "id-1",
    });
    let gemini = json!({ "error": {
        "code": 401,
        "message": FAULT,
        "status": "UNAUTHENTICATED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "INVALID_CLIENT_TOKEN",
                "domain": "brightstaff-exporter",
            },
            { "@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "id-1" },
        ],
    }});
    let mistral = json!({
        "object": "error",
        "message": FAULT,
        "type": "invalid_request_error",
        "param": null,
        "code": "invalid_client_token",
    });
    let azure = "/openai/deployments/d/chat/completions?api-version=2024-10-21";
    for (path, body) in [
        ("/v1/chat/completions", openai.clone()),
        ("/v1/nothing", openai.clone()),
        (azure, openai.clone()),
        ("/v1/messages", anthropic.clone()),
        ("/v1/messages/count_tokens", anthropic.clone()),
        ("/v1beta/models/g:streamGenerateContent", gemini),
        ("/model/m/converse", json!({ "message": FAULT })),
        ("/v2/chat", json!({ "message": FAULT })),
        ("/api/chat", json!({ "error": FAULT })),
        ("/p/v1/chat/completions", openai.clone()),
        ("/p/v1/messages", anthropic.clone()),
        ("/mistral/v1/chat/completions", mistral.clone()),
        ("/mistral/v1/fim/completions", mistral),
        ("/cohere/v1/models", json!({ "message": FAULT })),
    ] {
        let (status, headers, told) = refused(path, "id-1").await;
        assert_eq!((status, &told), (401, &body), "{path}");
        assert_eq!(headers["x-request-id"], "id-1", "{path}");
        assert_eq!(headers["content-type"], "application/json", "{path}");
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        let anthropic = path.contains("/v1/messages").then_some("id-1");
        assert_eq!(header("request-id"), anthropic, "{path}");
        let bedrock = path.starts_with("/model/");
        assert_eq!(
            header("x-amzn-errortype"),
            bedrock.then_some("AccessDeniedException")
        );
        assert_eq!(header("x-amzn-requestid"), bedrock.then_some("id-1"));
    }
}

#[tokio::test]
async fn a_response_to_head_has_the_length_of_its_error() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    for path in ["/nothing", "/agents/nothing"] {
        let url = format!("{}{path}", gateway.url);
        let got = gateway.client.get(&url).send().await.unwrap();
        let head = gateway.client.head(&url).send().await.unwrap();
        assert_eq!(
            (got.status(), head.status()),
            (http::StatusCode::NOT_FOUND, http::StatusCode::NOT_FOUND)
        );
        assert_eq!(
            got.headers()["content-length"],
            head.headers()["content-length"]
        );
        let length = got.bytes().await.unwrap().len();
        assert_eq!(
            head.headers()["content-length"],
            length.to_string().as_str()
        );
    }
}
