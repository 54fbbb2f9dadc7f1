//! Lines as they are written: whole, many at once, and where nobody reads them.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::json;

use super::{is, lines, logged};
use crate::support::{Serve, Upstream, eventually};

const DROPPED: &str = "log_lines_dropped_total";

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
