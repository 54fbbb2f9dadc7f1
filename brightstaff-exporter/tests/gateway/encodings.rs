//! Requests whose bodies come encoded.

use std::io::Write;

use axum::{body::Body, response::Response};
use flate2::{Compression, write::GzEncoder};

use crate::support::{Gateway, Raw, Serve, Upstream, post};

/// The longest text of a body here.
const LONGEST: usize = 10 << 20;

/// Their texts name the model `m` (see `tests/bodies/README.md`).
const SHORT_ZST: &[u8] = include_bytes!("../bodies/short.zst");
const LONG_ZST: &[u8] = include_bytes!("../bodies/long.zst");

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn brotli(text: &str) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.into_inner()
}

async fn gateway(upstream: &Upstream, more: &str) -> Gateway {
    let url = &upstream.url;
    let config = format!(
        "max_request_bytes = {LONGEST}\nmax_buffered_bytes = 40_000_000
         [providers.p]\nurl = '{url}'\n{more}"
    );
    Serve::config(&config).start().await
}

fn encoded(
    gateway: &Gateway,
    path: &str,
    coding: &str,
    body: impl Into<reqwest::Body>,
) -> reqwest::RequestBuilder {
    gateway.post(path, body).header("content-encoding", coding)
}

#[tokio::test]
async fn what_does_not_change_passes_as_it_came() {
    let upstream = Upstream::chat().await;
    let gateway = gateway(&upstream, "include_usage = 'shown'").await;
    let text = r#"{"model": "m", "messages": []}"#;
    let bodies = [
        ("zstd", SHORT_ZST.to_vec()),
        ("zstd", LONG_ZST.to_vec()),
        ("gzip", gzip(text)),
        ("x-gzip", [gzip(&text[..9]), gzip(&text[9..])].concat()),
        ("br", brotli(text)),
        ("identity", text.as_bytes().to_vec()),
    ];
    for (coding, body) in &bodies {
        let request = encoded(&gateway, "/v1/responses", coding, body.clone());
        assert_eq!(gateway.ask(request).await.0, 200, "{coding}");
    }
    for ((coding, body), seen) in bodies.iter().zip(upstream.seen()) {
        assert_eq!(seen.header("content-encoding"), Some(*coding));
        let length = body.len().to_string();
        assert_eq!(seen.header("content-length"), Some(&*length), "{coding}");
        assert!(seen.body == body, "{coding}");
    }
    let calls = r#"llm_upstream_requests_total{model="m",provider="p",status_class="2xx"}"#;
    gateway.expect(calls, 6.0).await;
}

