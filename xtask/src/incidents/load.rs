//! The clients of a gateway.

use std::{
    collections::BTreeMap,
    fmt,
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::provider::KEY;
use crate::http::agent;

/// Requests each second.
const RATE: u32 = 6;

/// How many may be under way, so that a gateway that hangs does not fill the machine.
const IN_FLIGHT: u64 = 256;

/// One request.
pub(super) struct Request {
    pub(super) body: String,
    pub(super) session: Option<String>,
    /// The client is gone once it has sent it.
    pub(super) leaves: bool,
}

/// What a client sees of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    /// A whole response.
    Whole(u16),
    /// A response that broke off after its head.
    Broken(u16),
    /// No response.
    Nothing,
    /// Nothing, since it went away.
    Left,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(status) => write!(f, "{status}"),
            Self::Broken(status) => write!(f, "{status}, broken off"),
            Self::Nothing => f.write_str("no response"),
            Self::Left => f.write_str("left"),
        }
    }
}

/// Clients that send request after request, until this is dropped.
pub(super) struct Load {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    url: String,
    port: u16,
    request: fn(u64, bool) -> Request,
    /// Whether the incident has begun.
    begun: AtomicBool,
    stops: AtomicBool,
    in_flight: AtomicU64,
    seen: Mutex<BTreeMap<Seen, u64>>,
}

impl Load {
    /// Sends these, each of which knows its number and whether the incident has begun.
    pub(super) fn start(port: u16, request: fn(u64, bool) -> Request) -> Self {
        let shared = Arc::new(Shared {
            url: format!("http://127.0.0.1:{port}/v1/chat/completions"),
            port,
            request,
            begun: AtomicBool::new(false),
            stops: AtomicBool::new(false),
            in_flight: AtomicU64::new(0),
            seen: Mutex::default(),
        });
        let sending = Arc::clone(&shared);
        let thread = thread::spawn(move || Shared::send(&sending));
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// The incident begins: what was seen before is forgotten.
    pub(super) fn begin(&self) {
        self.shared.begun.store(true, Ordering::Relaxed);
        self.shared.seen().clear();
    }

    /// The incident is over: clients send what they sent before.
    pub(super) fn end(&self) {
        self.shared.begun.store(false, Ordering::Relaxed);
    }

    /// What clients have seen since it began.
    pub(super) fn seen(&self) -> BTreeMap<Seen, u64> {
        self.shared.seen().clone()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It panics only where a client cannot be started, which it has said by itself then.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, BTreeMap<Seen, u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Request after request, at the rate of them as far as the machine keeps up.
    fn send(this: &Arc<Self>) {
        let agent = agent();
        let mut next = Instant::now();
        let mut number = 0;
        while !this.stops.load(Ordering::Relaxed) {
            next = (next + Duration::from_secs(1) / RATE).max(Instant::now());
            if this.in_flight.load(Ordering::Relaxed) < IN_FLIGHT {
                number += 1;
                let request = (this.request)(number, this.begun.load(Ordering::Relaxed));
                let (shared, agent) = (Arc::clone(this), agent.clone());
                this.in_flight.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || {
                    let seen = shared.client(&agent, &request);
                    *shared.seen().entry(seen).or_default() += 1;
                    shared.in_flight.fetch_sub(1, Ordering::Relaxed);
                });
            }
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    fn client(&self, agent: &ureq::Agent, request: &Request) -> Seen {
        if request.leaves {
            // A gateway that takes no connection has no request to be left alone with.
            return self.leave(request).map_or(Seen::Nothing, |()| Seen::Left);
        }
        let mut sent = agent.post(&self.url).content_type("application/json");
        // The sidecar sends the operator's in its place.
        sent = sent.header("authorization", format!("Bearer {KEY}"));
        if let Some(session) = &request.session {
            sent = sent.header("x-session-id", session);
        }
        let Ok(mut response) = sent.send(&request.body) else {
            return Seen::Nothing;
        };
        let status = response.status().as_u16();
        let mut body = Vec::new();
        match response.body_mut().as_reader().read_to_end(&mut body) {
            Ok(_) => Seen::Whole(status),
            Err(_) => Seen::Broken(status),
        }
    }

    fn leave(&self, request: &Request) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let body = &request.body;
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok(stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?)
    }
}
