//! Which clients the gateway answers.

use std::fs;

use crate::support::{Serve, Upstream, client, eventually, literal, refused};

const TOKEN: &str = "tok-0123456789abcdef";
const OTHER: &str = "tok-fedcba9876543210";

#[tokio::test]
async fn clients_show_a_token_wherever_their_sdk_puts_a_key() {
    let upstream = Upstream::chat().await;
    let serve = Serve::with_key(&upstream, "client_tokens_env = 'TEST_TOKENS'");
    let gateway = serve
        .env("TEST_TOKENS", &format!("{OTHER}, {TOKEN}\n"))
        .env("RUST_LOG", "trace")
        .start()
        .await;
    for (name, value) in [
        ("authorization", format!("Bearer {TOKEN}")),
        ("authorization", format!("bearer  {OTHER}")),
        ("x-api-key", TOKEN.to_owned()),
        ("api-key", TOKEN.to_owned()),
        ("x-goog-api-key", TOKEN.to_owned()),
    ] {
        let request = gateway.chat_request("p/m").header(name, &value);
        assert_eq!(gateway.ask(request).await.0, 200, "{name}: {value}");
    }
    for seen in upstream.seen() {
        assert_eq!(seen.header("authorization"), Some("Bearer sk-ours"));
        assert!(!format!("{seen:?}").contains("tok-"), "{seen:?}");
    }
    let line = gateway.log();
    assert!(!line.contains(TOKEN) && !line.contains(OTHER));
}

#[tokio::test]
async fn whoever_shows_none_is_refused() {
    let upstream = Upstream::chat().await;
    let more = "client_tokens_env = 'TEST_TOKENS'\nmax_request_bytes = 1000000";
    let serve = Serve::with_key(&upstream, more);
    let gateway = serve.env("TEST_TOKENS", TOKEN).start().await;
    let cut = &TOKEN[..TOKEN.len() - 1];
    let mut refused = 0;
    for (name, value) in [
        ("x-nothing", String::new()),
        ("authorization", TOKEN.to_owned()),
        ("authorization", format!("Basic {TOKEN}")),
        ("authorization", format!("Bearer {cut}")),
        ("authorization", format!("Bearer {TOKEN}x")),
        ("authorization", format!("Bearer {}", TOKEN.to_uppercase())),
        ("authorization", "Bearer ".to_owned()),
        ("authorization", "Bearer sk-ours".to_owned()),
        ("x-api-key", OTHER.to_owned()),
        ("x-api-key", String::new()),
        ("cookie", TOKEN.to_owned()),
        ("x-other", TOKEN.to_owned()),
    ] {
        let request = gateway.chat_request("p/m").header(name, &value);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{name}: {value}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        let body: serde_json::Value =
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(body["error"]["code"], "invalid_client_token");
        assert!(!body.to_string().contains("tok-"), "{body}");
        refused += 1;
    }
    for (method, path) in [
        ("GET", format!("/v1/models?key={TOKEN}")),
        ("POST", "/agents/v1/messages".to_owned()),
        ("POST", "/routing/v1/messages".to_owned()),
        ("GET", "/nowhere".to_owned()),
        ("PUT", "/v1/messages".to_owned()),
    ] {
        let url = format!("{}{path}", gateway.url);
        let request = gateway.client.request(method.parse().unwrap(), url);
        assert_eq!(gateway.ask(request).await.0, 401, "{path}");
        refused += 1;
    }
    // Who asks before it sends a body is not told to.
    let lines = [
        "POST /v1/messages HTTP/1.1",
        "host: localhost",
        "content-length: 9",
        "expect: 100-continue",
    ];
    assert_eq!(literal(&gateway, &lines).await.status, 401);
    refused += 1;
    // A long body is let run out, so that the response arrives.
    let long = gateway.post("/v1/chat/completions", vec![b' '; 8 << 20]);
    assert_eq!(gateway.ask(long).await.0, 401);
    refused += 1;
    assert_eq!(upstream.seen().len(), 0);
    let series = r#"http_requests_total{status_class="4xx"}"#;
    gateway.expect(series, f64::from(refused)).await;
    gateway.expect("llm_upstream_requests_total", 0.0).await;
}

