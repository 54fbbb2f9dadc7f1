//! What scrapers may take, over real sockets. Each of them does what would once have stopped the program that it
//! scrapes.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use brightstaff_exporter::Exporter;
use prometheus::{
    IntGaugeVec, Opts, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// Far more than anything here takes, and as long as a fault shows.
const PATIENCE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(3600);

/// Only the limit that a test is about is near.
fn exporter(registry: Registry) -> Exporter {
    Exporter::new(registry)
        .bind_address(([127, 0, 0, 1], 0))
        .head_timeout(LONG)
        .idle_timeout(LONG)
        .timeout(LONG)
}

async fn serve(exporter: Exporter) -> SocketAddr {
    let bound = exporter.bind().await.unwrap();
    let address = bound.local_addr();
    tokio::spawn(bound.serve());
    address
}

async fn connect(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

const METRICS: &str = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
const HEALTHZ: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// The status of the next response, whose body is left where it is.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut head = [0; 12];
    let read = timeout(PATIENCE, stream.read_exact(&mut head)).await;
    read.expect("no response").unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

async fn ask(address: SocketAddr, request: &str) -> u16 {
    status(&mut connect(address, request).await).await
}

/// Waits until the server closes it, by a reset as well.
async fn closed(stream: &mut TcpStream) {
    let mut chunk = [0; 4096];
    let end = async { while matches!(stream.read(&mut chunk).await, Ok(1..)) {} };
    timeout(PATIENCE, end).await.expect("still open");
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
        while ask(address, METRICS).await == 503 {
            sleep(SHORT / 3).await;
        }
    };
    tokio::select! {
        () = slowly => {}
        ended = timeout(PATIENCE, place) => ended.expect("still in work"),
    }
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
    let gate = Gate::default();
    let registry = Registry::new();
    registry.register(Box::new(gate.clone())).unwrap();
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

/// A collector that waits, and counts how often it is asked.
#[derive(Clone, Default)]
struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    collected: AtomicUsize,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.0.open.lock().unwrap() = true;
        self.0.opened.notify_all();
    }

    fn collected(&self) -> usize {
        self.0.collected.load(Ordering::SeqCst)
    }

    async fn entered(&self, times: usize) {
        let entered = async {
            while self.collected() < times {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, entered).await.expect("nothing collects");
    }
}

impl Collector for Gate {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.collected.fetch_add(1, Ordering::SeqCst);
        let open = self.0.open.lock().unwrap();
        drop(self.0.opened.wait_while(open, |open| !*open).unwrap());
        Vec::new()
    }
}

/// A registry whose gathering waits at a gate.
fn gated() -> (Gate, Registry) {
    let gate = Gate::default();
    let registry = Registry::new();
    registry.register(Box::new(gate.clone())).unwrap();
    (gate, registry)
}

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
async fn a_page_loads_and_frames_nothing() {
    let address = serve(exporter(Registry::new())).await;
    let mut stream = connect(
        address,
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let headers: HashMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    assert!(headers["content-security-policy"].starts_with("default-src 'none'"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "deny");
    assert_eq!(headers["referrer-policy"], "no-referrer");
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
