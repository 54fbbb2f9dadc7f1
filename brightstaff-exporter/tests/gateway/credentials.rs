//! Every credential of a client, on every way that a request can take.

use reqwest::RequestBuilder;

use crate::support::{Exchange, Gateway, Serve, Upstream};

/// Headers that hold a key, a token, or whose account pays.
const HEADERS: [&str; 27] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-goog-user-project",
    "x-amz-security-token",
    "ocp-apim-subscription-key",
    "openai-organization",
    "openai-project",
    "chatgpt-account-id",
    "cookie",
    "x-litellm-api-key",
    "helicone-auth",
    "x-portkey-api-key",
    "x-portkey-virtual-key",
    "x-portkey-config",
    "cf-aig-authorization",
    "cf-access-client-secret",
    "x-amzn-oidc-accesstoken",
    "x-serverless-authorization",
    "x-rapidapi-key",
    "x-auth-token",
    "x-nobody-knows-api-key",
    "sec-websocket-protocol",
    "apikey",
    "x_api_key",
    "x-ms-token-aad-access-token",
];

/// Query parameters that do.
const PARAMETERS: [&str; 16] = [
    "key",
    "KEY",
    "%6bey",
    "api-key",
    "api_key",
    "api%5Fkey",
    "apiKey",
    "access_token",
    "Access%2DToken",
    "token",
    "subscription-key",
    "X-Amz-Security-Token",
    "X-Amz-Credential",
    "x-api-key",
    "code",
    "sig",
];

/// What is none, and has to pass.
const OTHERS: [(&str, &str); 4] = [
    ("x-request-id", "1"),
    ("idempotency-key", "2"),
    ("anthropic-beta", "3"),
    ("x-stainless-lang", "rust"),
];

const THEIRS: &str = "sk-theirs";

/// With all of them.
fn laden(mut request: RequestBuilder) -> RequestBuilder {
    for name in HEADERS {
        request = request.header(name, THEIRS);
    }
    for (name, value) in OTHERS {
        request = request.header(name, value);
    }
    request
}

fn query() -> String {
    let parameters = PARAMETERS.map(|name| format!("{name}={THEIRS}"));
    format!("beta=true&{}&after=%2F", parameters.join("&"))
}

#[track_caller]
fn has_none(seen: &Exchange, ours: Option<(&str, &str)>) {
    for (name, value) in &seen.headers {
        assert!(!value.to_str().unwrap().contains(THEIRS), "{name}");
    }
    if let Some((name, value)) = ours {
        assert_eq!(seen.header(name), Some(value));
    }
    for (name, value) in OTHERS {
        assert_eq!(seen.header(name), Some(value));
    }
    assert!(
        seen.target.ends_with("?beta=true&after=%2F"),
        "{}",
        seen.target
    );
}

#[track_caller]
fn has_all(seen: &Exchange) {
    for name in HEADERS {
        assert_eq!(seen.header(name), Some(THEIRS), "{name}");
    }
    assert!(seen.target.ends_with(&query()), "{}", seen.target);
}

async fn ask(gateway: &Gateway, path: &str, model: &str) {
    let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
    let request = laden(gateway.post(&format!("{path}?{}", query()), body));
    assert_eq!(gateway.ask(request).await.0, 200, "{path} {model}");
}

async fn list(gateway: &Gateway, path: &str) {
    let url = format!("{}{path}?{}", gateway.url, query());
    let request = laden(gateway.client.get(url));
    assert_eq!(gateway.ask(request).await.0, 200, "{path}");
}

#[tokio::test]
async fn none_goes_out_beside_our_own_key() {
    let (provider, agent) = (Upstream::chat().await, Upstream::chat().await);
    let config = format!(
        "[providers.p]\nurl = '{}'\napi_key_env = 'TEST_P'\n
         [agents.a]\nurl = '{}'\napi_key_env = 'TEST_A'",
        provider.url, agent.url
    );
    let gateway = Serve::config(&config)
        .env("TEST_P", "sk-p")
        .env("TEST_A", "sk-a")
        .start()
        .await;
    ask(&gateway, "/v1/chat/completions", "p/m").await;
    ask(&gateway, "/v1/messages", "m").await;
    list(&gateway, "/v1/models").await;
    ask(&gateway, "/agents/v1/chat/completions", "a").await;
    list(&gateway, "/agents/v1/models").await;
    for (upstream, count, ours) in [(provider, 3, "Bearer sk-p"), (agent, 2, "Bearer sk-a")] {
        let seen = upstream.seen();
        assert_eq!(seen.len(), count);
        for seen in &seen {
            has_none(seen, Some(("authorization", ours)));
        }
    }
}

#[tokio::test]
async fn none_goes_to_an_anthropic_beside_our_own_key() {
    let provider = Upstream::chat().await;
    let config = format!(
        "[providers.p]\nurl = '{}'\napi = 'anthropic'\napi_key_env = 'TEST_P'",
        provider.url
    );
    let gateway = Serve::config(&config).env("TEST_P", "sk-p").start().await;
    ask(&gateway, "/v1/messages", "m").await;
    has_none(&provider.only(), Some(("x-api-key", "sk-p")));
}

#[tokio::test]
async fn none_goes_to_a_candidate_among_several() {
    let down = Upstream::json(503, "{}").await;
    let (model, agent) = (Upstream::chat().await, Upstream::chat().await);
    let config = format!(
        "[providers.down]\nurl = '{down}'\n[providers.up]\nurl = '{}'
         [agents.down-too]\nurl = '{down}'\n[agents.up-too]\nurl = '{}'
         [routes.models]\ncandidates = ['down/m', 'up/m']
         [routes.agents]\ncandidates = ['agents/down-too', 'agents/up-too']",
        model.url,
        agent.url,
        down = down.url
    );
    let gateway = Serve::config(&config).start().await;
    ask(&gateway, "/v1/chat/completions", "models").await;
    ask(&gateway, "/agents/v1/chat/completions", "agents").await;
    has_none(&model.only(), None);
    has_none(&agent.only(), None);
    let seen = down.seen();
    assert_eq!(seen.len(), 2);
    seen.iter().for_each(|seen| has_none(seen, None));
}

#[tokio::test]
async fn all_pass_where_there_is_one_destination_and_no_key() {
    let (provider, agent) = (Upstream::chat().await, Upstream::chat().await);
    let config = format!(
        "[providers.p]\nurl = '{}'\n[agents.a]\nurl = '{}'
         [routes.same]\ncandidates = ['p/m', 'p/n']",
        provider.url, agent.url
    );
    let gateway = Serve::config(&config).start().await;
    ask(&gateway, "/v1/chat/completions", "p/m").await;
    ask(&gateway, "/v1/chat/completions", "same").await;
    list(&gateway, "/v1/models").await;
    ask(&gateway, "/agents/v1/chat/completions", "a").await;
    list(&gateway, "/agents/v1/models").await;
    let seen = [provider.seen(), agent.seen()].concat();
    assert_eq!(seen.len(), 5);
    seen.iter().for_each(has_all);
}
