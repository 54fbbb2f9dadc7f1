//! What passes of a body that is read, or of which something is hidden.

use std::io::Write;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use tokio::{sync::mpsc, time::timeout};

use super::{ASKED, BODY, CHAT, COMPLETION, STREAM, provider, stream_of, text};
use crate::support::{ByHand, PATIENCE, Serve, Upstream, stream};

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
