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
        Plan::Json => document(stream, 200, "", JSON.as_bytes())?,
        Plan::Gzip => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(JSON.as_bytes())?;
            document(stream, 200, "content-encoding: gzip\r\n", &gzip.finish()?)?;
        }
        Plan::SlowHeaders => {
            thread::sleep(Duration::from_millis(300));
            document(stream, 200, "", JSON.as_bytes())?;
        }
        Plan::Status(status) => document(stream, status, "", ERROR.as_bytes())?,
        Plan::Stream => streamed(stream, &[FIRST, SECOND, FINISH, USAGE, DONE], true)?,
        Plan::Messages => streamed(stream, MESSAGES, true)?,
        Plan::Early => streamed(stream, &[FIRST, SECOND], true)?,
        Plan::ErrorEvent => streamed(stream, &[FIRST, SECOND, ERROR_EVENT], true)?,
        Plan::Cut => {
            streamed(stream, &[FIRST, SECOND], false)?;
            return Ok(false);
        }
        Plan::Open => {
            streamed(stream, &[FIRST], false)?;
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
fn streamed(mut stream: &TcpStream, events: &[&str], ends: bool) -> Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes())?;
    for event in events {
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        stream.write_all(chunk.as_bytes())?;
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
const JSON: &str = r#"{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}"#;
const ERROR: &str = r#"{"error":{"message":"planned","type":"planned","code":null}}"#;
const FIRST: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"},\"finish_reason\":null}]}\n\n";
const SECOND: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":null}]}\n\n";
const FINISH: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":2,\"total_tokens\":13}}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const ERROR_EVENT: &str =
    "data: {\"error\":{\"message\":\"planned\",\"type\":\"server_error\"}}\n\n";
const MESSAGES: &[&str] = &[
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"c\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::table::ROWS;

    #[test]
    fn every_plan_is_understood() {
        for row in ROWS {
            assert_eq!(Plan::parse(&row.plan.name()), Some(row.plan));
        }
    }
}