#[tokio::test]
async fn a_token_stays_where_clients_have_keys_of_their_own() {
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("tokens");
    fs::write(&path, format!("{OTHER}\n{TOKEN}\n")).unwrap();
    let config = format!(
        "client_tokens_file = {path:?}\n[providers.one]\nurl = '{}'\n[agents.two]\nurl = '{}'",
        one.url, two.url
    );
    let gateway = Serve::config(&config).start().await;
    // As Anthropic's SDK, then as OpenAI's.
    for (token, key, kept) in [
        (
            ("authorization", "Bearer "),
            ("x-api-key", "sk-theirs"),
            "x-api-key",
        ),
        (
            ("x-api-key", ""),
            ("authorization", "Bearer sk-theirs"),
            "authorization",
        ),
    ] {
        let path = format!(
            "/v1/messages?beta=true&key={TOKEN}&token=%74ok-0123456789abcdef&api_key=sk-theirs"
        );
        for (prefix, upstream) in [("", &one), ("/agents", &two)] {
            let request = gateway
                .post(&format!("{prefix}{path}"), r#"{"model":"m"}"#)
                .header(token.0, format!("{}{TOKEN}", token.1))
                .header("api-key", OTHER)
                .header("cookie", format!("session={TOKEN}; a=b"))
                .header(key.0, key.1);
            assert_eq!(gateway.ask(request).await.0, 200);
            let seen = upstream.seen().pop().unwrap();
            assert_eq!(seen.header(kept), Some(key.1));
            assert_eq!(seen.target, "/v1/messages?beta=true&api_key=sk-theirs");
            assert!(!format!("{seen:?}").contains("tok-"), "{seen:?}");
        }
    }
    let url = format!("{}/v1/models?key={TOKEN}", gateway.url);
    let request = gateway.client.get(url).bearer_auth(TOKEN);
    assert_eq!(gateway.ask(request).await.0, 200);
    let seen = one.seen().pop().unwrap();
    assert_eq!(
        (&*seen.target, seen.header("authorization")),
        ("/v1/models", None)
    );
}

#[tokio::test]
async fn a_file_of_tokens_is_read_again_once_it_changes() {
    let upstream = Upstream::chat().await;
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("tokens");
    fs::write(&path, TOKEN).unwrap();
    let gateway = Serve::with_key(&upstream, &format!("client_tokens_file = {path:?}"));
    let gateway = gateway.start().await;
    let ask = async |token| {
        let request = gateway.chat_request("p/m").bearer_auth(token);
        gateway.ask(request).await.0
    };
    assert_eq!([ask(TOKEN).await, ask(OTHER).await], [200, 401]);

    // At once, as Kubernetes does with secrets.
    let write = |text: &str| {
        let other = files.path().join("other");
        fs::write(&other, text).unwrap();
        fs::rename(&other, &path).unwrap();
    };
    write(OTHER);
    eventually("the other token lets in", async || ask(OTHER).await == 200).await;
    assert_eq!(ask(TOKEN).await, 401);

    write("tok-secret");
    let line = gateway.logged("the tokens from before let in").await;
    let fault = "client_tokens_file: the file holds a token, number 1, that is shorter";
    assert!(line.contains(fault), "{line}");
    assert_eq!([ask(TOKEN).await, ask(OTHER).await], [401, 200]);

    write(&format!("{TOKEN}\n{OTHER}"));
    eventually("both let in", async || ask(TOKEN).await == 200).await;
    assert_eq!(ask(OTHER).await, 200);
    let log = gateway.log();
    assert_eq!(log.matches("from before").count(), 1, "{log}");
    assert!(!log.contains("tok-"), "{log}");
}

#[tokio::test]
async fn tokens_that_are_none_stop_the_start() {
    let upstream = Upstream::chat().await;
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        format!("client_tokens_file = {path:?}")
    };
    let missing = format!("client_tokens_file = {:?}", files.path().join("none"));
    let variable = || "client_tokens_env = 'TEST_TOKENS'".to_owned();
    for (more, tokens, expected) in [
        (
            variable(),
            None,
            "client_tokens_env: the environment variable TEST_TOKENS is not set",
        ),
        (
            variable(),
            Some(""),
            "client_tokens_env: the environment variable TEST_TOKENS holds no token",
        ),
        (variable(), Some(" ,\n"), "holds no token"),
        (
            variable(),
            Some("tok-short"),
            "number 1, that is shorter than 16 bytes",
        ),
        (
            variable(),
            Some("tok-0123456789abcdef,tok-\u{e4}0123456789abcdef"),
            "number 2, of other",
        ),
        (
            "client_tokens_env = 'TEST_P'".to_owned(),
            None,
            "an api_key_env names the same variable",
        ),
        (
            "client_tokens_env = 'tok-secret'".to_owned(),
            None,
            "not tokens",
        ),
        (missing, None, "client_tokens_file: the file cannot be read"),
        (
            file("empty", "\n"),
            None,
            "client_tokens_file: the file holds no token",
        ),
        (
            file("short", "tok-x"),
            None,
            "client_tokens_file: the file holds a token, number 1",
        ),
    ] {
        for check in [false, true] {
            let mut serve = Serve::with_key(&upstream, &more).env_remove("TEST_TOKENS");
            if let Some(tokens) = tokens {
                serve = serve.env("TEST_TOKENS", tokens);
            }
            let serve = if check {
                serve.arg("--check-keys")
            } else {
                serve
            };
            let (line, code) = refused(serve).await;
            assert!(line.contains(expected), "{more}: {line}");
            assert!(!line.contains("tok-"), "{line}");
            assert_eq!(code, 2);
        }
    }
}

#[tokio::test]
async fn a_gateway_that_is_open_to_others_warns() {
    let upstream = Upstream::chat().await;
    let warning = "uses the keys of api_key_env: set client_tokens_env";
    for (more, bind, warns) in [
        ("", "0.0.0.0:0", true),
        ("", "[::]:0", true),
        ("", "127.0.0.1:0", false),
        ("", "[::1]:0", false),
        ("client_tokens_env = 'TEST_TOKENS'", "0.0.0.0:0", false),
    ] {
        let serve = Serve::with_key(&upstream, more).env("TEST_TOKENS", TOKEN);
        let serve = serve.env("RUST_LOG", "info").arg("--bind").arg(bind);
        let output = serve.arg("--check").run().await;
        assert!(output.status.success(), "{output:?}");
        let log = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(warning)).collect();
        assert_eq!(lines.len(), usize::from(warns), "{bind}: {log}");
    }
    let without = Serve::upstreams(&[("p", &upstream.url)])
        .arg("--bind")
        .arg("0.0.0.0:0");
    let output = without.arg("--check").run().await;
    assert!(!String::from_utf8(output.stderr).unwrap().contains(warning));
}

#[tokio::test]
async fn without_tokens_every_client_of_this_machine_is_let_in() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::with_key(&upstream, "").start().await;
    assert_eq!(gateway.chat("p/m").await.0, 200);
    let answer = client()
        .get(format!("{}/v1/models", gateway.url))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}
