//! Web sockets that pass to a provider, and requests for one that do not.

use http::HeaderValue;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, SOCKETS_IN_FLIGHT, Serve, SocketUpstream, echo, open, request};

#[tokio::test]
async fn messages_pass_both_ways_and_the_request_lasts_until_the_socket_closes() {
    let upstream = SocketUpstream::echo().await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let mut asked = request("/v1/realtime?model=gpt-realtime&a=%2F");
    let headers = asked.headers_mut();
    headers.insert("authorization", HeaderValue::from_static("Bearer theirs"));
    headers.insert("openai-beta", HeaderValue::from_static("realtime=v1"));
    let (mut client, answer) = open(&gateway, asked).await.unwrap();
    assert_eq!(answer.headers()["upgrade"], "websocket");
    for message in [
        Message::text("hello"),
        Message::binary(vec![7; 4 << 20]),
        Message::text("x".repeat(100_000)),
    ] {
        echo(&mut client, message).await;
    }
    gateway.expect(SOCKETS_IN_FLIGHT, 1.0).await;
    let measured = r#"http_request_duration_seconds_count{handler="realtime"}"#;
    assert_eq!(gateway.scrape().await.sum(measured), 0.0);

    let (target, headers) = upstream.only();
    assert_eq!(target, "/v1/realtime?model=gpt-realtime&a=%2F");
    assert_eq!(headers["authorization"], "Bearer theirs");
    assert_eq!(headers["openai-beta"], "realtime=v1");
    assert_eq!(
        upstream.url,
        format!("http://{}", headers["host"].to_str().unwrap())
    );

    close(client).await;
    gateway.expect(SOCKETS_IN_FLIGHT, 0.0).await;
    gateway.expect(measured, 1.0).await;
    let scrape = gateway.scrape().await;
    let counted = r#"http_requests_total{handler="realtime",method="GET",status_class="1xx"}"#;
    assert_eq!(scrape.sum(counted), 1.0);
    assert_eq!(scrape.sum("http_requests_cancelled_total"), 0.0);
    assert_eq!(scrape.sum("http_requests_interrupted_total"), 0.0);
    // What passes in a socket is not read.
    assert_eq!(scrape.sum("llm_upstream_requests_total"), 0.0);
}

/// In the order of RFC 6455: the provider closes the connection first.
async fn close(mut client: Client) {
    use futures_util::StreamExt;
    client.close(None).await.unwrap();
    while let Some(message) = client.next().await {
        assert!(message.unwrap().is_close());
    }
}

/// Codex asks for one where it else posts, Gemini at a path of its own, and others wherever they like.
#[tokio::test]
async fn any_path_of_a_provider_may_lead_to_one() {
    const LIVE: &str =
        "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    for (provider, path, target) in [
        ("openai", "/v1/responses", "/v1/responses"),
        ("openai", "/openai/realtime?model=m", "/v1/realtime?model=m"),
        ("gemini", "/gemini/v1beta/any?key=k", "/v1beta/any?key=k"),
        (
            "gemini",
            &format!("/gemini{LIVE}?key=k"),
            &format!("{LIVE}?key=k"),
        ),
        ("gemini", LIVE, LIVE),
    ] {
        let upstream = SocketUpstream::echo().await;
        let gateway = Serve::upstreams(&[(provider, &upstream.url)]).start().await;
        let (mut client, _) = open(&gateway, request(path)).await.unwrap();
        echo(&mut client, Message::text("hello")).await;
        let in_flight = "http_in_flight_requests";
        gateway.expect(in_flight, 1.0).await;
        drop(client);
        gateway.expect(in_flight, 0.0).await;
        assert_eq!(upstream.only().0, target, "{path}");
    }
}

