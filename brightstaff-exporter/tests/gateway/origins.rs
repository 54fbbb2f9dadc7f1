//! Which web pages may use the gateway.

use axum::{body::Body, response::Response};
use reqwest::{Method, RequestBuilder};

use crate::support::{Gateway, Serve, Upstream, refused};

const APP: &str = "https://app.example.com";
const TOKEN: &str = "tok-0123456789abcdef";

async fn gateway(upstream: &Upstream, more: &str) -> Gateway {
    let serve = Serve::with_key(upstream, more);
    serve.env("TEST_TOKENS", TOKEN).start().await
}

fn request(gateway: &Gateway, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}{path}", gateway.url);
    let request = gateway.client.request(method, url);
    // What a page may send without asking first.
    request.header("content-type", "text/plain")
}

fn chat(gateway: &Gateway) -> RequestBuilder {
    request(gateway, Method::POST, "/v1/chat/completions").body(r#"{"model":"p/m","messages":[]}"#)
}

#[tokio::test]
async fn other_pages_reach_no_provider() {
    let upstream = Upstream::chat().await;
    let gateway = gateway(&upstream, &format!("cors_origins = ['{APP}']")).await;
    let strangers = [
        "https://evil.example",
        "null",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://APP.example.com",
        "http://localhost:3000",
        "http://127.0.0.1",
        "file://",
        "",
        "x",
    ];
    let mut refused = 0;
    for origin in strangers {
        for (method, path) in [
            (Method::POST, "/v1/chat/completions"),
            (Method::POST, "/agents/v1/messages"),
            (Method::POST, "/routing/v1/messages"),
            (Method::GET, "/v1/models"),
            (Method::GET, "/agents/v1/models"),
            (Method::HEAD, "/v1/models"),
            (Method::OPTIONS, "/v1/models"),
        ] {
            let request = request(&gateway, method.clone(), path).header("origin", origin);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 403, "{origin}: {method} {path}");
            assert!(!answer.headers().contains_key("access-control-allow-origin"));
            let body = answer.text().await.unwrap();
            assert!(
                method == Method::HEAD || body.contains("web pages of this origin may not"),
                "{body}"
            );
            refused += 1;
        }
    }
    for request in [
        chat(&gateway).header("origin", APP).header("origin", APP),
        request(&gateway, Method::GET, "/v1/models").header("sec-fetch-site", "cross-site"),
        request(&gateway, Method::GET, "/v1/models").header("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(gateway.ask(request).await.0, 403);
        refused += 1;
    }
    assert_eq!(upstream.seen().len(), 0);
    let series = r#"http_requests_total{status_class="4xx"}"#;
    gateway.expect(series, f64::from(refused)).await;
    gateway.expect("llm_upstream_requests_total", 0.0).await;
}

#[tokio::test]
async fn no_page_at_all_and_the_gateways_own_pass() {
    let upstream = Upstream::chat().await;
    let gateway = gateway(&upstream, "allowed_hosts = ['gw.example', 'gw2.example']").await;
    assert_eq!(gateway.ask(chat(&gateway)).await.0, 200);
    for (host, origin, status) in [
        (None, gateway.url.clone(), 200),
        (
            Some("localhost:12000"),
            "http://localhost:12000".to_owned(),
            200,
        ),
        // Behind what ends TLS.
        (Some("gw.example"), "https://gw.example".to_owned(), 200),
        (Some("gw.example:443"), "https://gw.example".to_owned(), 200),
        (
            Some("gw.example"),
            "https://gw.example:8443".to_owned(),
            403,
        ),
        (Some("gw.example"), "https://gw2.example".to_owned(), 403),
        (
            Some("localhost:12000"),
            "http://localhost:3000".to_owned(),
            403,
        ),
        (
            Some("localhost:12000"),
            "http://127.0.0.1:12000".to_owned(),
            403,
        ),
        (
            Some("localhost:12000"),
            "ftp://localhost:12000".to_owned(),
            403,
        ),
    ] {
        let mut request = chat(&gateway).header("origin", &origin);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{origin} on {host:?}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
    }
    for site in ["none", "same-origin"] {
        let typed = request(&gateway, Method::GET, "/v1/models").header("sec-fetch-site", site);
        assert_eq!(gateway.ask(typed).await.0, 200);
    }
}

/// A name that a stranger leads here makes his page no page of the gateway, wherever it listens.
#[tokio::test]
async fn a_rebound_name_is_not_the_gateways_own() {
    let upstream = Upstream::chat().await;
    let config = format!(
        "[providers.p]\nurl = '{}'\napi_key_env = 'TEST_P'",
        upstream.url
    );
    let serve = Serve::config(&config).env("TEST_P", "sk-ours");
    let gateway = serve.arg("--bind").arg("0.0.0.0:0").start().await;
    let ask = async |host: &str| {
        let request = chat(&gateway).header("host", host);
        let request = request.header("origin", format!("http://{host}"));
        gateway.ask(request).await.0
    };
    assert_eq!(ask("evil.example:12000").await, 403);
    assert_eq!(upstream.seen().len(), 0);
    assert_eq!(ask("10.0.0.7:12000").await, 200);
    assert_eq!(ask("localhost:12000").await, 200);
}

#[tokio::test]
async fn a_page_that_may_use_the_gateway_works() {
    let upstream = Upstream::start(async |_| {
        Response::builder()
            .header("access-control-allow-origin", "*")
            .header("access-control-allow-credentials", "true")
            .header("vary", "accept-encoding")
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap()
    })
    .await;
    let more = format!(
        "client_tokens_env = 'TEST_TOKENS'\ncors_origins = ['http://localhost:3000', '{APP}']"
    );
    let gateway = gateway(&upstream, &more).await;

    // The preflight comes without a token.
    let preflight = request(&gateway, Method::OPTIONS, "/v1/chat/completions")
        .header("origin", APP)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-stainless-os",
        );
    let answer = preflight.send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], APP);
    assert_eq!(
        headers["access-control-allow-methods"],
        "GET, POST, PUT, PATCH, DELETE"
    );
    let asked = "authorization,content-type,x-stainless-os";
    assert_eq!(headers["access-control-allow-headers"], asked);
    assert_eq!(headers["access-control-max-age"], "600");
    assert_eq!(headers["vary"], "origin");
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let series =
        r#"http_requests_total{handler="cors_preflight",method="OPTIONS",status_class="2xx"}"#;
    gateway.expect(series, 1.0).await;

    let answer = chat(&gateway)
        .header("origin", APP)
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let headers = answer.headers();
    let allowed: Vec<_> = headers
        .get_all("access-control-allow-origin")
        .iter()
        .collect();
    assert_eq!(allowed, [APP]);
    assert_eq!(headers["access-control-expose-headers"], "*");
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let vary: Vec<_> = headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["accept-encoding", "origin"]);

    let seen = upstream.only();
    assert_eq!(seen.header("origin"), None);

    // The page can read why it was refused.
    for refused in [
        chat(&gateway),
        request(&gateway, Method::GET, "/nowhere").bearer_auth(TOKEN),
    ] {
        let answer = refused.header("origin", APP).send().await.unwrap();
        assert!(answer.status().is_client_error());
        assert_eq!(answer.headers()["access-control-allow-origin"], APP);
    }
    // An upstream lets no other page in, nor this one's cookies.
    let answer = chat(&gateway).bearer_auth(TOKEN).send().await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    // An OPTIONS that asks for nothing is no preflight.
    let options = request(&gateway, Method::OPTIONS, "/v1/chat/completions").bearer_auth(TOKEN);
    assert_eq!(gateway.ask(options.header("origin", APP)).await.0, 405);
}

