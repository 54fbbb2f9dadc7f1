//! A provider that does what the plan in a header of each request says, faults above all.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};

use super::spoken;

/// The header that holds the plan.
pub(super) const PLAN: &str = "x-soak-plan";
/// The header that holds the number of the request.
pub(super) const NUMBER: &str = "x-soak-number";

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the provider does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Answers in JSON.
    Json,
    /// Answers in JSON, compressed.
    Gzip,
    /// Answers in JSON, after a while.
    SlowHeaders,
    /// Streams like OpenAI.
    Stream,
    /// Streams like Anthropic.
    Messages,
    /// Streams like Gemini.
    Gemini,
    /// Streams like Bedrock.
    Converse,
    /// Streams like Cohere.
    Cohere,
    /// Streams like Ollama.
    Ollama,
    /// Answers with embeddings.
    Embeddings,
    /// Answers with what it knows of a file.
    File,
    /// Answers with many bytes.
    Download,
    /// Streams, and closes the connection in the middle.
    Cut,
    /// Streams, and ends the body well before the protocol's end.
    Early,
    /// Streams, and reports an error in the middle.
    ErrorEvent,
    /// Streams one chunk, and no more until the gateway goes.
    Open,
    /// Says nothing until the gateway goes.
    Never,
    /// Closes the connection without an answer.
    Hangup,
    /// Answers in something that is not HTTP.
    NoHttp,
    /// Opens a web socket, and sends back what comes until the other side closes.
    Socket,
    /// Opens one, and sends something now and then until the gateway goes.
    EndlessSocket,
    /// Answers with this status.
    Status(u16),
}

impl Plan {
    /// What the responses report: prompt and completion.
    pub(super) const JSON_TOKENS: (u64, u64) = (7, 5);
    pub(super) const STREAM_TOKENS: (u64, u64) = (11, 2);
    pub(super) const MESSAGES_TOKENS: (u64, u64) = (9, 4);
    pub(super) const GEMINI_TOKENS: (u64, u64) = (8, 3);
    pub(super) const CONVERSE_TOKENS: (u64, u64) = (1030, 9);
    pub(super) const COHERE_TOKENS: (u64, u64) = (5, 1);
    pub(super) const OLLAMA_TOKENS: (u64, u64) = (6, 2);
    pub(super) const EMBEDDINGS_TOKENS: (u64, u64) = (4, 0);

    /// As the header says it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            other => format!("{other:?}"),
        }
    }

    /// Whether the request asks for a web socket.
    pub(super) fn is_socket(self) -> bool {
        matches!(self, Self::Socket | Self::EndlessSocket)
    }

    fn parse(name: &str) -> Option<Self> {
        use Plan as P;
        let plans = [
            P::Json,
            P::Gzip,
            P::SlowHeaders,
            P::Stream,
            P::Messages,
            P::Gemini,
            P::Converse,
            P::Cohere,
            P::Ollama,
            P::Embeddings,
            P::File,
            P::Download,
            P::Cut,
            P::Early,
            P::ErrorEvent,
            P::Open,
            P::Never,
            P::Hangup,
            P::NoHttp,
            P::Socket,
            P::EndlessSocket,
        ];
        let mut plans = plans.into_iter();
        let named = plans.find(|plan| plan.name() == name);
        named.or_else(|| name.parse().ok().map(Self::Status))
    }
}

/// The provider, for as long as this lives.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Who waits for the arrival of the request with this number.
    waiting: Mutex<HashMap<u64, mpsc::Sender<()>>>,
    connections: Mutex<HashMap<SocketAddr, TcpStream>>,
}

