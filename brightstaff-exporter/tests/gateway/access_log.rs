//! The access log: one line for each request, with what its metrics recorded.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Gateway, Raw, Serve, SocketUpstream, Upstream, chat, echo, eventually, open, post, request,
    stream,
};

const DROPPED: &str = "log_lines_dropped_total";

fn logged(serve: Serve) -> Serve {
    serve.arg("--access-log").arg("json")
}

/// The lines so far.
fn lines(gateway: &Gateway) -> Vec<Value> {
    let output = gateway.output();
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines();
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// Waits for the only line.
async fn only(gateway: &Gateway) -> Value {
    eventually("a line is written", async || !lines(gateway).is_empty()).await;
    // Whoever wrote a second one has had the time for it by now.
    assert_eq!(gateway.scrape().await.sum("http_in_flight_requests"), 0.0);
    let mut lines = lines(gateway);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// Whether a line has these fields, and what every line must have.
#[track_caller]
fn is(line: &Value, fields: &Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&line[name], value, "{name} of {line}");
    }
    let ts = line["ts"].as_str().unwrap();
    assert!(
        ts.len() == "2026-01-01T00:00:00.000000Z".len() && ts.ends_with('Z'),
        "{ts}"
    );
    assert!(line["duration_ms"].as_f64().unwrap() >= 0.0, "{line}");
    assert_eq!(line.as_object().unwrap().len(), 21, "{line}");
}

