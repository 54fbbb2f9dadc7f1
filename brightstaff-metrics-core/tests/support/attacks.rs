//! Two attacks on a gateway, and what its metrics make of them: ours and those of others, in one harness.
//!
//! Clients are plain sockets on threads, so that the server may be of any framework.

use std::{
    collections::BTreeMap,
    fmt,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Paths that no route matches, each asked for once; as many methods are invented beside them.
pub(crate) const PATHS: usize = 500;
/// Clients that leave in the middle of a stream that does not end by itself.
pub(crate) const HANG_UPS: usize = 50;

/// Long enough for any machine; never waited for where all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// Metrics under attack: where their server is, and what they are called.
pub(crate) struct Target<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) exposition: &'a dyn Fn() -> String,
    /// The counter of requests.
    pub(crate) requests: &'a str,
    /// The gauge of requests in flight, if there is one.
    pub(crate) in_flight: Option<&'a str>,
    /// The counter of requests whose client left, if there is one.
    pub(crate) cancelled: Option<&'a str>,
}

/// What became of both attacks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Series that the first flood made, and that a second one, of other paths, made after it.
    pub(crate) flood_series: [usize; 2],
    /// How many of both floods' requests were counted.
    pub(crate) flood_counted: u64,
    /// How many of the hang-ups were counted as requests, as cancels, and are still in flight.
    pub(crate) hang_ups_counted: u64,
    pub(crate) cancelled: Option<u64>,
    pub(crate) in_flight: Option<u64>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: Option<u64>| value.map_or("not told".to_owned(), |n| n.to_string());
        let [first, second] = self.flood_series;
        write!(
            f,
            "{first} + {second} | {} of {} | {} of {HANG_UPS} | {} | {} |",
            self.flood_counted,
            4 * PATHS,
            self.hang_ups_counted,
            told(self.cancelled),
            told(self.in_flight),
        )
    }
}

/// Runs both attacks.
pub(crate) fn attack(target: &Target<'_>) -> Outcome {
    let mut before = Samples::of(target);
    let mut flood_series = [0; 2];
    let start = before.sum(target.requests);
    for (round, series) in flood_series.iter_mut().enumerate() {
        flood(target.address, round);
        let after = target.settled();
        *series = after.0.len() - before.0.len();
        before = after;
    }
    let flooded = before.sum(target.requests);
    hang_up(target.address);
    let after = target.settled();
    Outcome {
        flood_series,
        flood_counted: flooded - start,
        hang_ups_counted: after.sum(target.requests) - flooded,
        cancelled: target.cancelled.map(|name| after.sum(name)),
        in_flight: target.in_flight.map(|name| after.sum(name)),
    }
}

impl Target<'_> {
    /// The samples when nothing is in flight any more, or when that does not come to be: once they have
    /// stopped changing.
    fn settled(&self) -> Samples {
        let start = Instant::now();
        let mut last = Samples::of(self);
        loop {
            thread::sleep(Duration::from_millis(200));
            let now = Samples::of(self);
            if now == last || start.elapsed() > PATIENCE {
                return now;
            }
            last = now;
        }
    }
}

/// What counts, of an exposition: durations differ from run to run.
#[derive(Debug, PartialEq, Eq)]
struct Samples(BTreeMap<String, u64>);

impl Samples {
    fn of(target: &Target<'_>) -> Self {
        let text = (target.exposition)();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let timed = ["process_", "_seconds_sum", "_seconds_bucket"];
            if timed.iter().any(|part| series.contains(part)) {
                // A series like any other, with a value like no other.
                return Some((series.to_owned(), 0));
            }
            // Counts stand there without a point.
            Some((series.to_owned(), value.parse().ok()?))
        });
        Self(samples.collect())
    }

    fn sum(&self, name: &str) -> u64 {
        let of_it = |series: &&String| series.split('{').next() == Some(name);
        let series = self.0.keys().filter(of_it);
        series.map(|series| self.0[series]).sum()
    }
}

/// Asks for what is not there, and with methods that are none, on one connection after the other.
fn flood(address: SocketAddr, round: usize) {
    for n in 0..PATHS {
        exchange(address, "GET", &format!("/nobody/{round}/{n}"));
        exchange(address, &format!("BREW{round}X{n}"), "/v1/chat/completions");
    }
}

fn exchange(address: SocketAddr, method: &str, path: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    assert!(response.starts_with(b"HTTP/1.1 4"), "{method} {path}");
}

/// Clients that read a first piece of the stream, and go.
fn hang_up(address: SocketAddr) {
    let clients = (0..HANG_UPS).map(|_| {
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let head =
                "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            let mut seen = Vec::new();
            while !seen.windows(5).any(|part| part == b"data:") {
                let mut piece = [0; 1024];
                let count = stream.read(&mut piece).unwrap();
                assert!(count > 0, "the stream ended by itself");
                seen.extend_from_slice(&piece[..count]);
            }
            stream.shutdown(Shutdown::Both).unwrap();
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.join().unwrap();
    }
}

/// Holds the outcomes against the page that tells of them: it has each as a row.
pub(crate) fn told_in_docs(manifest: &str, rows: &[(String, Outcome)]) {
    let path = std::path::Path::new(manifest).join("../docs/PEERS.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = rows
        .iter()
        .map(|(name, outcome)| format!("| {name} | {outcome}"));
    let missing: Vec<_> = rows.filter(|row| !page.contains(row)).collect();
    assert!(
        missing.is_empty(),
        "docs/PEERS.md does not say:\n{}",
        missing.join("\n")
    );
}