#[tokio::test]
async fn a_preflight_of_another_page_is_refused() {
    let upstream = Upstream::chat().await;
    let gateway = gateway(&upstream, "").await;
    let preflight = request(&gateway, Method::OPTIONS, "/v1/chat/completions")
        .header("origin", APP)
        .header("access-control-request-method", "POST");
    let answer = preflight.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(
        !answer
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    );
    let series =
        r#"http_requests_total{handler="cors_preflight",method="OPTIONS",status_class="4xx"}"#;
    gateway.expect(series, 1.0).await;
}

#[tokio::test]
async fn what_no_browser_sends_is_no_origin() {
    let p = "[providers.p]\nurl = 'http://h'";
    for (key, value, expected) in [
        (
            "cors_origins",
            "'*'",
            "line 1: cors_origins: is no origin as browsers send it: write",
        ),
        ("cors_origins", "'null'", "is no origin"),
        ("cors_origins", "'https://app.example.com/'", "is no origin"),
        (
            "cors_origins",
            "'https://app.example.com:443'",
            "is no origin",
        ),
        ("cors_origins", "'https://me:secret@h'", "is no origin"),
        ("cors_origins", "'app.example.com'", "is no origin"),
        (
            "allowed_hosts",
            "'*.example.com'",
            "line 1: allowed_hosts: is no host: write",
        ),
        ("allowed_hosts", "'gw.example:443'", "is no host"),
        ("allowed_hosts", "'https://gw.example'", "is no host"),
        ("allowed_hosts", "''", "is no host"),
    ] {
        let (line, code) = refused(Serve::config(&format!("{key} = [{value}]\n{p}"))).await;
        assert!(line.contains(expected), "{value}: {line}");
        assert!(!line.contains("secret"), "{line}");
        assert_eq!(code, 2);
    }
}
