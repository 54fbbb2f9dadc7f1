//! Metrics that are pushed over OTLP.

mod configured;
mod decoded;
mod gen_ai;
mod receivers;

use std::process::Stdio;

use axum::response::Response;
use tokio::process::Command;

use self::decoded::Pushed;
use crate::{
    drain::closed,
    support::{Gateway, Serve, Upstream, eventually, stream},
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const REQUESTS: &str = "brightstaff_http_requests_total";
const EXPORTS: &str = "otlp_exports_total";

/// A receiver that takes everything.
async fn receiver() -> Upstream {
    Upstream::start(|_| async { Response::new("".into()) }).await
}

fn serve(provider: &Upstream, receiver: &Upstream) -> Serve {
    let serve = Serve::upstreams(&[("p", &provider.url)]);
    serve.env(ENDPOINT, &receiver.url)
}

/// Waits until so many exports have come to this end.
async fn exported(gateway: &Gateway, outcome: &str, count: f64) {
    let series = format!("{EXPORTS}{{outcome=\"{outcome}\"}}");
    let what = format!("{count} of {series}");
    eventually(&what, async || gateway.scrape().await.sum(&series) >= count).await;
}

#[tokio::test]
async fn what_is_scraped_is_pushed() {
    let (provider, receiver) = (Upstream::chat().await, receiver().await);
    let gateway = serve(&provider, &receiver)
        .env(INTERVAL, "100")
        .start()
        .await;
    assert_eq!(gateway.chat("m").await.0, 200);
    let chats = [("handler", "llm_chat"), ("status_class", "2xx")];
    eventually("the request is pushed", async || {
        let seen = receiver.seen();
        let last = seen.last().map(Pushed::of);
        last.is_some_and(|last| last.sum(REQUESTS, &chats) == Some(1.0))
    })
    .await;
    let first = receiver.seen().remove(0);
    assert_eq!(
        (first.method.as_str(), first.target.as_str()),
        ("POST", "/v1/metrics")
    );
    assert_eq!(first.header("content-type"), Some("application/x-protobuf"));
    let pushed = Pushed::of(&first);
    assert_eq!(pushed.resource("service.name"), Some("brightstaff"));
    // One process is one instance.
    let instance = pushed.resource("service.instance.id").unwrap().to_owned();
    assert_eq!(instance.len(), 36);
    exported(&gateway, "ok", 2.0).await;
    for seen in receiver.seen() {
        assert_eq!(
            Pushed::of(&seen).resource("service.instance.id"),
            Some(instance.as_str())
        );
    }
    // Every outcome is there, and pushed, before it is the first.
    assert_eq!(
        pushed.sum("brightstaff_otlp_exports_total", &[("outcome", "rejected")]),
        Some(0.0)
    );
    // What nobody pushes has no such series.
    let gateway = Serve::upstreams(&[("p", &provider.url)]).start().await;
    assert_eq!(gateway.scrape().await.naming(EXPORTS), [""; 0]);
}

/// The last export comes when the last response is over.
#[tokio::test]
async fn the_last_numbers_arrive() {
    let (chunks, response) = stream();
    let response = std::sync::Mutex::new(Some(response));
    let response = std::sync::Arc::new(response);
    let provider = Upstream::start(move |_| {
        let response = response.lock().unwrap().take().unwrap();
        async { response }
    })
    .await;
    let receiver = receiver().await;
    let gateway = serve(&provider, &receiver).start().await;
    chunks.send("data: {}\n\n".into()).unwrap();
    let mut answer = gateway.chat_request("m").send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    gateway.signal("TERM");
    closed(&gateway).await;
    assert_eq!(receiver.seen().len(), 0);
    chunks.send("data: [DONE]\n\n".into()).unwrap();
    drop(chunks);
    while answer.chunk().await.unwrap().is_some() {}
    assert_eq!(gateway.ended().await, 0);
    let pushed = Pushed::of(&receiver.only());
    let in_flight = pushed.sum("brightstaff_http_in_flight_requests", &[]);
    let ended = pushed.sum(
        "brightstaff_llm_upstream_requests_total",
        &[("error_class", "none"), ("status_class", "2xx")],
    );
    assert_eq!((in_flight, ended), (Some(0.0), Some(1.0)));
}

/// The last export of the demo has what its table is about.
#[tokio::test]
async fn the_demo_is_pushed() {
    let receiver = receiver().await;
    let demo = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
        .args([
            "demo",
            "--bind",
            "127.0.0.1:0",
            "--metrics-bind",
            "127.0.0.1:0",
        ])
        .args(["--duration", "1s", "--rate", "20"])
        .env(ENDPOINT, &receiver.url)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(demo.stdout).unwrap();
    assert!(demo.status.success(), "{text}");
    let to = format!("metrics pushed to {}/v1/metrics every 60s\n", receiver.url);
    assert!(
        text.contains(&to) && text.contains("the last export over OTLP: ok\n"),
        "{text}"
    );
    let pushed = Pushed::of(&receiver.only());
    assert_eq!(pushed.sum(REQUESTS, &[]), Some(20.0));
}
