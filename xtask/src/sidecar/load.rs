//! Requests over kept connections, each of which has one in flight, and what is read of HTTP/1.1 for that.

use std::{
    fmt,
    io::{self, ErrorKind::InvalidData, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use anyhow::{Context, Result, anyhow, ensure};

/// Connections of a load.
const CONNECTIONS: u32 = 16;

/// Events of a stream.
pub(super) const EVENTS: usize = 100;

/// The body of a request, in bytes.
const BODY: usize = 1024;

/// How the body of a request starts that asks for a stream.
pub(super) const STREAMED: &[u8] =
    br#"{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"#;
const PLAIN: &[u8] = br#"{"model":"gpt-4o","#;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Stream,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json => f.write_str("1 KiB of JSON each way"),
            Self::Stream => write!(f, "SSE of {EVENTS} events"),
        }
    }
}

/// Sends so many requests to a proxy, and reads each response to its end.
pub(super) fn run(to: SocketAddr, kind: Kind, requests: u32) -> Result<()> {
    let left = AtomicU32::new(requests);
    let request = request(kind, b"");
    thread::scope(|threads| {
        let connection = || {
            let mut stream = connect(to)?;
            let mut message = Message::default();
            while left
                .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
                .is_ok()
            {
                exchange(&mut stream, &mut message, &request)?;
            }
            Ok(())
        };
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|_| threads.spawn(connection))
            .collect();
        connections.into_iter().try_for_each(|connection| {
            connection
                .join()
                .map_err(|_| anyhow!("a connection panicked"))?
        })
    })
}

pub(super) fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(to).context("no connection to the proxy")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One request, and its response to its end.
pub(super) fn exchange(
    stream: &mut TcpStream,
    message: &mut Message,
    request: &[u8],
) -> Result<()> {
    stream.write_all(request)?;
    ensure!(message.read(stream)?, "the proxy closed the connection");
    ensure!(
        message.bytes.starts_with(b"HTTP/1.1 200"),
        "the proxy answers {}",
        String::from_utf8_lossy(&message.bytes)
    );
    Ok(())
}

/// A request as an SDK sends it. `said` stands in its body.
pub(super) fn request(kind: Kind, said: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk-0123456789abcdef\r\n\
         content-type: application/json\r\naccept: application/json\r\naccept-encoding: gzip, deflate\r\n\
         user-agent: OpenAI/Python 1.99.0\r\nx-stainless-lang: python\r\nx-stainless-package-version: 1.99.0\r\n\
         x-stainless-runtime: CPython\r\nx-stainless-retry-count: 0\r\ncontent-length: {BODY}\r\n\r\n"
    );
    let start = match kind {
        Kind::Json => PLAIN,
        Kind::Stream => STREAMED,
    };
    let start = [
        start,
        br#""temperature":0.2,"messages":[{"role":"user","content":""#,
        said,
    ]
    .concat();
    let end = br#""}]}"#;
    let words = b"words and "
        .iter()
        .cycle()
        .take(BODY - start.len() - end.len());
    let words: Vec<u8> = words.copied().collect();
    [head.as_bytes(), &start, &words, end].concat()
}

/// A message of HTTP/1.1, read to its end.
#[derive(Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
    head: usize,
}

impl Message {
    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    /// Reads the next message; `false` where the other end has closed the connection.
    pub(super) fn read(&mut self, stream: &mut impl Read) -> io::Result<bool> {
        self.bytes.clear();
        self.head = loop {
            if !self.more(stream)? {
                return Ok(false);
            }
            let end = self.bytes.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
        };
        let head = str::from_utf8(&self.bytes[..self.head]);
        let head = head.map_err(|error| io::Error::new(InvalidData, error))?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>())
        });
        let length = length
            .transpose()
            .map_err(|error| io::Error::new(InvalidData, error))?;
        loop {
            let ended = match length {
                Some(length) => self.body().len() >= length,
                // No body here says this of itself.
                None => self.bytes.ends_with(b"\r\n0\r\n\r\n"),
            };
            if ended {
                return Ok(true);
            }
            if !self.more(stream)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads until this is among what was read.
    pub(super) fn read_until(&mut self, stream: &mut impl Read, text: &[u8]) -> io::Result<()> {
        self.bytes.clear();
        while !self.bytes.windows(text.len()).any(|part| part == text) {
            if !self.more(stream)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    fn more(&mut self, stream: &mut impl Read) -> io::Result<bool> {
        let mut part = [0; 8 << 10];
        let count = stream.read(&mut part)?;
        self.bytes.extend_from_slice(&part[..count]);
        Ok(count > 0)
    }
}
