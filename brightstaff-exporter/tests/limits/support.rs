//! What the tests stand on: an exporter whose limits are far away, clients by hand, and a registry that waits.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use brightstaff_exporter::Exporter;
use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Far more than anything here takes, and as long as a fault shows.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const SHORT: Duration = Duration::from_millis(300);
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// Only the limit that a test is about is near.
pub(crate) fn exporter(registry: Registry) -> Exporter {
    Exporter::new(registry)
        .bind_address(([127, 0, 0, 1], 0))
        .head_timeout(LONG)
        .idle_timeout(LONG)
        .timeout(LONG)
}

pub(crate) async fn serve(exporter: Exporter) -> SocketAddr {
    let bound = exporter.bind().await.unwrap();
    let address = bound.local_addr();
    tokio::spawn(bound.serve());
    address
}

pub(crate) async fn connect(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

pub(crate) const METRICS: &str = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
pub(crate) const HEALTHZ: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// The status of the next response, whose body is left where it is.
pub(crate) async fn status(stream: &mut TcpStream) -> u16 {
    status_if_any(stream).await.unwrap()
}

async fn status_if_any(stream: &mut TcpStream) -> io::Result<u16> {
    let mut head = [0; 12];
    let read = timeout(PATIENCE, stream.read_exact(&mut head)).await;
    read.expect("no response")?;
    Ok(std::str::from_utf8(&head[9..]).unwrap().parse().unwrap())
}

/// The status, if there is a response: on a machine with other work a request may be late itself.
pub(crate) async fn ask_if_any(address: SocketAddr, request: &str) -> Option<u16> {
    let mut stream = connect(address, request).await;
    status_if_any(&mut stream).await.ok()
}

pub(crate) async fn ask(address: SocketAddr, request: &str) -> u16 {
    status(&mut connect(address, request).await).await
}

/// Waits until the server closes it, by a reset as well.
pub(crate) async fn closed(stream: &mut TcpStream) {
    let mut chunk = [0; 4096];
    let end = async { while matches!(stream.read(&mut chunk).await, Ok(1..)) {} };
    timeout(PATIENCE, end).await.expect("still open");
}

/// A collector that waits, and counts how often it is asked.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    collected: AtomicUsize,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.open.lock().unwrap() = true;
        self.0.opened.notify_all();
    }

    pub(crate) fn collected(&self) -> usize {
        self.0.collected.load(Ordering::SeqCst)
    }

    pub(crate) async fn entered(&self, times: usize) {
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
pub(crate) fn gated() -> (Gate, Registry) {
    let gate = Gate::default();
    let registry = Registry::new();
    registry.register(Box::new(gate.clone())).unwrap();
    (gate, registry)
}
