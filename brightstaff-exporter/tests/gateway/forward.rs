//! What passes, and how.

use std::sync::{Arc, Mutex};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use tokio::{sync::Notify, time::timeout};

use crate::support::{PATIENCE, Serve, Upstream, stream};

#[tokio::test]
async fn headers_pass_but_for_those_of_the_connection() {
    let upstream = Upstream::start(async |_| {
        Response::builder()
            .status(201)
            .header("x-request-id", "abc")
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .header("connection", "X-Hop")
            .header("x-hop", "1")
            .header("keep-alive", "timeout=1")
            .body(Body::from("{}"))
            .unwrap()
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let request = gateway
        .post("/v1/chat/completions?a=1&b=%2F", r#"{"model": "m"}"#)
        .header("authorization", "Bearer mine")
        .header("x-trace", "t1")
        .header("x-trace", "t2")
        .header("user-agent", "tester/1")
        .header("connection", "x-secret")
        .header("x-secret", "1")
        .header("te", "trailers")
        .header("expect", "100-continue")
        .header("proxy-authorization", "Basic x");
    let answer = request.send().await.unwrap();

    assert_eq!(answer.status(), 201);
    let headers = answer.headers().clone();
    assert_eq!(headers["x-request-id"], "abc");
    assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    assert_eq!(headers["content-length"], "2");
    assert!(!headers.contains_key("x-hop") && !headers.contains_key("keep-alive"));
    assert_eq!(answer.text().await.unwrap(), "{}");

    let seen = upstream.only();
    assert_eq!(seen.target, "/v1/chat/completions?a=1&b=%2F");
    assert_eq!(seen.header("host"), upstream.url.strip_prefix("http://"));
    assert_eq!(seen.header("authorization"), Some("Bearer mine"));
    assert_eq!(seen.headers.get_all("x-trace").iter().count(), 2);
    assert_eq!(seen.header("user-agent"), Some("tester/1"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("content-length"), Some("14"));
    assert_eq!(seen.body, r#"{"model": "m"}"#);
    for hop in [
        "x-secret",
        "te",
        "expect",
        "proxy-authorization",
        "transfer-encoding",
    ] {
        assert_eq!(seen.header(hop), None, "{hop}");
    }
}

#[tokio::test]
async fn every_endpoint_keeps_its_path_under_the_base() {
    let upstream = Upstream::chat().await;
    let agent = Upstream::chat().await;
    let config = format!(
        "[providers.p]\nurl = '{}/base/v1'\n[agents.helper]\nurl = '{}'",
        upstream.url, agent.url
    );
    let gateway = Serve::config(&config).start().await;
    for path in [
        "chat/completions",
        "completions",
        "embeddings",
        "responses",
        "messages",
    ] {
        let (status, _) = gateway
            .ask(gateway.post(&format!("/v1/{path}"), r#"{"model":"m"}"#))
            .await;
        assert_eq!(status, 200, "{path}");
        let seen = upstream.seen();
        assert_eq!(seen.last().unwrap().target, format!("/base/v1/{path}"));
    }
    for path in ["chat/completions", "messages", "responses"] {
        let request = gateway.post(&format!("/agents/v1/{path}"), r#"{"model":"whatever"}"#);
        assert_eq!(gateway.ask(request).await.0, 200, "{path}");
        let seen = agent.seen();
        assert_eq!(seen.last().unwrap().target, format!("/v1/{path}"));
        assert_eq!(seen.last().unwrap().json()["model"], "whatever");
    }
    assert_eq!(gateway.get("/v1/models").await.status(), 200);
    assert_eq!(gateway.get("/agents/v1/models?limit=1").await.status(), 200);
    assert_eq!(upstream.seen().last().unwrap().target, "/base/v1/models");
    assert_eq!(upstream.seen().last().unwrap().method, "GET");
    assert_eq!(agent.seen().last().unwrap().target, "/v1/models?limit=1");

    gateway
        .expect(
            r#"llm_upstream_requests_total{provider="helper",model="agent",error_class="none"}"#,
            3.0,
        )
        .await;
    let scrape = gateway.scrape().await;
    assert_eq!(
        scrape.sum("llm_upstream_requests_total"),
        8.0,
        "models are no calls"
    );
    assert_eq!(
        scrape.sum(r#"http_requests_total{handler="agent_chat",status_class="2xx"}"#),
        3.0
    );
    assert_eq!(
        scrape.sum(r#"http_requests_total{handler="list_models"}"#),
        2.0
    );
    assert_eq!(
        scrape.sum("router_decisions_total"),
        0.0,
        "nothing was routed"
    );
    assert_eq!(scrape.naming("whatever"), Vec::<&str>::new());
}

#[tokio::test]
async fn chunks_arrive_before_the_next_is_sent() {
    let next = Arc::new(Notify::new());
    let sent = Arc::clone(&next);
    let upstream = Upstream::start(move |_| {
        let next = Arc::clone(&sent);
        async move {
            let (chunks, response) = stream();
            tokio::spawn(async move {
                for chunk in ["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"] {
                    chunks.send(Bytes::from(chunk)).unwrap();
                    next.notified().await;
                }
            });
            response
        }
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let mut answer = gateway.chat_request("m").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(!answer.headers().contains_key("content-length"));
    for expected in ["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"] {
        let chunk = timeout(PATIENCE, answer.chunk()).await.expect("held back");
        assert_eq!(chunk.unwrap().unwrap(), expected);
        next.notify_one();
    }
    assert_eq!(answer.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn an_upstreams_own_errors_pass_untouched() {
    let upstream = Upstream::start(async |exchange| {
        let status = exchange.header("x-status").unwrap().parse::<u16>().unwrap();
        Response::builder()
            .status(status)
            .header("retry-after", "7")
            .body(Body::from("{\"error\": \"as it came\"}"))
            .unwrap()
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    for status in ["302", "401", "404", "429", "500", "503", "529"] {
        let request = gateway.chat_request("m").header("x-status", status);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_str(), status);
        assert_eq!(answer.headers()["retry-after"], "7");
        assert_eq!(answer.text().await.unwrap(), "{\"error\": \"as it came\"}");
    }
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="rate_limit",status_class="4xx"}"#,
            1.0,
        )
        .await;
    gateway
        .expect(r#"llm_upstream_requests_total{error_class="status"}"#, 6.0)
        .await;
    gateway
        .expect(
            r#"http_requests_total{handler="llm_chat",status_class="5xx"}"#,
            3.0,
        )
        .await;
}

#[tokio::test]
async fn the_model_decides_where_a_request_goes() {
    let (one, two) = (Upstream::chat().await, Upstream::chat().await);
    let config = format!(
        "[providers.one]\nurl = '{}'\nmodels = ['alpha', 'shared']\n
         [providers.two]\nurl = '{}'\nmodels = ['beta', 'vendor/gamma', 'shared']",
        one.url, two.url
    );
    let gateway = Serve::config(&config).start().await;
    let cases = [
        ("alpha", &one, "alpha"),
        ("beta", &two, "beta"),
        ("two/alpha", &two, "alpha"),
        ("one/shared", &one, "shared"),
        ("vendor/gamma", &two, "vendor/gamma"),
        ("two/vendor/gamma", &two, "vendor/gamma"),
        ("one/unlisted", &one, "unlisted"),
    ];
    for (asked, upstream, sent) in cases {
        assert_eq!(gateway.chat(asked).await.0, 200, "{asked}");
        assert_eq!(
            upstream.seen().last().unwrap().json()["model"],
            sent,
            "{asked}"
        );
    }
    assert_eq!((one.seen().len(), two.seen().len()), (3, 4));

    let (status, error) = gateway.chat("nobody/nothing").await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (400, &"model_not_found".into())
    );
    let (status, error) = gateway.chat("shared").await;
    assert_eq!(status, 400);
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.ends_with("write one/shared or two/shared"),
        "{message}"
    );
    assert_eq!((one.seen().len(), two.seen().len()), (3, 4));
}

#[tokio::test]
async fn several_providers_are_listed_by_the_gateway() {
    let config = "
        [providers.one]\nurl = 'http://127.0.0.1:1'\nmodels = ['alpha']
        [providers.two]\nurl = 'http://127.0.0.1:1'\nmodels = ['beta']
        [routes.best]\ncandidates = ['two/beta', 'one/alpha']";
    let gateway = Serve::config(config).start().await;
    let list: serde_json::Value =
        serde_json::from_str(&gateway.get("/v1/models").await.text().await.unwrap()).unwrap();
    let ids: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["id"])
        .collect();
    assert_eq!(ids, ["one/alpha", "two/beta", "best"]);
    assert_eq!(list["object"], "list");
}

#[tokio::test]
async fn bodies_pass_byte_for_byte() {
    let big = Arc::new(Mutex::new(Bytes::new()));
    let wanted = Arc::clone(&big);
    let upstream = Upstream::start(move |exchange| {
        let wanted = Arc::clone(&wanted);
        async move {
            *wanted.lock().unwrap() = exchange.body.clone();
            Response::new(Body::from(exchange.body))
        }
    })
    .await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let text = format!(
        "{{\"model\" : \"openai/m\",\n \"text\":\"{}\"}}",
        "\u{e9}\\n".repeat(500_000)
    );
    let answer = gateway
        .post("/v1/responses", text.clone())
        .send()
        .await
        .unwrap();
    let expected = text.replace("openai/m", "m");
    assert!(answer.bytes().await.unwrap() == expected);
    assert!(*big.lock().unwrap() == expected);
}
