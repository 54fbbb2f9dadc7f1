//! Receivers that stall, say too much, refuse or are not there.

use axum::response::Response;

use super::{ENDPOINT, INTERVAL, exported, serve};
use crate::support::{Serve, Upstream, eventually};

/// Whatever the receiver does, requests are answered, and the end comes.
#[tokio::test]
async fn a_receiver_that_stalls_holds_nothing_up() {
    let (provider, receiver) = (Upstream::chat().await, Upstream::silent().await);
    let serve = serve(&provider, &receiver).env(INTERVAL, "100");
    let gateway = serve.arg("--drain").arg("1s").start().await;
    eventually("it is asked", async || !receiver.seen().is_empty()).await;
    for _ in 0..50 {
        assert_eq!(gateway.chat("m").await.0, 200);
    }
    gateway
        .expect(
            "http_requests_total{handler=\"llm_chat\",status_class=\"2xx\"}",
            50.0,
        )
        .await;
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
}

/// No response of a receiver is kept, and none makes the process grow.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn large_responses_leave_nothing_behind() {
    let provider = Upstream::chat().await;
    let large = bytes::Bytes::from(vec![b'x'; 10 << 20]);
    let receiver = Upstream::start(move |_| {
        let response = Response::new(large.clone().into());
        async { response }
    })
    .await;
    let gateway = serve(&provider, &receiver)
        .env(INTERVAL, "100")
        .start()
        .await;
    let resident = async || {
        gateway
            .scrape()
            .await
            .of("process_resident_memory_bytes")
            .unwrap()
    };
    exported(&gateway, "ok", 3.0).await;
    let before = resident().await;
    exported(&gateway, "ok", 30.0).await;
    let grown = resident().await - before;
    assert!(grown < 16_777_216.0, "{grown}");
}

#[tokio::test]
async fn refusals_and_failures_are_counted_and_told_once() {
    let provider = Upstream::chat().await;
    let receiver = Upstream::json(404, "404 page not found").await;
    let serve = Serve::upstreams(&[("p", &provider.url)]).env(INTERVAL, "100");
    let endpoint = format!("{}/api/v1/otlp", receiver.url);
    let gateway = serve
        .env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &endpoint)
        .start()
        .await;
    exported(&gateway, "rejected", 3.0).await;
    let line = gateway.logged("404 Not Found").await;
    assert!(
        line.contains(&format!("{endpoint}/v1/metrics may be meant")),
        "{line}"
    );
    let warned = gateway
        .log()
        .lines()
        .filter(|line| line.contains(" WARN ") && line.contains("404"))
        .count();
    assert_eq!(warned, 1);

    let serve = Serve::upstreams(&[("p", &provider.url)]).env(INTERVAL, "100");
    let gateway = serve.env(ENDPOINT, &Upstream::nobody().await).start().await;
    exported(&gateway, "failed", 3.0).await;
    gateway.logged("cannot connect").await;
}
