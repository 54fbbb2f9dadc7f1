//! Stopping while answers are on their way.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream, sync::mpsc};

use crate::support::{Gateway, Serve, Upstream, eventually, stream};

type Chunks = mpsc::UnboundedSender<bytes::Bytes>;

/// A gateway with one response on its way: its chunks are sent by hand.
async fn streaming(drain: &str) -> (Gateway, reqwest::Response, Chunks, Upstream) {
    let (sender, mut senders) = mpsc::unbounded_channel();
    let upstream = Upstream::start(move |_| {
        let (chunks, response) = stream();
        chunks.send("data: {}\n\n".into()).unwrap();
        sender.send(chunks).unwrap();
        async { response }
    })
    .await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = serve.arg("--drain").arg(drain).start().await;
    let mut answer = gateway.chat_request("m").send().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "data: {}\n\n");
    (gateway, answer, senders.recv().await.unwrap(), upstream)
}

/// Waits until nobody new is let in.
pub(crate) async fn closed(gateway: &Gateway) {
    let address = gateway.address();
    eventually("the port is closed", async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
}

#[tokio::test]
async fn answers_on_their_way_arrive_and_are_measured() {
    let (gateway, mut answer, chunks, _upstream) = streaming("20s").await;
    gateway.signal("TERM");
    closed(&gateway).await;
    assert_eq!(gateway.scrape().await.sum("http_in_flight_requests"), 1.0);
    chunks.send("data: [DONE]\n\n".into()).unwrap();
    drop(chunks);
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "data: [DONE]\n\n");
    assert_eq!(answer.chunk().await.unwrap(), None);
    assert_eq!(gateway.ended().await, 0);
}

#[tokio::test]
async fn the_drain_is_bounded() {
    let (gateway, mut answer, _chunks, _upstream) = streaming("300ms").await;
    let started = std::time::Instant::now();
    gateway.signal("TERM");
    assert!(answer.chunk().await.is_err(), "cut off");
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(gateway.ended().await, 0);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (gateway, mut answer, _chunks, _upstream) = streaming("1h").await;
    gateway.signal("INT");
    closed(&gateway).await;
    gateway.signal("TERM");
    assert!(answer.chunk().await.is_err(), "cut off");
    assert_eq!(gateway.ended().await, 1);
}

#[tokio::test]
async fn idle_connections_hold_nothing_up() {
    let upstream = Upstream::chat().await;
    let serve = Serve::upstreams(&[("openai", &upstream.url)]);
    let gateway = serve.arg("--drain").arg("1h").start().await;
    // One was used, and is kept by the client; one never was; one stopped in the middle of a word.
    assert_eq!(gateway.chat("m").await.0, 200);
    let address = gateway.address();
    let _unused = TcpStream::connect(address).await.unwrap();
    let mut halting = TcpStream::connect(address).await.unwrap();
    halting.write_all(b"PRI * HT").await.unwrap();
    gateway.scrape().await;
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
}
