//! Requests for web sockets that get none, or only by a detour.

use axum::{body::Body, response::Response};
use http::HeaderValue;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use crate::{
    support::{
        Http2, Raw, SOCKETS_IN_FLIGHT, Serve, SocketUpstream, Upstream, echo, open, request,
    },
    tls::acceptor_of,
};

#[tokio::test]
async fn what_a_provider_says_instead_passes() {
    for (status, upgrade) in [
        (401, None),
        (404, None),
        (426, Some("websocket")),
        (200, None),
    ] {
        let upstream = Upstream::start(move |_| async move {
            let mut response = Response::builder().status(status).header("x-mine", "1");
            if let Some(upgrade) = upgrade {
                response = response.header("upgrade", upgrade);
            }
            response.body(Body::from("not here")).unwrap()
        })
        .await;
        let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
        let refused = open(&gateway, request("/v1/realtime")).await.unwrap_err();
        assert_eq!(refused.status(), status);
        assert_eq!(refused.headers()["x-mine"], "1");
        let offered = refused.headers().get("upgrade");
        assert_eq!(offered.map(|value| value.to_str().unwrap()), upgrade);
        if let Some(body) = refused.body() {
            assert!(b"not here".starts_with(body));
        }
        assert_eq!(upstream.only().header("connection"), Some("upgrade"));
        let class = status / 100;
        let counted =
            format!(r#"http_requests_total{{handler="realtime",status_class="{class}xx"}}"#);
        gateway.expect(&counted, 1.0).await;
        gateway.expect(SOCKETS_IN_FLIGHT, 0.0).await;
    }
}

#[tokio::test]
async fn a_provider_out_of_reach_is_a_502() {
    let gateway = Serve::upstreams(&[("openai", "http://127.0.0.1:1")])
        .start()
        .await;
    let refused = open(&gateway, request("/v1/realtime")).await.unwrap_err();
    assert_eq!(refused.status(), 502);
    let line = gateway.logged("no response").await;
    assert!(line.contains("upstream=openai"), "{line}");
}

/// Nobody can tell what would follow.
#[tokio::test]
async fn a_101_for_another_protocol_is_a_502() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";
    let upstream = crate::support::ByHand::once(head).await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let refused = open(&gateway, request("/v1/realtime")).await.unwrap_err();
    assert_eq!(refused.status(), 502);
}

#[tokio::test]
async fn what_cannot_become_one_is_told_at_once() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    for path in [
        "/v1/realtime",
        "/v1/responses",
        "/openai/v1/realtime?model=m",
    ] {
        let answer = gateway.get(path).await;
        assert_eq!(answer.status(), 426);
        assert_eq!(answer.headers()["upgrade"], "websocket");
        assert_eq!(answer.headers()["connection"], "upgrade");
    }
    for head in [
        "POST /v1/chat/completions HTTP/1.1\r\n",
        "GET /v1/realtime HTTP/1.0\r\n",
        "GET /v1/realtime HTTP/1.1\r\ncontent-length: 1\r\n",
    ] {
        let asked =
            "host: localhost\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n\r\n";
        let mut raw = Raw::sent(&gateway, format!("{head}{asked}")).await;
        let head = raw.until("\r\n\r\n").await;
        assert!(head.contains(" 426 Upgrade Required\r\n"), "{head}");
    }
    // HTTP/2 has no such header.
    let mut client = Http2::connect(&gateway).await;
    assert_eq!(client.get("/v1/realtime").await.status(), 426);
    assert!(upstream.seen().is_empty());
}

/// A server may take no notice of a protocol that is offered.
#[tokio::test]
async fn other_protocols_are_left_alone() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    let request = gateway.chat_request("m");
    let request = request.header("connection", "upgrade, http2-settings");
    let request = request
        .header("upgrade", "h2c")
        .header("http2-settings", "");
    assert_eq!(gateway.ask(request).await.0, 200);
    let seen = upstream.only();
    assert_eq!(
        (seen.header("upgrade"), seen.header("connection")),
        (None, None)
    );
}

/// Browsers ask nobody before they open one, whatever it carries.
#[tokio::test]
async fn pages_of_foreign_origins_open_none() {
    let upstream = SocketUpstream::echo().await;
    let from = |origin| {
        let mut asked = request("/v1/realtime");
        let key = HeaderValue::from_static("realtime, openai-insecure-api-key.sk-theirs");
        let headers = asked.headers_mut();
        headers.insert("sec-websocket-protocol", key);
        headers.insert("origin", HeaderValue::from_static(origin));
        asked
    };
    for origins in ["", "'https://app.example'"] {
        let url = &upstream.url;
        let config = format!("cors_origins = [{origins}]\n[providers.p]\nurl = '{url}'");
        let gateway = Serve::config(&config).start().await;
        let refused = open(&gateway, from("https://evil.example"))
            .await
            .unwrap_err();
        assert_eq!(refused.status(), 403);
        if !origins.is_empty() {
            let (_client, _) = open(&gateway, from("https://app.example")).await.unwrap();
            assert!(!upstream.only().1.contains_key("origin"));
        }
    }
}

/// HTTP/2 would have no way to ask for one.
#[tokio::test]
async fn a_secured_provider_is_asked_over_http1() {
    let (acceptor, pem) = acceptor_of(&[b"h2", b"http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use futures_util::{SinkExt, StreamExt};
        let (stream, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let mut socket = accept_async(stream).await.unwrap();
        let message = socket.next().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
        // Without a word of TLS, as many do.
        drop(socket);
    });
    let roots = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(roots.path(), pem).unwrap();
    let gateway = Serve::upstreams(&[("openai", &format!("https://localhost:{port}"))])
        .env("SSL_CERT_FILE", roots.path().to_str().unwrap())
        .start()
        .await;
    let (mut client, _) = open(&gateway, request("/v1/realtime")).await.unwrap();
    echo(&mut client, Message::binary(vec![7; 1 << 20])).await;
    drop(client);
    gateway.expect(SOCKETS_IN_FLIGHT, 0.0).await;
    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum("http_requests_interrupted_total"), 0.0);
}

/// Proxies pass no web sockets on but through a tunnel (RFC 6455, section 4.1).
#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel() {
    let upstream = SocketUpstream::echo().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://user:secret@{}", listener.local_addr().unwrap());
    let gateway = Serve::upstreams(&[("openai", "http://upstream.test/base")])
        .env("HTTP_PROXY", &proxy)
        .env("http_proxy", &proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .start()
        .await;
    let server = upstream.url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(
            head.starts_with("connect upstream.test:80 http/1.1\r\n"),
            "{head}"
        );
        assert!(
            head.contains("proxy-authorization: basic dxnlcjpzzwnyzxq="),
            "{head}"
        );
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    });
    let (mut client, _) = open(&gateway, request("/v1/realtime")).await.unwrap();
    echo(&mut client, Message::text("hello")).await;
    let (target, headers) = upstream.only();
    assert_eq!(target, "/base/realtime");
    assert_eq!(headers["host"], "upstream.test");
    assert!(!headers.contains_key("proxy-authorization"));
}