#[tokio::test]
async fn a_whole_answer_is_told_with_its_tokens() {
    let upstream = Upstream::chat().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let path = "/v1/chat/completions?key=sk-secret";
    let request = gateway.post(path, r#"{"model":"gpt-4o"}"#);
    assert_eq!(gateway.ask(request).await.0, 200);
    let line = only(&gateway).await;
    let expected = json!({
        "method": "POST",
        "path": "/v1/chat/completions",
        "handler": "llm_chat",
        "provider": "openai",
        "model": "gpt-4o",
        "requested_model": "gpt-4o",
        "status": 200,
        "end": "complete",
        "refusal": null,
        "error_class": "none",
        "attempts": 1,
        "ttfb_ms": null,
        "ttft_ms": null,
        "prompt_tokens": 9,
        "completion_tokens": 12,
        "bytes": 128,
        "upstream_request_id": null,
    });
    is(&line, &expected);
    let sent = upstream.only();
    assert_eq!(line["request_id"], sent.header("x-request-id").unwrap());
    // To the nanosecond, but that it is cut off after the microseconds.
    let scrape = gateway.scrape().await;
    let millis = scrape.sum("http_request_duration_seconds_sum") * 1000.0;
    let told = line["duration_ms"].as_f64().unwrap();
    assert!((0.0..0.0011).contains(&(millis - told)), "{millis} {told}");
    let headers = scrape.sum("http_time_to_headers_seconds_sum") * 1000.0;
    let told = line["headers_ms"].as_f64().unwrap();
    assert!(
        (0.0..0.0011).contains(&(headers - told)),
        "{headers} {told}"
    );
    assert!(!gateway.output().contains("sk-"));
}

const DELTA: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
const STOP: &str = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n";

#[tokio::test]
async fn a_stream_is_told_at_its_end() {
    let upstream = Upstream::start(|_| async {
        let (chunks, mut response) = stream();
        chunks.send(DELTA.into()).unwrap();
        chunks.send(STOP.into()).unwrap();
        let headers = response.headers_mut();
        headers.insert("x-request-id", "req_upstream".parse().unwrap());
        response
    })
    .await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let answer = gateway.chat_request("m").send().await.unwrap();
    // It is the upstream's that its support asks for.
    assert_eq!(answer.headers()["x-request-id"], "req_upstream");
    answer.bytes().await.unwrap();
    let line = only(&gateway).await;
    let expected = json!({
        "status": 200,
        "end": "complete",
        "error_class": "none",
        "attempts": 1,
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "bytes": DELTA.len() + STOP.len(),
        "upstream_request_id": "req_upstream",
    });
    is(&line, &expected);
    let ours = upstream.only().header("x-request-id").unwrap().to_owned();
    assert_eq!(line["request_id"], ours.as_str());
    let scrape = gateway.scrape().await;
    for (field, family) in [
        ("ttfb_ms", "llm_time_to_first_byte_seconds_sum"),
        ("ttft_ms", "llm_time_to_first_token_seconds_sum"),
    ] {
        let millis = scrape.sum(family) * 1000.0;
        let told = line[field].as_f64().unwrap();
        assert!((0.0..0.0011).contains(&(millis - told)), "{millis} {told}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_is_cancelled() {
    let upstream = Upstream::silent().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let client = Raw::sent(&gateway, chat()).await;
    eventually("it is asked", async || !upstream.seen().is_empty()).await;
    drop(client);
    let expected = json!({
        "handler": "llm_chat",
        "provider": "openai",
        "status": null,
        "end": "cancelled",
        "error_class": "cancelled",
        "attempts": 1,
        "headers_ms": null,
        "prompt_tokens": null,
        "bytes": 0,
    });
    is(&only(&gateway).await, &expected);
}

#[tokio::test]
async fn a_client_that_leaves_within_the_body_is_cancelled() {
    let upstream = Upstream::start(|_| async {
        let (chunks, response) = stream();
        chunks.send(DELTA.into()).unwrap();
        // The stream goes on for as long as the sender lives.
        std::mem::forget(chunks);
        response
    })
    .await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let mut client = Raw::sent(&gateway, chat()).await;
    client.until("\n\n").await;
    drop(client);
    let expected = json!({
        "status": 200,
        "end": "cancelled",
        "error_class": "cancelled",
        "attempts": 1,
        "completion_tokens": null,
        "bytes": DELTA.len(),
    });
    let line = only(&gateway).await;
    is(&line, &expected);
    assert!(line["ttft_ms"].is_f64(), "{line}");
}

#[tokio::test]
async fn failures_are_told_as_they_were() {
    let failing = Upstream::json(500, r#"{"error":{"message":"no"}}"#).await;
    let nobody = Upstream::nobody().await;
    let serve = Serve::upstreams(&[("failing", &failing.url), ("nobody", &nobody)]);
    let gateway = logged(serve).start().await;
    assert_eq!(gateway.chat("failing/m").await.0, 500);
    assert_eq!(gateway.chat("nobody/m").await.0, 502);
    assert_eq!(
        gateway.get("/nothing/here?key=sk-secret").await.status(),
        404
    );
    let head = gateway.client.head(format!("{}/v1/models", gateway.url));
    assert_eq!(head.send().await.unwrap().status(), 200);
    assert_eq!(gateway.chat("unknown").await.0, 400);
    eventually("all are told", async || lines(&gateway).len() == 5).await;
    let told = lines(&gateway);
    let none = json!({ "provider": null, "model": null, "error_class": null, "attempts": 0 });
    let expected = [
        json!({
            "handler": "llm_chat", "provider": "failing", "model": "other", "requested_model": "failing/m",
            "status": 500, "end": "complete", "refusal": null, "error_class": "status", "attempts": 1,
        }),
        json!({
            "handler": "llm_chat", "provider": "nobody", "model": "other", "requested_model": "nobody/m",
            "status": 502, "end": "complete", "refusal": "upstream_unreachable", "error_class": "connect", "attempts": 1,
        }),
        json!({
            "method": "GET", "path": "/nothing/here", "handler": "not_found", "status": 404, "end": "complete",
        }),
        json!({ "method": "HEAD", "path": "/v1/models", "status": 200, "end": "complete", "bytes": 0 }),
        json!({ "status": 400, "requested_model": "unknown", "end": "complete" }),
    ];
    for (line, expected) in told.iter().zip(&expected) {
        is(line, expected);
    }
    for line in &told[2..] {
        is(line, &none);
    }
    let ids: BTreeSet<_> = told
        .iter()
        .map(|line| line["request_id"].as_str())
        .collect();
    assert_eq!(ids.len(), 5);
    assert!(!gateway.output().contains("sk-secret"));
}

#[tokio::test]
async fn what_is_refused_before_it_is_read_has_its_line() {
    let upstream = Upstream::chat().await;
    let config = format!(
        "max_request_bytes = 100\n[providers.p]\nurl = '{}'",
        upstream.url
    );
    let gateway = logged(Serve::config(&config)).start().await;
    let long = Raw::sent(&gateway, post("content-length: 101")).await;
    assert!(long.rest().await.starts_with("HTTP/1.1 413 "));
    let expected = json!({
        "handler": "llm_chat", "status": 413, "end": "complete", "refusal": "request_too_large", "attempts": 0, "error_class": null,
    });
    is(&only(&gateway).await, &expected);

    // Nothing is known of a request that is none.
    let malformed = Raw::sent(&gateway, "GET / HTTP/1.1\r\nbad header\r\n\r\n").await;
    assert!(malformed.rest().await.starts_with("HTTP/1.1 400 "));
    eventually("it is told", async || lines(&gateway).len() == 2).await;
    let expected = json!({
        "request_id": null, "method": "OTHER", "path": null, "handler": "malformed", "status": 400,
        "end": "complete",
    });
    is(&lines(&gateway)[1], &expected);
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn several_attempts_are_one_line() {
    let (dead, alive) = (Upstream::json(503, "{}").await, Upstream::chat().await);
    let config = format!(
        "[providers.dead]\nurl = '{}'\nmodels = ['alpha']\n[providers.alive]\nurl = '{}'\nmodels = ['beta']
         [routes.best]\ncandidates = ['dead/alpha', 'alive/beta']",
        dead.url, alive.url
    );
    let gateway = logged(Serve::config(&config)).start().await;
    let request = gateway.chat_request("best").header("x-request-id", "mine");
    assert_eq!(gateway.ask(request).await.0, 200);
    let expected = json!({
        "request_id": "mine",
        "requested_model": "best",
        "provider": "alive",
        "model": "beta",
        "status": 200,
        "error_class": "none",
        "attempts": 2,
        "completion_tokens": 12,
    });
    is(&only(&gateway).await, &expected);
    for upstream in [&dead, &alive] {
        assert_eq!(upstream.only().header("x-request-id"), Some("mine"));
    }
    let passed_over = gateway.logged("passed over").await;
    assert!(passed_over.contains("mine"), "{passed_over}");
}

#[tokio::test]
async fn a_web_socket_is_told_once_it_closes() {
    let upstream = SocketUpstream::echo().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let asked = request("/v1/realtime?model=gpt-realtime");
    let (mut client, _) = open(&gateway, asked).await.unwrap();
    echo(&mut client, Message::text("hello")).await;
    assert_eq!(lines(&gateway).len(), 0);
    client.close(None).await.unwrap();
    while let Some(message) = client.next().await {
        assert!(message.unwrap().is_close());
    }
    drop(client);
    let expected = json!({
        "method": "GET",
        "path": "/v1/realtime",
        "handler": "realtime",
        "status": 101,
        "end": "complete",
        "attempts": 0,
    });
    is(&only(&gateway).await, &expected);
}

/// No value of a client's or an upstream's ends a line or makes a field.
#[tokio::test]
async fn nothing_that_is_said_ends_a_line() {
    let upstream = Upstream::start(|_| async {
        axum::response::Response::builder()
            .header(
                "request-id",
                http::HeaderValue::from_bytes(b"a\xff b").unwrap(),
            )
            .body("{}".into())
            .unwrap()
    })
    .await;
    let model = "m\n{\"status\":200}\r\t\u{1b}[2J\u{85}\u{2028}\" status=200 \u{202e}";
    for format in ["json", "text"] {
        let serve = Serve::upstreams(&[("p", &upstream.url)]);
        let gateway = serve.arg("--access-log").arg(format).start().await;
        let hostile = http::HeaderValue::from_bytes(b"id\xf6 status=1").unwrap();
        let request = gateway.chat_request(model).header("x-request-id", hostile);
        let request = request.header("authorization", "Bearer sk-secret");
        assert_eq!(gateway.ask(request).await.0, 200);
        let path = format!("/%0A%22{}", "x".repeat(2000));
        assert_eq!(gateway.get(&path).await.status(), 404);
        eventually("both are told", async || {
            gateway.output().lines().count() == 2
        })
        .await;
        let output = gateway.output();
        assert!(
            !output
                .trim_end()
                .replace('\n', "")
                .chars()
                .any(char::is_control),
            "{output}"
        );
        assert!(!output.contains("sk-secret"));
        assert!(output.len() < 3000, "{output}");
        if format == "json" {
            let told = lines(&gateway);
            is(
                &told[0],
                &json!({ "requested_model": model, "upstream_request_id": null }),
            );
            assert_ne!(told[0]["request_id"], "");
            let path = told[1]["path"].as_str().unwrap();
            assert!(
                path.starts_with("/%0A%22xx") && path.ends_with("x..."),
                "{path}"
            );
        } else {
            assert_eq!(output.matches(" status=").count(), 3, "{output}");
            assert!(
                output.contains(" requested_model=\"m\\u000a{\\\"status"),
                "{output}"
            );
            assert!(
                output.lines().all(|line| line.starts_with("ts=20")),
                "{output}"
            );
        }
    }
}

#[tokio::test]
async fn a_thousand_at_once_are_a_thousand_lines() {
    let upstream = Upstream::chat().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = logged(serve).start().await;
    let mut asked: FuturesUnordered<_> = (0..1000).map(|_| gateway.chat("gpt-4o")).collect();
    while let Some((status, _)) = asked.next().await {
        assert_eq!(status, 200);
    }
    eventually("all are told", async || {
        let dropped = gateway.scrape().await.sum(DROPPED);
        let told = lines(&gateway);
        let told = told.iter().filter(|line| line["request_id"].is_string());
        told.count() as f64 + dropped == 1000.0
    })
    .await;
    let told = lines(&gateway);
    let ids: BTreeSet<_> = told
        .iter()
        .filter_map(|line| line["request_id"].as_str())
        .collect();
    let whole = told.iter().filter(|line| line["status"] == 200);
    assert_eq!(ids.len(), whole.count());
}

#[tokio::test]
async fn an_output_that_nobody_reads_stops_nothing_and_is_told_what_it_misses() {
    let upstream = Upstream::chat().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let mut gateway = logged(serve).output_unread().start().await;
    let mut asked = 0;
    // A pipe holds 64 KiB, and the queue 4,096 lines.
    while gateway.scrape().await.sum(DROPPED) == 0.0 {
        assert!(asked < 20_000, "nothing is dropped");
        let mut some: FuturesUnordered<_> = (0..500).map(|_| gateway.chat("gpt-4o")).collect();
        while let Some((status, _)) = some.next().await {
            assert_eq!(status, 200);
            asked += 1;
        }
    }
    gateway.expect("http_in_flight_requests", 0.0).await;
    let dropped = gateway.scrape().await.sum(DROPPED);
    gateway.read_output();
    let missing = || {
        lines(&gateway)
            .iter()
            .find_map(|line| line["dropped_lines"].as_f64())
    };
    eventually("it is told", async || missing().is_some()).await;
    assert_eq!(missing(), Some(dropped));
    let told = lines(&gateway);
    let told = told.iter().filter(|line| line["request_id"].is_string());
    assert_eq!(told.count() as f64 + dropped, f64::from(asked));
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
}

#[tokio::test]
async fn there_is_none_unless_it_is_asked_for() {
    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("openai", &upstream.url)]).start().await;
    assert_eq!(gateway.chat("gpt-4o").await.0, 200);
    gateway.signal("TERM");
    gateway.logged("stopping").await;
    assert_eq!(gateway.output(), "");
    assert_eq!(gateway.ended().await, 0);
}
