//! What a connection holds at rest, and with a stream in flight.

use std::{io::Write, net::TcpStream, thread, time::Duration};

use anyhow::Result;

use super::{
    Row,
    load::{self, Kind, Message},
    provider::{HELD, Provider},
    proxy::{Built, Name, Proxy},
};

/// Connections that are opened, so many that what a process holds anyway does not matter.
const CONNECTIONS: u32 = 500;

/// What one connection holds, in KiB.
struct Held {
    idle: f64,
    streaming: f64,
}

pub(super) fn rows(built: &Built, provider: &Provider) -> Result<Vec<Row>> {
    let ours = held(Name::Sidecar, built, provider)?;
    let mut rows = Vec::new();
    for name in [Name::Axum, Name::Hyper] {
        let peer = held(name, built, provider)?;
        for (what, ours, peer) in [
            ("an idle connection", ours.idle, peer.idle),
            ("a stream in flight", ours.streaming, peer.streaming),
        ] {
            rows.push(Row {
                name: format!("{what}, beside {name}: KiB"),
                ours,
                peer,
                ratio: ours / peer,
            });
        }
    }
    Ok(rows)
}

fn held(name: Name, built: &Built, provider: &Provider) -> Result<Held> {
    let proxy = Proxy::start(name, built, provider.address)?;
    load::run(proxy.address, Kind::Json, 1000)?;
    let start = rest(&proxy)?;
    let idle = connections(&proxy, |stream, message| {
        load::exchange(stream, message, &load::request(Kind::Json, b""))
    })?;
    let with_idle = rest(&proxy)?;
    let streaming = connections(&proxy, |stream, message| {
        stream.write_all(&load::request(Kind::Stream, HELD))?;
        Ok(message.read_until(stream, b"data: ")?)
    })?;
    let with_streams = rest(&proxy)?;
    drop((idle, streaming));
    let each = |bytes: u64| {
        let kib = u32::try_from(bytes >> 10).unwrap_or(u32::MAX);
        f64::from(kib) / f64::from(CONNECTIONS)
    };
    Ok(Held {
        idle: each(with_idle.saturating_sub(start)),
        streaming: each(with_streams.saturating_sub(with_idle)),
    })
}

/// Opens connections one after the other.
fn connections(
    proxy: &Proxy,
    ask: impl Fn(&mut TcpStream, &mut Message) -> Result<()>,
) -> Result<Vec<TcpStream>> {
    let mut message = Message::default();
    (0..CONNECTIONS)
        .map(|_| {
            let mut stream = load::connect(proxy.address)?;
            ask(&mut stream, &mut message)?;
            Ok(stream)
        })
        .collect()
}

/// The resident memory, once it stays what it is.
fn rest(proxy: &Proxy) -> Result<u64> {
    let mut before = proxy.resident()?;
    loop {
        thread::sleep(Duration::from_millis(500));
        let now = proxy.resident()?;
        if now == before {
            return Ok(now);
        }
        before = now;
    }
}
