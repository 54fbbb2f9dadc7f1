//! The provider's answers, as planned.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};

use super::{plan::Plan, spoken};

/// Does as planned; whether the connection goes on.
pub(super) fn answer(plan: Plan, mut stream: &TcpStream) -> Result<bool> {
    match plan {
        Plan::Cut => streamed(stream, spoken::HALF, false)?,
        Plan::Open => {
            streamed(stream, &spoken::HALF[..1], false)?;
            until_gone(stream);
        }
        Plan::Never => until_gone(stream),
        Plan::Hangup => {}
        Plan::NoHttp => stream.write_all(b"220 mail.example ESMTP\r\n")?,
        Plan::Socket => {
            let mut from = stream;
            stream.write_all(SWITCHED)?;
            io::copy(&mut from, &mut stream)?;
        }
        Plan::EndlessSocket => {
            stream.write_all(SWITCHED)?;
            while stream.write_all(b"tick").is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        }
        whole => return responds(whole, stream).map(|()| true),
    }
    Ok(false)
}

/// Writes the whole response that is planned.
fn responds(plan: Plan, stream: &TcpStream) -> Result<()> {
    match plan {
        Plan::Gzip => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(spoken::JSON.as_bytes())?;
            document(stream, 200, "content-encoding: gzip\r\n", &gzip.finish()?)
        }
        Plan::SlowHeaders => {
            thread::sleep(Duration::from_millis(300));
            document(stream, 200, "", spoken::JSON.as_bytes())
        }
        Plan::Status(status) => document(stream, status, "", spoken::ERROR.as_bytes()),
        Plan::Stream => streamed(stream, spoken::STREAM, true),
        Plan::Messages => streamed(stream, spoken::MESSAGES, true),
        Plan::Gemini => streamed(stream, spoken::GEMINI, true),
        Plan::Cohere => streamed(stream, spoken::COHERE, true),
        Plan::Early => streamed(stream, spoken::HALF, true),
        Plan::ErrorEvent => streamed(stream, spoken::BROKEN, true),
        Plan::Ollama => chunked(stream, spoken::NDJSON, &bytes(spoken::OLLAMA), true),
        Plan::Converse => {
            let recorded = spoken::converse();
            let chunks: Vec<_> = recorded.chunks(100).collect();
            chunked(stream, spoken::EVENT_STREAM, &chunks, true)
        }
        Plan::Download => chunked(stream, spoken::BYTES, &[&[7; 16 * 1024][..]; 16], true),
        Plan::Embeddings => document(stream, 200, "", spoken::EMBEDDINGS.as_bytes()),
        Plan::File => document(stream, 200, "", spoken::FILE.as_bytes()),
        _ => document(stream, 200, "", spoken::JSON.as_bytes()),
    }
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

const SWITCHED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
