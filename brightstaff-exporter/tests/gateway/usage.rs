//! Usage that is asked for, hidden, and read.

use std::io::Write;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};

use crate::support::{ByHand, Exchange, Gateway, PATIENCE, Serve, Upstream, eventually, stream};

/// One that answers every stream with this body, `«` and `»` around what is only there where usage was asked for.
async fn provider(body: &'static str, head: &'static [(&'static str, &'static str)]) -> Upstream {
    Upstream::start(move |exchange: Exchange| {
        let asked = exchange.json()["stream_options"]["include_usage"] == true;
        let mut response = Response::builder().header("content-type", "text/event-stream");
        for (name, value) in head {
            response = response.header(*name, *value);
        }
        std::future::ready(response.body(Body::from(stream_of(body, asked))).unwrap())
    })
    .await
}

fn stream_of(body: &str, asked: bool) -> String {
    let parts = body.split(['«', '»']).enumerate();
    let parts = parts.filter(|(n, _)| asked || n % 2 == 0);
    parts.map(|(_, part)| part).collect()
}

/// As OpenAI writes it.
const BODY: &str = r#"data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]«,"usage":null»,"obfuscation":"a"}

data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]«,"usage":null»,"obfuscation":"ab"}

data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]«,"usage":null»,"obfuscation":"abc"}