impl Provider {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port for the provider")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.connection(&stream));
            }
        });
        Ok(Self { address, shared })
    }

    /// Tells when the request with this number has arrived.
    pub(super) fn arrival(&self, number: u64) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel();
        lock(&self.shared.waiting).insert(number, sender);
        receiver
    }

    /// Closes every connection, those that the gateway keeps for later above all.
    pub(super) fn hang_up(&self) {
        for stream in lock(&self.shared.connections).values() {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn connection(&self, stream: &TcpStream) {
        let Ok(peer) = stream.peer_addr() else { return };
        if let Ok(kept) = stream.try_clone() {
            lock(&self.connections).insert(peer, kept);
        }
        // Whoever it is that goes, the connection is over.
        let _ = self.serve(stream);
        lock(&self.connections).remove(&peer);
        let _ = stream.shutdown(Shutdown::Both);
    }

    fn serve(&self, stream: &TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream);
        while let Some((plan, number)) = read_request(&mut reader)? {
            if let Some(waiting) = lock(&self.waiting).remove(&number) {
                // The client may have given up.
                let _ = waiting.send(());
            }
            if !answer(plan, stream)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The plan of the next request, and its number; `None` where there is none.
fn read_request(reader: &mut impl BufRead) -> Result<Option<(Plan, u64)>> {
    let (mut plan, mut number, mut length) = (Plan::Json, 0, 0);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name {
            PLAN => plan = Plan::parse(value).context("no such plan")?,
            NUMBER => number = value.parse()?,
            // All that the example gateway hands on.
            "authorization" => {
                let (named, numbered) = value.split_once(' ').context("no plan and number")?;
                plan = Plan::parse(named).context("no such plan")?;
                number = numbered.parse()?;
            }
            "content-length" => length = value.parse()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((plan, number)))
}

/// Does as planned; whether the connection goes on.
fn answer(plan: Plan, stream: &TcpStream) -> Result<bool> {
    match plan {
        Plan::Json => document(stream, 200, "", spoken::JSON.as_bytes())?,
        Plan::Gzip => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(spoken::JSON.as_bytes())?;
            document(stream, 200, "content-encoding: gzip\r\n", &gzip.finish()?)?;
        }
        Plan::SlowHeaders => {
            thread::sleep(Duration::from_millis(300));
            document(stream, 200, "", spoken::JSON.as_bytes())?;
        }
        Plan::Status(status) => document(stream, status, "", spoken::ERROR.as_bytes())?,
        Plan::Stream => streamed(stream, spoken::STREAM, true)?,
        Plan::Messages => streamed(stream, spoken::MESSAGES, true)?,
        Plan::Gemini => chunked(stream, spoken::SSE, &bytes(spoken::GEMINI), true)?,
        Plan::Cohere => chunked(stream, spoken::SSE, &bytes(spoken::COHERE), true)?,
        Plan::Ollama => chunked(stream, spoken::NDJSON, &bytes(spoken::OLLAMA), true)?,
        Plan::Converse => {
            let recorded = spoken::converse();
            let chunks: Vec<_> = recorded.chunks(100).collect();
            chunked(stream, spoken::EVENT_STREAM, &chunks, true)?;
        }
        Plan::Download => chunked(stream, spoken::BYTES, &[&[7; 16 * 1024][..]; 16], true)?,
        Plan::Embeddings => document(stream, 200, "", spoken::EMBEDDINGS.as_bytes())?,
        Plan::File => document(stream, 200, "", spoken::FILE.as_bytes())?,
        Plan::Early => streamed(stream, spoken::HALF, true)?,
        Plan::ErrorEvent => streamed(stream, spoken::BROKEN, true)?,
        Plan::Cut => {
            streamed(stream, spoken::HALF, false)?;
            return Ok(false);
        }
        Plan::Open => {
            streamed(stream, &spoken::HALF[..1], false)?;
            until_gone(stream);
            return Ok(false);
        }
        Plan::Never => {
            until_gone(stream);
            return Ok(false);
        }
        Plan::Hangup => return Ok(false),
        Plan::NoHttp => {
            let mut stream = stream;
            stream.write_all(b"220 mail.example ESMTP\r\n")?;
            return Ok(false);
        }
        Plan::Socket => {
            let (mut from, mut to) = (stream, stream);
            to.write_all(SWITCHED)?;
            std::io::copy(&mut from, &mut to)?;
            return Ok(false);
        }
        Plan::EndlessSocket => {
            let mut stream = stream;
            stream.write_all(SWITCHED)?;
            while stream.write_all(b"tick").is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
            return Ok(false);
        }
    }
    Ok(true)
}

fn document(mut stream: &TcpStream, status: u16, headers: &str, body: &[u8]) -> Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Planned\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n"
    );
    Ok(stream.write_all(&[head.as_bytes(), body].concat())?)
}

/// Writes events, each a chunk of its own, and ends the body, or not.
fn streamed(stream: &TcpStream, events: &[&str], ends: bool) -> Result<()> {
    chunked(stream, spoken::SSE, &bytes(events), ends)
}

fn bytes<'a>(texts: &[&'a str]) -> Vec<&'a [u8]> {
    texts.iter().map(|text| text.as_bytes()).collect()
}

fn chunked(mut stream: &TcpStream, kind: &str, chunks: &[&[u8]], ends: bool) -> Result<()> {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    for chunk in chunks {
        let size = format!("{:x}\r\n", chunk.len());
        stream.write_all(&[size.as_bytes(), chunk, b"\r\n"].concat())?;
    }
    if ends {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}

/// Waits until the other side closes.
fn until_gone(mut stream: &TcpStream) {
    let mut rest = [0; 64];
    while matches!(stream.read(&mut rest), Ok(1..)) {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const SWITCHED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::table::rows;

    #[test]
    fn every_plan_is_understood() {
        for row in rows() {
            assert_eq!(Plan::parse(&row.plan.name()), Some(row.plan));
        }
    }
}
