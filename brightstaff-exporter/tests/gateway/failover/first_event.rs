//! Successes that are none: the first event is an error.

use std::time::Duration;

use tokio::time::timeout;

use super::{CALLS, DECISIONS, STREAM, routed, scripted, searches, skips, status};
use crate::support::{PATIENCE, Upstream, stream};

const KEYS: &str = "retry_on = ['first_event_error']";

/// What providers send under a 200 when they are overloaded.
const ERRORS: [&str; 5] = [
    "data: {\"error\":{\"message\":\"overloaded\",\"code\":502}}\n\ndata: [DONE]\n\n",
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
    "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\"}}}\n\n",
    "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"sorry\"}\n\n",
    // Broken off, or over, before there was an event.
    ": OPENROUTER PROCESSING\n\n",
];

#[tokio::test]
async fn a_success_whose_first_event_is_an_error_hands_over() {
    for error in ERRORS {
        let (bad, good) = (
            scripted([format!("{STREAM}{error}")]).await,
            Upstream::chat().await,
        );
        let gateway = routed(&[&bad.url, &good.url], KEYS).await;
        let (code, answer) = gateway.chat("best").await;
        assert_eq!(
            (code, &answer["usage"]["prompt_tokens"]),
            (200, &9.into()),
            "{error}"
        );
        assert_eq!(good.only().json()["model"], "m1");
        let ok = format!(r#"{CALLS}{{error_class="none",provider="p1"}}"#);
        gateway.expect(&ok, 1.0).await;
        let scrape = gateway.scrape().await;
        let failed = format!(r#"{CALLS}{{error_class="stream",provider="p0",status_class="2xx"}}"#);
        assert_eq!(
            (scrape.sum(&failed), scrape.sum(CALLS)),
            (1.0, 2.0),
            "{error}"
        );
        let decided = format!(r#"{DECISIONS}{{fallback="true",selected_model="m1"}}"#);
        assert_eq!(scrape.sum(&decided), 1.0);
        assert_eq!(searches(&gateway).await, [0.0, 1.0, 0.0], "{error}");
    }
}

#[tokio::test]
async fn so_does_json_that_is_an_error() {
    let error = r#"{"error":{"message":"overloaded"}}"#;
    let bad = scripted([status(200, "", error)]).await;
    let good = Upstream::chat().await;
    let gateway = routed(&[&bad.url, &good.url], KEYS).await;
    assert_eq!(gateway.chat("best").await.1["usage"]["prompt_tokens"], 9);
    let gateway = routed(&[&bad.url, &good.url], "").await;
    assert_eq!(
        gateway.chat("best").await.1["error"]["message"],
        "overloaded"
    );
    assert_eq!(searches(&gateway).await, [1.0, 0.0, 0.0]);
}

#[tokio::test]
async fn the_last_ones_error_passes_byte_by_byte() {
    let error = ERRORS[1];
    let bad = scripted([format!("{STREAM}{error}")]).await;
    let gateway = routed(
        &[&bad.url, &bad.url],
        &format!("{KEYS}\ncool_down_after = 1"),
    )
    .await;
    for _ in 0..2 {
        let answer = gateway.chat_request("best").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), error);
    }
    assert_eq!(searches(&gateway).await, [0.0, 0.0, 2.0]);
    assert_eq!(gateway.scrape().await.sum(DECISIONS), 0.0);
    // An error counts as a failure; and where all are left alone, all are asked.
    assert_eq!(bad.requests(), 4);
    assert_eq!(skips(&gateway, "m0").await, [0.0; 2]);
    gateway.logged("its first event is an error").await;
}

#[tokio::test]
async fn a_sound_stream_passes_as_it_came_and_when_it_came() {
    let (sender, response) = stream();
    let response = std::sync::Mutex::new(Some(response));
    let response = std::sync::Arc::new(response);
    let slow = Upstream::start(move |_| {
        let response = response.lock().unwrap().take().unwrap();
        async move { response }
    })
    .await;
    let gateway = routed(
        &[&slow.url, &slow.url],
        &format!("{KEYS}\nfirst_event_timeout = '10m'"),
    )
    .await;
    let request = tokio::spawn(gateway.chat_request("best").send());
    // No event yet: the head is held back.
    let pieces = [
        ": wait\n\n",
        "data: {\"choices\":[{\"index\":0,",
        "\"delta\":{\"content\":\"Hi\"}}]}\n",
        "\n",
    ];
    for piece in pieces {
        assert!(!request.is_finished());
        sender.send(piece.into()).unwrap();
    }
    // With its first event the response passes, and the rest as it comes.
    let mut answer = timeout(PATIENCE, request).await.unwrap().unwrap().unwrap();
    let mut body = Vec::new();
    while body.len() < pieces.concat().len() {
        let chunk = timeout(PATIENCE, answer.chunk()).await.unwrap();
        body.extend_from_slice(&chunk.unwrap().unwrap());
    }
    let rest = "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    sender.send(rest.into()).unwrap();
    drop(sender);
    body.extend_from_slice(&answer.bytes().await.unwrap());
    assert_eq!(String::from_utf8(body).unwrap(), pieces.concat() + rest);
    gateway
        .expect(&format!(r#"{CALLS}{{error_class="none",model="m0"}}"#), 1.0)
        .await;
    let scrape = gateway.scrape().await;
    for family in [
        "llm_time_to_first_byte_seconds_count",
        "llm_time_to_first_token_seconds_count",
    ] {
        assert_eq!(scrape.sum(family), 1.0, "{family}");
    }
    assert_eq!(searches(&gateway).await, [1.0, 0.0, 0.0]);
}

#[tokio::test]
async fn nobody_waits_for_a_first_event_for_ever() {
    let long = format!(": {}\n\n", "x".repeat(4000));
    for (keys, opening) in [
        ("first_event_timeout = '50ms'", "data: {"),
        (
            "first_event_timeout = '10m'\nfirst_event_max_bytes = 1000",
            &*long,
        ),
    ] {
        let (sender, response) = stream();
        sender.send(opening.to_owned().into()).unwrap();
        let response = std::sync::Arc::new(std::sync::Mutex::new(Some(response)));
        let slow = Upstream::start(move |_| {
            let response = response.lock().unwrap().take().unwrap();
            async move { response }
        })
        .await;
        let gateway = routed(&[&slow.url, &slow.url], &format!("{KEYS}\n{keys}")).await;
        let request = gateway.chat_request("best").send();
        let mut answer = timeout(PATIENCE, request).await.expect(keys).unwrap();
        let mut body = Vec::new();
        while body.len() < opening.len() {
            let chunk = timeout(PATIENCE, answer.chunk()).await.unwrap();
            body.extend_from_slice(&chunk.unwrap().unwrap());
        }
        assert_eq!(String::from_utf8(body).unwrap(), opening, "{keys}");
        assert_eq!(searches(&gateway).await, [1.0, 0.0, 0.0], "{keys}");
        // What comes later is too late to ask anybody else, and passes.
        let error = "\"error\":{\"message\":\"late\"}}\n\n";
        sender.send(error.into()).unwrap();
        drop(sender);
        assert_eq!(answer.text().await.unwrap(), error);
    }
}

#[tokio::test]
async fn a_client_that_leaves_while_the_first_event_is_waited_for_cancels() {
    let (sender, response) = stream();
    let response = std::sync::Arc::new(std::sync::Mutex::new(Some(response)));
    let slow = Upstream::start(move |_| {
        let response = response.lock().unwrap().take().unwrap();
        async move { response }
    })
    .await;
    let gateway = routed(
        &[&slow.url, &slow.url],
        &format!("{KEYS}\nfirst_event_timeout = '10m'"),
    )
    .await;
    let request = gateway.chat_request("best").send();
    assert!(timeout(Duration::from_millis(300), request).await.is_err());
    gateway
        .expect(&format!(r#"{CALLS}{{error_class="cancelled"}}"#), 1.0)
        .await;
    assert_eq!(searches(&gateway).await, [0.0; 3]);
    drop(sender);
}
