//! How many connections there may be, and for how long each.

use std::time::Duration;

use prometheus::Registry;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{
    HEALTHZ, METRICS, PATIENCE, SHORT, ask, closed, connect, exporter, gated, serve, status,
};

#[tokio::test]
async fn who_says_nothing_is_closed() {
    let address = serve(exporter(Registry::new()).head_timeout(SHORT)).await;
    let mut silent = connect(address, "").await;
    closed(&mut silent).await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_closed_however_it_trickles() {
    let address = serve(exporter(Registry::new()).head_timeout(SHORT)).await;
    for before in ["", HEALTHZ] {
        let mut stream = connect(address, before).await;
        let trickle = async {
            stream.write_all(b"GET /metrics HTTP/1.1\r\n").await?;
            loop {
                stream.write_all(b"x: x\r\n").await?;
                sleep(SHORT / 10).await;
            }
        };
        let ended: Result<std::io::Result<()>, _> = timeout(PATIENCE, trickle).await;
        assert!(ended.expect("still open").is_err());
    }
}

#[tokio::test]
async fn who_pauses_is_closed_after_the_idle_time_and_not_before() {
    let address = serve(exporter(Registry::new()).idle_timeout(SHORT)).await;
    let mut stream = connect(address, HEALTHZ).await;
    assert_eq!(status(&mut stream).await, 200);
    closed(&mut stream).await;

    let address = serve(exporter(Registry::new()).head_timeout(SHORT)).await;
    let mut stream = connect(address, HEALTHZ).await;
    assert_eq!(status(&mut stream).await, 200);
    sleep(2 * SHORT).await;
    let mut rest = vec![0; 4096];
    let _ = stream.read(&mut rest).await.unwrap();
    stream.write_all(HEALTHZ.as_bytes()).await.unwrap();
    assert_eq!(status(&mut stream).await, 200);
}

#[tokio::test]
async fn one_connection_more_closes_the_one_that_waited_longest() {
    let address = serve(exporter(Registry::new()).max_connections(3)).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(connect(address, "").await);
        // So that they are let in one after the other.
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask(address, HEALTHZ).await, 200);
    closed(&mut silent[0]).await;
    for held in &mut silent[1..] {
        held.write_all(HEALTHZ.as_bytes()).await.unwrap();
        assert_eq!(status(held).await, 200);
    }
}

#[tokio::test]
async fn who_is_being_answered_is_closed_for_nobody() {
    let (gate, registry) = gated();
    let address = serve(exporter(registry).max_connections(2)).await;
    let mut answered = [
        connect(address, METRICS).await,
        connect(address, METRICS).await,
    ];
    gate.entered(1).await;
    // Both have come by then.
    sleep(SHORT).await;
    let mut third = connect(address, HEALTHZ).await;
    closed(&mut third).await;
    gate.open();
    for held in &mut answered {
        assert_eq!(status(held).await, 200);
    }
}

#[tokio::test]
async fn heads_are_small() {
    let address = serve(exporter(Registry::new())).await;
    let long = format!(
        "GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    assert_eq!(ask(address, &long).await, 431);
    let many = format!(
        "GET / HTTP/1.1\r\nhost: x\r\n{}\r\n",
        "x: x\r\n".repeat(100)
    );
    assert_eq!(ask(address, &many).await, 431);
    assert_eq!(ask(address, "no http\r\n\r\n").await, 400);
    let usual = format!(
        "GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "x".repeat(8_000)
    );
    assert_eq!(ask(address, &usual).await, 200);
}

/// The future is the server: whoever drops it has the port back.
#[tokio::test]
async fn a_server_that_is_dropped_is_gone() {
    let bound = exporter(Registry::new()).bind().await.unwrap();
    let address = bound.local_addr();
    let served = tokio::spawn(bound.serve());
    assert_eq!(ask(address, HEALTHZ).await, 200);
    served.abort();
    let gone = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(SHORT / 10).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("still listening");
}
