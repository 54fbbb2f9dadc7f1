//! How many scrapes are in work, and for how long each.

use std::time::Duration;

use axum::Router;
use prometheus::{IntGaugeVec, Opts, Registry};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::support::{
    HEALTHZ, METRICS, PATIENCE, SHORT, ask, ask_if_any, connect, exporter, gated, serve, status,
};

#[tokio::test]
async fn those_who_wait_share_the_next_encoding() {
    let (gate, registry) = gated();
    let address = serve(exporter(registry)).await;
    let mut first = connect(address, METRICS).await;
    gate.entered(1).await;
    let mut waiting = Vec::new();
    for i in 0..20 {
        let gzip = "GET /metrics HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n";
        waiting.push(connect(address, if i % 2 == 0 { METRICS } else { gzip }).await);
    }
    sleep(SHORT).await;
    assert_eq!(gate.collected(), 1, "one encoding at a time");
    gate.open();
    assert_eq!(status(&mut first).await, 200);
    for stream in &mut waiting {
        assert_eq!(status(stream).await, 200);
    }
    // One that comes very late, on a busy machine, may need another.
    assert!((2..=3).contains(&gate.collected()), "{}", gate.collected());
}

/// Each in the format that was asked for.
#[tokio::test]
async fn those_who_wait_share_one_encoding_for_each_format() {
    let (gate, registry) = gated();
    let address = serve(exporter(registry)).await;
    let mut first = connect(address, METRICS).await;
    gate.entered(1).await;
    let formats = [
        ("text/plain", "text/plain"),
        (
            "application/openmetrics-text",
            "application/openmetrics-text",
        ),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "application/vnd.google.protobuf",
        ),
    ];
    let mut waiting = Vec::new();
    for i in 0..21 {
        let (accept, media_type) = formats[i % formats.len()];
        let request = format!(
            "GET /metrics HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
        );
        waiting.push((connect(address, &request).await, media_type));
    }
    sleep(SHORT).await;
    assert_eq!(gate.collected(), 1, "one encoding at a time");
    gate.open();
    assert_eq!(status(&mut first).await, 200);
    for (stream, media_type) in &mut waiting {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let content_type = format!("content-type: {media_type};");
        assert!(answer.contains(&content_type), "{answer}");
    }
    // One that comes very late, on a busy machine, may need another.
    assert!((4..=6).contains(&gate.collected()), "{}", gate.collected());
}

#[tokio::test]
async fn a_scrape_never_sees_what_was_before_it() {
    let registry = Registry::new();
    let gauge = IntGaugeVec::new(Opts::new("step", "Step."), &["of"]).unwrap();
    registry.register(Box::new(gauge.clone())).unwrap();
    let address = serve(exporter(registry)).await;
    let mut others = tokio::task::JoinSet::new();
    for _ in 0..4 {
        others.spawn(async move { while ask(address, METRICS).await == 200 {} });
    }
    for step in 0..100 {
        gauge.with_label_values(&["test"]).set(step);
        let mut stream = connect(
            address,
            "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )
        .await;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(
            text.contains(&format!("step{{of=\"test\"}} {step}\n")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn one_request_more_than_there_may_be_is_503() {
    for nested in [false, true] {
        let (gate, registry) = gated();
        let exporter = exporter(registry).max_requests(2);
        let address = if nested {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let router = Router::new().merge(exporter.router());
            tokio::spawn(async { axum::serve(listener, router).await });
            address
        } else {
            serve(exporter).await
        };
        let mut held = [
            connect(address, METRICS).await,
            connect(address, METRICS).await,
        ];
        gate.entered(1).await;
        sleep(SHORT).await;
        let mut third = connect(address, METRICS).await;
        assert_eq!(status(&mut third).await, 503);
        assert_eq!(ask(address, HEALTHZ).await, 200);
        gate.open();
        for stream in &mut held {
            assert_eq!(status(stream).await, 200);
        }
        let free = async { while ask(address, METRICS).await != 200 {} };
        timeout(PATIENCE, free).await.expect("a place is lost");
    }
}

#[tokio::test]
async fn who_does_not_read_is_closed() {
    let exporter = exporter(large())
        .timeout(Duration::from_secs(3))
        .max_requests(1);
    let address = serve(exporter).await;
    let mut slow = connect(address, METRICS).await;
    assert_eq!(status(&mut slow).await, 200);
    assert_eq!(ask(address, METRICS).await, 503, "it is not written yet");
    // A byte now and then is no reading.
    let slowly = async {
        while slow.read_u8().await.is_ok() {
            sleep(SHORT).await;
        }
    };
    let place = async {
        // As long as it is in work it holds its place.
        while ask_if_any(address, METRICS).await != Some(200) {
            sleep(SHORT / 3).await;
        }
    };
    tokio::select! {
        () = slowly => {}
        ended = timeout(PATIENCE, place) => ended.expect("still in work"),
    }
}

/// Two megabytes of text: less than a system would hold by itself for one who does not read.
fn large() -> Registry {
    let registry = Registry::new();
    let gauge = IntGaugeVec::new(Opts::new("large", "Large."), &["padding"]).unwrap();
    registry.register(Box::new(gauge.clone())).unwrap();
    for i in 0..5_000 {
        let padding = format!("{i:0>400}");
        gauge.with_label_values(&[&padding]).set(i);
    }
    registry
}
