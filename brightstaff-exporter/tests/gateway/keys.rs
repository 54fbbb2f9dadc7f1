//! Whose key a provider gets.

use crate::support::{Serve, Upstream};

#[tokio::test]
async fn configured_keys_replace_the_clients_and_stay_out_of_the_log() {
    let (openai, anthropic) = (Upstream::chat().await, Upstream::chat().await);
    let agent = Upstream::chat().await;
    let config = format!(
        "[providers.openai]\nurl = '{}'\napi_key_env = 'TEST_OPENAI'\n
         [providers.claude]\nurl = '{}'\napi = 'anthropic'\napi_key_env = 'TEST_ANTHROPIC'\n
         [agents.helper]\nurl = '{}'\napi_key_env = 'TEST_AGENT'",
        openai.url, anthropic.url, agent.url
    );
    let gateway = Serve::config(&config)
        .env("TEST_OPENAI", "sk-ours-1\n")
        .env("TEST_ANTHROPIC", "sk-ours-2")
        .env("TEST_AGENT", "sk-ours-3")
        .env("RUST_LOG", "trace")
        .start()
        .await;
    for model in ["openai/m", "claude/m"] {
        let request = gateway.chat_request(model).bearer_auth("sk-theirs");
        let request = request.header("x-api-key", "sk-theirs");
        assert_eq!(gateway.ask(request).await.0, 200);
    }
    let request = gateway.post("/agents/v1/messages", r#"{"secret":"in the body"}"#);
    assert_eq!(gateway.ask(request).await.0, 200);

    let seen = openai.only();
    assert_eq!(seen.header("authorization"), Some("Bearer sk-ours-1"));
    assert_eq!(seen.header("x-api-key"), None);
    let seen = anthropic.only();
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("x-api-key"), Some("sk-ours-2"));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(
        agent.only().header("authorization"),
        Some("Bearer sk-ours-3")
    );

    let log = gateway.log();
    for secret in ["sk-ours", "sk-theirs", "in the body"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}

#[tokio::test]
async fn without_a_configured_key_the_clients_own_passes() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("anthropic", &upstream.url)])
        .start()
        .await;
    let request = gateway
        .post("/v1/messages", r#"{"model":"claude"}"#)
        .header("x-api-key", "sk-theirs")
        .header("anthropic-version", "2030-01-01");
    assert_eq!(gateway.ask(request).await.0, 200);
    let seen = upstream.only();
    assert_eq!(seen.header("x-api-key"), Some("sk-theirs"));
    assert_eq!(seen.header("anthropic-version"), Some("2030-01-01"));
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn a_clients_key_goes_to_no_candidate_among_several() {
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let config = format!(
        "[providers.one]\nurl = '{}'\n[providers.two]\nurl = '{}'\napi_key_env = 'TEST_TWO'\n
         [routes.both]\ncandidates = ['one/m', 'two/m']\n
         [routes.same]\ncandidates = ['one/m', 'one/n']",
        one.url, two.url
    );
    let gateway = Serve::config(&config).env("TEST_TWO", "sk-ours");
    let gateway = gateway.start().await;
    let ask = async |alias: &str| {
        let request = gateway.chat_request(alias).bearer_auth("sk-theirs");
        let request = request.header("x-api-key", "sk-theirs");
        assert_eq!(gateway.ask(request).await.0, 200);
    };
    ask("both").await;
    assert_eq!(one.seen()[0].header("authorization"), None);
    assert_eq!(one.seen()[0].header("x-api-key"), None);
    // There is nobody else to whom it could belong.
    ask("same").await;
    let theirs = Some("Bearer sk-theirs");
    assert_eq!(one.seen()[1].header("authorization"), theirs);
}