«data: {"object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12},"obfuscation":""}

»data: [DONE]

"#;

/// One that tells no usage, asked or not.
const SILENT: &str = r#"data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":"stop"}]}

data: [DONE]

"#;

const STREAM: &str = r#"{"model":"p/m","stream":true}"#;
const ASKED: &str = r#"{"model":"p/m","stream":true,"stream_options":{"include_usage":true}}"#;
const DECLINED: &str = r#"{"model":"p/m","stream":true,"stream_options":{"include_usage":false}}"#;
const CHAT: &str = "/v1/chat/completions";

const COMPLETION: &str = r#"llm_tokens_total{kind="completion",model="m",provider="p"}"#;
const NOT_REPORTED: &str = r#"llm_tokens_usage_missing_total{reason="not_reported"}"#;

async fn text(gateway: &Gateway, path: &str, body: &'static str) -> String {
    let response = gateway.post(path, body).send().await.unwrap();
    response.text().await.unwrap()
}

#[tokio::test]
async fn by_default_usage_is_counted_and_not_seen() {
    let upstream = provider(BODY, &[]).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    assert_eq!(text(&gateway, CHAT, STREAM).await, stream_of(BODY, false));
    assert_eq!(
        upstream.only().json(),
        json!({ "model": "m", "stream": true, "stream_options": { "include_usage": true } })
    );
    gateway.expect(COMPLETION, 12.0).await;

    // Who chose gets what they chose.
    assert_eq!(text(&gateway, CHAT, ASKED).await, stream_of(BODY, true));
    gateway.expect(COMPLETION, 24.0).await;
    assert_eq!(text(&gateway, CHAT, DECLINED).await, stream_of(BODY, false));
    let sent = upstream.seen().pop().unwrap().json();
    assert_eq!(sent["stream_options"]["include_usage"], false);
    gateway.expect(NOT_REPORTED, 1.0).await;
    gateway
        .expect("llm_time_to_first_token_seconds_count", 3.0)
        .await;
    gateway
        .logged("clients that leave it out are counted")
        .await;

    // So it is with legacy completions. The other endpoints, and what is not streamed, tell usage by themselves.
    let legacy = text(&gateway, "/v1/completions", STREAM).await;
    assert_eq!(legacy, stream_of(BODY, false));
    let seen = upstream.seen().len();
    text(&gateway, "/v1/responses", STREAM).await;
    text(&gateway, CHAT, r#"{"model":"m"}"#).await;
    for exchange in &upstream.seen()[seen..] {
        assert_eq!(exchange.json().get("stream_options"), None);
    }
}

#[tokio::test]
async fn usage_is_shown_or_not_asked_for_where_that_is_configured() {
    let upstream = provider(BODY, &[]).await;
    let url = &upstream.url;
    let shown = format!("[providers.p]\nurl = '{url}'\ninclude_usage = 'shown'");
    let off = format!("include_usage = 'off'\n[providers.p]\nurl = '{url}'");
    let by_itself = format!("[providers.p]\nurl = '{url}'\napi = 'mistral'");
    let upstreams = || Serve::upstreams(&[("p", url)]).arg("--include-usage");
    for (serve, asks, sees) in [
        (Serve::config(&shown), true, true),
        (Serve::config(&off), false, false),
        (Serve::config(&by_itself), false, false),
        (upstreams().arg("shown"), true, true),
        (upstreams().arg("off"), false, false),
        (
            Serve::config(&off).arg("--include-usage").arg("hidden"),
            true,
            false,
        ),
        (
            Serve::config(&shown).arg("--include-usage").arg("off"),
            true,
            true,
        ),
    ] {
        let gateway = serve.start().await;
        assert_eq!(text(&gateway, CHAT, STREAM).await, stream_of(BODY, sees));
        let sent = upstream.seen().pop().unwrap();
        assert_eq!(sent.json().get("stream_options").is_some(), asks);
        gateway
            .expect(NOT_REPORTED, f64::from(u8::from(!asks)))
            .await;
        gateway
            .expect(COMPLETION, if asks { 12.0 } else { 0.0 })
            .await;
    }
}

#[tokio::test]
async fn every_path_is_asked_whose_streams_tell_their_usage_only_then() {
    let upstream = provider(BODY, &[]).await;
    for (api, path, asks) in [
        ("openai", "/p/v1/chat/completions", true),
        ("openai", "/p/completions", true),
        ("openai", "/chat/completions/", true),
        (
            "azure",
            "/openai/deployments/d/chat/completions?api-version=1",
            true,
        ),
        ("azure", "/p/openai/deployments/d/completions", true),
        ("azure", "/p/openai/v1/chat/completions", true),
        ("ollama", "/v1/chat/completions", true),
        ("ollama", "/p/api/chat", false),
        ("gemini", "/p/v1beta/openai/chat/completions", false),
        ("mistral", "/v1/chat/completions", false),
        ("openai", "/v1/responses", false),
    ] {
        let config = format!("[providers.p]\nurl = '{}'\napi = '{api}'", upstream.url);
        let gateway = Serve::config(&config).start().await;
        let body = r#"{"model":"m","stream":true}"#;
        assert_eq!(text(&gateway, path, body).await, stream_of(BODY, false));
        let sent = upstream.seen().pop().unwrap().json();
        let options = asks.then(|| json!({ "include_usage": true }));
        assert_eq!(sent.get("stream_options"), options.as_ref(), "{path}");
        // In a path it is the deployment that counts, and the body stays as it is.
        assert_eq!(sent["model"], "m");
        gateway
            .expect("llm_tokens_total", if asks { 21.0 } else { 0.0 })
            .await;
        if path.contains("/deployments/") {
            let series = r#"llm_tokens_total{model="d",provider="p"}"#;
            gateway.expect(series, 21.0).await;
        }
    }
}

#[tokio::test]
async fn chunks_pass_at_once_until_the_finish_reason() {
    let (senders, mut sender) = mpsc::unbounded_channel();
    let upstream = Upstream::start(move |_| {
        let (chunks, response) = stream();
        senders.send(chunks).unwrap();
        std::future::ready(response)
    })
    .await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let mut response = gateway.post(CHAT, STREAM).send().await.unwrap();
    let chunks = sender.recv().await.unwrap();
    let mut pass = async |sent: &str, passes: &str| {
        chunks.send(sent.to_owned().into()).unwrap();
        let mut came = Vec::new();
        while came.len() < passes.len() {
            let chunk = timeout(PATIENCE, response.chunk()).await.expect(sent);
            came.extend_from_slice(&chunk.unwrap().expect("more"));
        }
        assert_eq!(String::from_utf8(came).unwrap(), passes);
    };
    let begin = r#"data: {"choices":[{"index":0,"delta":{"content":"#;
    pass(begin, begin).await;
    // What may be the beginning of `,"usage":null` waits for its event's end, and nothing else does.
    pass(r#""hello","#, r#""hello""#).await;
    pass(
        r#""refusal":null},"finish_reason":null}],"usage":null"#,
        r#","refusal":null},"finish_reason":null}]"#,
    )
    .await;
    pass("}\n\n", "}\n\n").await;
    // Half of an event behind the finish reason waits for its other half.
    let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    pass(&format!("{finish}data: [DO"), finish).await;
    pass("NE]\n\n", "data: [DONE]\n\n").await;
}

#[tokio::test]
async fn a_length_is_not_told_of_what_is_made_shorter() {
    let body = stream_of(BODY, true);
    let upstream = Upstream::start(move |_| {
        let response = Response::builder()
            .header("content-type", "Text/Event-Stream; charset=utf-8")
            .header("content-length", body.len())
            .body(Body::from(body.clone()));
        std::future::ready(response.unwrap())
    })
    .await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let response = gateway.post(CHAT, STREAM).send().await.unwrap();
    assert_eq!(response.headers().get("content-length"), None);
    assert_eq!(response.text().await.unwrap(), stream_of(BODY, false));
    gateway.expect(COMPLETION, 12.0).await;
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="none",status_class="2xx"}"#,
            1.0,
        )
        .await;
    // Where the client asked, nothing is touched.
    let response = gateway.post(CHAT, ASKED).send().await.unwrap();
    let length = stream_of(BODY, true).len().to_string();
    assert_eq!(response.headers()["content-length"], length.as_str());
}

#[tokio::test]
async fn a_stream_that_breaks_off_breaks_off_behind_its_last_byte() {
    let upstream = ByHand::start(async |mut connection| {
        connection.request().await.unwrap();
        let broken = stream_of(BODY, true);
        let broken = broken.split("_tokens").next().unwrap().to_owned();
        let head = "content-type: text/event-stream\r\ntransfer-encoding: chunked";
        let response = format!(
            "HTTP/1.1 200 OK\r\n{head}\r\n\r\n{:x}\r\n{broken}\r\n",
            broken.len()
        );
        connection.write(&response).await.unwrap();
    })
    .await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let mut response = gateway.post(CHAT, STREAM).send().await.unwrap();
    let mut came = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => came.extend_from_slice(&chunk),
            Ok(None) => panic!("no error: {}", String::from_utf8_lossy(&came)),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    let expected = stream_of(BODY, false);
    let expected = expected.strip_suffix("data: [DONE]\n\n").unwrap();
    let came = String::from_utf8(came).unwrap();
    let rest = came.strip_prefix(expected).unwrap();
    assert!(rest.ends_with(r#""choices":[],"usage":{"prompt"#), "{rest}");
    gateway
        .expect(
            r#"llm_upstream_requests_total{error_class="stream",status_class="2xx"}"#,
            1.0,
        )
        .await;
}

#[tokio::test]
async fn streams_are_asked_for_plain_where_something_is_hidden() {
    let upstream = provider(BODY, &[]).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    for (body, sent) in [(STREAM, "identity"), (ASKED, "gzip, br")] {
        let request = gateway.post(CHAT, body);
        let request = request.header("accept-encoding", "gzip, br");
        request.send().await.unwrap().bytes().await.unwrap();
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(seen.header("accept-encoding"), Some(sent));
    }
    // One that compresses all the same is passed on as it is.
    let upstream = provider(BODY, &[("content-encoding", "x-unknown")]).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    assert_eq!(text(&gateway, CHAT, STREAM).await, stream_of(BODY, true));
}

#[tokio::test]
async fn a_provider_whose_streams_are_not_counted_is_warned_of_once() {
    let said = "a stream ended without its usage";
    let upstream = provider(SILENT, &[]).await;
    let (p, q) = (("p", &*upstream.url), ("q", &*upstream.url));
    for (option, body, why) in [
        ("hidden", STREAM, "asked for it in vain"),
        ("hidden", ASKED, "asked for it in vain"),
        ("hidden", DECLINED, "clients that leave it out are counted"),
        ("off", STREAM, "write include_usage = \"hidden\""),
    ] {
        let serve = Serve::upstreams(&[p, q]).arg("--include-usage");
        let gateway = serve.arg(option).start().await;
        for _ in 0..3 {
            text(&gateway, CHAT, body).await;
        }
        gateway.expect(NOT_REPORTED, 3.0).await;
        let line = gateway.logged(said).await;
        assert!(line.contains(why) && line.contains("upstream=p"), "{line}");
        let other = r#"{"model":"q/m","stream":true}"#;
        text(&gateway, CHAT, other).await;
        gateway.logged("upstream=q").await;
        let log = gateway.log();
        assert_eq!(log.matches(said).count(), 2, "{log}");
    }
}

#[tokio::test]
async fn nothing_is_warned_of_where_usage_came_or_nobody_owed_it() {
    let upstream = provider(BODY, &[]).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    text(&gateway, CHAT, STREAM).await;
    text(&gateway, CHAT, ASKED).await;
    // No stream.
    text(&gateway, CHAT, r#"{"model":"m"}"#).await;
    gateway.expect("llm_upstream_in_flight", 0.0).await;
    assert!(!gateway.log().contains("usage"), "{}", gateway.log());
}

#[tokio::test]
async fn a_provider_that_refuses_the_question_is_warned_of() {
    let refusal =
        r#"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#;
    let upstream = Upstream::json(400, refusal).await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    // Where the client asked, the refusal is its own.
    assert_eq!(text(&gateway, CHAT, ASKED).await, refusal);
    assert_eq!(text(&gateway, CHAT, STREAM).await, refusal);
    assert_eq!(text(&gateway, CHAT, STREAM).await, refusal);
    gateway.logged("write include_usage = \"off\"").await;
    let said = || gateway.log().matches("names stream_options").count();
    eventually("one warning", async || said() == 1).await;
}

#[tokio::test]
async fn compressed_answers_pass_as_they_are_and_are_read() {
    let plain = r#"{"object":"chat.completion","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain.as_bytes()).unwrap();
    let packed = Bytes::from(encoder.finish().unwrap());
    let sent = packed.clone();
    let upstream = Upstream::start(move |_| {
        let sent = sent.clone();
        async move {
            Response::builder()
                .header("content-type", "application/json")
                .header("content-encoding", "gzip")
                .body(Body::from(sent))
                .unwrap()
        }
    })
    .await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let request = gateway.chat_request("m").header("accept-encoding", "gzip");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.bytes().await.unwrap(), packed);
    assert_eq!(upstream.only().header("accept-encoding"), Some("gzip"));
    gateway
        .expect(r#"llm_tokens_total{kind="prompt"}"#, 9.0)
        .await;
}