/// What a gateway with a key of its own does not let pass elsewhere, does not pass here.
#[tokio::test]
async fn what_may_not_be_asked_for_is_refused() {
    let upstream = SocketUpstream::echo().await;
    let config = format!(
        "[providers.p]\nurl = '{}'\napi_key_env = 'TEST_P'\nallow = ['GET /v1/private/b']",
        upstream.url
    );
    let gateway = Serve::config(&config)
        .env("TEST_P", "sk-ours")
        .start()
        .await;
    let refused = open(&gateway, request("/p/v1/private/a"))
        .await
        .unwrap_err();
    assert_eq!(refused.status(), 403);
    let (_client, _) = open(&gateway, request("/p/v1/private/b")).await.unwrap();
    assert_eq!(upstream.only().0, "/v1/private/b");
}

#[tokio::test]
async fn secrets_among_the_protocols_stay_here_and_the_others_pass() {
    let upstream = SocketUpstream::echo().await;
    let config = format!(
        "client_tokens_env = 'TEST_TOKENS'\n[providers.p]\nurl = '{}'\napi_key_env = 'TEST_P'",
        upstream.url
    );
    let token = "tok-0123456789abcdef";
    let gateway = Serve::config(&config)
        .env("TEST_P", "sk-ours")
        .env("TEST_TOKENS", token)
        .start()
        .await;
    let offering = |key: &str| {
        let mut asked = request("/v1/realtime?key=theirs");
        let offered = format!("realtime, openai-insecure-api-key.{key}, openai-beta.realtime-v1");
        let offered = HeaderValue::from_str(&offered).unwrap();
        asked
            .headers_mut()
            .insert("sec-websocket-protocol", offered);
        asked
    };
    let refused = open(&gateway, offering("sk-theirs")).await.unwrap_err();
    assert_eq!(refused.status(), 401);

    let (mut client, answer) = open(&gateway, offering(token)).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "realtime");
    echo(&mut client, Message::text("hello")).await;
    let (target, headers) = upstream.only();
    assert_eq!(target, "/v1/realtime");
    assert_eq!(headers["authorization"], "Bearer sk-ours");
    let offered = &headers["sec-websocket-protocol"];
    assert_eq!(offered, "realtime, openai-beta.realtime-v1");
}

#[tokio::test]
async fn without_a_key_of_ours_the_clients_passes() {
    let upstream = SocketUpstream::echo().await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let mut asked = request("/v1/realtime");
    let offered = HeaderValue::from_static("realtime, openai-insecure-api-key.sk-theirs");
    let headers = asked.headers_mut();
    headers.insert("sec-websocket-protocol", offered.clone());
    let (_client, answer) = open(&gateway, asked).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "realtime");
    assert_eq!(upstream.only().1["sec-websocket-protocol"], offered);
}

#[tokio::test]
async fn a_model_in_the_query_leads_to_its_provider() {
    let (upstream, other) = (SocketUpstream::echo().await, SocketUpstream::echo().await);
    let config = format!(
        "[providers.p]\nurl = '{}'\n[providers.q]\nurl = '{}'\n[routes.voice]\ncandidates = ['p/m', 'q/n']",
        upstream.url, other.url
    );
    let gateway = Serve::config(&config).start().await;
    let mut asked = request("/v1/realtime?a=b&model=voice");
    let theirs = HeaderValue::from_static("Bearer theirs");
    asked.headers_mut().insert("authorization", theirs);
    let (_client, _) = open(&gateway, asked).await.unwrap();
    let (target, headers) = upstream.only();
    assert_eq!(target, "/v1/realtime?a=b&model=m");
    assert!(
        !headers.contains_key("authorization"),
        "it may be for the other one"
    );
    let (_client, _) = open(&gateway, request("/v1/realtime?model=q%2Fa%20b"))
        .await
        .unwrap();
    assert_eq!(other.only().0, "/v1/realtime?model=a+b");
    for (path, status) in [("/v1/realtime", 400), ("/v1/realtime?model=nobody", 400)] {
        let refused = open(&gateway, request(path)).await.unwrap_err();
        assert_eq!(refused.status(), status, "{path}");
    }
}