#[tokio::test]
async fn what_changes_is_sent_plain() {
    let upstream = Upstream::start(async |exchange| {
        // One that reads what it is told that it reads.
        let plain = exchange.header("content-encoding").is_none();
        let whole = serde_json::from_slice::<serde_json::Value>(&exchange.body).is_ok();
        let status = if plain && whole { 200 } else { 400 };
        Response::builder()
            .status(status)
            .body(Body::from("{}"))
            .unwrap()
    })
    .await;
    let more = "include_usage = 'shown'\n[routes.any]\ncandidates = ['p/n', 'p/o']";
    let gateway = gateway(&upstream, more).await;
    let ask = async |path: &str, text: &str| {
        let request = encoded(&gateway, path, "gzip", gzip(text));
        assert_eq!(gateway.ask(request).await.0, 200, "{text}");
        let seen = upstream.seen().pop().unwrap();
        let length = seen.body.len().to_string();
        assert_eq!(seen.header("content-length"), Some(&*length));
        String::from_utf8(seen.body.to_vec()).unwrap()
    };
    let renamed = ask("/v1/messages", r#"{"model": "p/m", "stream": true}"#).await;
    assert_eq!(renamed, r#"{"model": "m", "stream": true}"#);
    let asked = ask("/v1/chat/completions", r#"{"model":"m","stream":true}"#).await;
    let usage = r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#;
    assert_eq!(asked, usage);
    let routed = ask("/v1/messages", r#"{"model":"any"}"#).await;
    assert_eq!(routed, r#"{"model":"n"}"#);
}

/// Every candidate gets the same form, whichever of them it is that changes the body.
#[tokio::test]
async fn candidates_get_one_form() {
    let (first, second) = (Upstream::json(503, "{}").await, Upstream::chat().await);
    let config = format!(
        "[providers.p]\nurl = '{}'\n[providers.q]\nurl = '{}'
         [routes.m]\ncandidates = ['p/m', 'q/another']\n[routes.n]\ncandidates = ['p/n', 'q/n']",
        first.url, second.url
    );
    let gateway = Serve::config(&config).start().await;
    for (model, coding) in [("m", None), ("n", Some("gzip"))] {
        let body = gzip(&format!(r#"{{"model":"{model}"}}"#));
        let request = encoded(&gateway, "/v1/messages", "gzip", body.clone());
        assert_eq!(gateway.ask(request).await.0, 200, "{model}");
        for upstream in [&first, &second] {
            let seen = upstream.seen().pop().unwrap();
            assert_eq!(seen.header("content-encoding"), coding, "{model}");
            assert_eq!(seen.body == body, coding.is_some(), "{model}");
        }
    }
    // Where nothing is sent, it is read all the same.
    let body = gzip(r#"{"model":"n"}"#);
    let request = encoded(&gateway, "/routing/v1/messages", "gzip", body);
    let (status, told) = gateway.ask(request).await;
    assert_eq!((status, &told["route"]), (200, &"n".into()));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_one_line() {
    let upstream = Upstream::chat().await;
    let gateway = gateway(&upstream, "").await;
    let bomb = gzip(&" ".repeat(LONGEST + 1));
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let text = r#"{"model":"m"}"#;
    let cut = gzip(text)[..20].to_vec();
    let trailed = [gzip(text), b"{}".to_vec()].concat();
    for (coding, body, status, code) in [
        ("gzip", bomb, 413, "request_too_large"),
        ("gzip", cut, 400, "invalid_encoding"),
        ("gzip", trailed, 400, "invalid_encoding"),
        ("zstd", gzip(text), 400, "invalid_encoding"),
        ("br", b"nonsense".to_vec(), 400, "invalid_encoding"),
        ("gzip", gzip("[1]"), 400, "invalid_json"),
        ("compress", gzip(text), 415, "unsupported_encoding"),
        ("gzip, br", brotli(text), 415, "unsupported_encoding"),
    ] {
        let request = encoded(&gateway, "/v1/chat/completions", coding, body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{coding}");
        let accepted = answer.headers().get("accept-encoding").cloned();
        assert_eq!(accepted.is_some(), status == 415, "{accepted:?}");
        let error = answer.bytes().await.unwrap();
        let error: serde_json::Value = serde_json::from_slice(&error).unwrap();
        assert_eq!(error["error"]["code"], code);
        let message = error["error"]["message"].as_str().unwrap();
        assert!(!message.contains('\n'), "{message}");
    }
    assert_eq!(upstream.seen().len(), 0);
    gateway.expect("http_in_flight_requests", 0.0).await;
    // What they held is given back: the longest text fits again.
    let request = encoded(&gateway, "/v1/messages", "zstd", LONG_ZST);
    assert_eq!(gateway.ask(request).await.0, 200);
}

#[tokio::test]
async fn a_body_may_come_in_any_pieces() {
    let upstream = Upstream::chat().await;
    let gateway = gateway(&upstream, "").await;
    let body = gzip(r#"{"model":"m","messages":[]}"#);
    let head = post("content-encoding: gzip\r\ntransfer-encoding: chunked");
    for at in 1..body.len() {
        let mut raw = Raw::sent(&gateway, &head).await;
        for part in [&body[..at], &body[at..]] {
            raw.send(format!("{:x}\r\n", part.len())).await;
            raw.send(part).await;
            raw.send("\r\n").await;
        }
        raw.send("0\r\n\r\n").await;
        let head = raw.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "cut at {at}: {head}");
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), body.len() - 1);
    assert!(seen.iter().all(|seen| seen.body == body));
}

/// Where no model has to be read, nothing is: whatever the coding, it is between the client and the provider.
#[tokio::test]
async fn what_is_not_read_may_come_in_any_coding() {
    let upstream = Upstream::json(200, "{}").await;
    let gateway = gateway(&upstream, "").await;
    for path in ["/p/v1/files", "/v1/files"] {
        let request = encoded(&gateway, path, "compress, gzip", "anything");
        assert_eq!(gateway.ask(request).await.0, 200, "{path}");
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(seen.header("content-encoding"), Some("compress, gzip"));
        assert_eq!(seen.body, "anything");
    }
    // A form of which the model has to be read must be plain.
    let url = format!("{}/v1/audio/transcriptions", gateway.url);
    let form = gateway.client.post(url).body(gzip("--b--"));
    let form = form
        .header("content-type", "multipart/form-data; boundary=b")
        .header("content-encoding", "gzip");
    let (status, error) = gateway.ask(form).await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (400, &"invalid_encoding".into())
    );
    assert_eq!(upstream.seen().len(), 2);
}
