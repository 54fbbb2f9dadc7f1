//! An exporter over a real socket, and what it answers.

use std::{collections::HashMap, net::SocketAddr};

use brightstaff_exporter::Exporter;
use prometheus::{IntCounter, Registry};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.lines();
    let headers = lines.clone().skip(1).map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    Answer {
        headers: headers.collect(),
        status: lines.next().unwrap()[9..12].parse().unwrap(),
        body: bytes[end + 4..].to_vec(),
    }
}

pub(crate) async fn serve(registry: Registry) -> SocketAddr {
    let exporter = Exporter::new(registry).bind_address(([127, 0, 0, 1], 0));
    let bound = exporter.bind().await.unwrap();
    let address = bound.local_addr();
    tokio::spawn(bound.serve());
    address
}

pub(crate) fn registry() -> Registry {
    let registry = Registry::new();
    let counter = IntCounter::new("answers_total", "Answers \u{e0} la carte.").unwrap();
    registry.register(Box::new(counter.clone())).unwrap();
    counter.inc_by(42);
    registry
}

pub(crate) const EXPOSITION: &str = "# HELP answers_total Answers \u{e0} la carte.\n# TYPE answers_total counter\nanswers_total 42\n";
