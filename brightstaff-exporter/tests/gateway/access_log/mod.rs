//! The access log: one line for each request, with what its metrics recorded.

mod failures;
mod output;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Gateway, Serve, SocketUpstream, Upstream, echo, eventually, open, request, stream,
};

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
