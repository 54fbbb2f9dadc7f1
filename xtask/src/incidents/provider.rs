//! A provider with the checks and the faults of a real one: a simulated OpenAI, and before it what refuses calls, cuts
//! responses and delays them.

use std::{
    io::{BufRead, BufReader, Read, Write, copy},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::http::PATIENCE;

/// The key that it takes, until it is revoked.
pub(super) const KEY: &str = "sk-incident";

/// The models that it has.
pub(super) const MODELS: [&str; 2] = ["gpt-4o", "gpt-4o-mini"];

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// It takes the key no more.
    Revokes,
    /// It refuses every so many-th call for its rate.
    Limits(u64),
    /// It breaks off every so many-th response.
    Cuts(u64),
    /// Every so many-th response has its first token only after a while.
    Delays(u64, Duration),
}

/// The provider, for as long as this process lives.
pub(super) struct Provider {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    simulator: SocketAddr,
    calls: AtomicU64,
    fault: Mutex<Fault>,
}

impl Provider {
    /// Starts one before a simulated OpenAI on this port.
    pub(super) fn start(simulator: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the provider")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            simulator: SocketAddr::from(([127, 0, 0, 1], simulator)),
            calls: AtomicU64::new(0),
            fault: Mutex::new(Fault::None),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // Whoever it is that goes, the connection is over.
                thread::spawn(move || drop(shared.call(&stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// From here on it does this.
    pub(super) fn fails(&self, fault: Fault) {
        *self.shared.fault() = fault;
    }
}

impl Shared {
    fn fault(&self) -> std::sync::MutexGuard<'_, Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call, the only one of its connection.
    fn call(&self, stream: &TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = Request::read(&mut BufReader::new(stream))?;
        let fault = *self.fault();
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let hit = |every| number.is_multiple_of(every);
        let refusal = match fault {
            Fault::Revokes => Some(401),
            Fault::Limits(every) if hit(every) => Some(429),
            _ => request.refusal(),
        };
        if let Some(status) = refusal {
            return refuse(stream, status);
        }
        let mut response = self.pass(&request)?;
        let mut stream = stream;
        stream.write_all(&head(&mut response)?)?;
        match fault {
            Fault::Cuts(every) if hit(every) => {
                // Enough for the first token, and less than any whole response.
                copy(&mut response.take(600), &mut stream)?;
                return Ok(());
            }
            Fault::Delays(every, by) if hit(every) => thread::sleep(by),
            _ => {}
        }
        copy(&mut response, &mut stream)?;
        Ok(())
    }

    /// Sends a request to the simulator.
    fn pass(&self, request: &Request) -> Result<BufReader<TcpStream>> {
        let mut simulator = TcpStream::connect(self.simulator)?;
        simulator.set_read_timeout(Some(PATIENCE))?;
        simulator.write_all(request.head.as_bytes())?;
        simulator.write_all(b"connection: close\r\n\r\n")?;
        simulator.write_all(&request.body)?;
        Ok(BufReader::new(simulator))
    }
}

/// A request as it came.
struct Request {
    /// Its line and headers, but for that of the connection, and without the empty line.
    head: String,
    key: Option<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(from: &mut impl BufRead) -> Result<Self> {
        let (mut head, mut key, mut length) = (String::new(), None, 0);
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let (name, value) = match line.trim_end() {
                "" => break,
                line => line.split_once(": ").unwrap_or((line, "")),
            };
            match name.to_ascii_lowercase().as_str() {
                "connection" => continue,
                "content-length" => length = value.parse()?,
                "authorization" => key = value.strip_prefix("Bearer ").map(str::to_owned),
                _ => {}
            }
            head += &line;
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(Self { head, key, body })
    }

    /// The status of a request that OpenAI would refuse.
    fn refusal(&self) -> Option<u16> {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let model = body["model"].as_str().unwrap_or_default();
        if self.key.as_deref() != Some(KEY) {
            Some(401)
        } else if !body["messages"].is_array() {
            Some(400)
        } else if !MODELS.contains(&model) {
            Some(404)
        } else {
            None
        }
    }
}

/// The head of a response, with the empty line at its end.
fn head(response: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    while response.read_until(b'\n', &mut head)? > 2 {}
    Ok(head)
}

fn refuse(mut stream: &TcpStream, status: u16) -> Result<()> {
    let body = r#"{"error":{"message":"refused","type":"invalid_request_error","code":null}}"#;
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    Ok(stream.write_all(response.as_bytes())?)
}
