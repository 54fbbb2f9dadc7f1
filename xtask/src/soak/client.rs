//! Clients over plain sockets, since the worst of them speak no HTTP that a library would.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, write::GzEncoder};

use super::{
    provider::{NUMBER, PLAN, Provider},
    rows::{Body, Client, Row, Sees},
    target::Target,
};

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How old a connection may be that is used again: younger than any that the gateway closes for being
/// idle.
const FRESH: Duration = Duration::from_secs(3);

/// One client, which plays one row after the other.
pub(super) struct Player<'a> {
    target: Target,
    gateway: SocketAddr,
    provider: &'a Provider,
    kept: Option<(BufReader<TcpStream>, Instant)>,
}

impl<'a> Player<'a> {
    pub(super) fn new(target: Target, gateway: SocketAddr, provider: &'a Provider) -> Self {
        Self {
            target,
            gateway,
            provider,
            kept: None,
        }
    }

    /// Plays a row; fails where something else is seen than should be.
    pub(super) fn play(&mut self, row: &Row, number: u64) -> Result<()> {
        let mut connection = match self.kept.take() {
            Some((kept, since)) if row.client == Client::Keeps && since.elapsed() < FRESH => kept,
            _ => self.connect()?,
        };
        let (seen, closes) = self.talk(&mut connection, row, number)?;
        ensure!(seen.is_as(row.sees), "saw {seen:?}, not {:?}", row.sees);
        if row.client == Client::Keeps && !closes && matches!(seen, Sees::Whole(_)) {
            self.kept = Some((connection, Instant::now()));
        }
        Ok(())
    }

    fn connect(&self) -> Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.gateway).context("the gateway takes no connection")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    }

    /// What is seen, and whether the gateway says that it closes the connection.
    fn talk(
        &self,
        connection: &mut BufReader<TcpStream>,
        row: &Row,
        number: u64,
    ) -> Result<(Sees, bool)> {
        let body = body(row.body, self.target.max_request_bytes())?;
        let head = head(row, number, body.len());
        let stream = connection.get_mut();
        match row.client {
            Client::Sends(bytes) => stream.write_all(bytes)?,
            Client::SendsHalf | Client::LeavesInRequest => {
                let half = &body[..body.len() / 2];
                stream.write_all(&[head.as_bytes(), half].concat())?;
                if row.client == Client::LeavesInRequest {
                    return Ok((Sees::Left, true));
                }
                stream.shutdown(Shutdown::Write)?;
            }
            Client::LeavesBeforeHeaders => {
                let arrival = self.provider.arrival(number);
                stream.write_all(&[head.as_bytes(), &body].concat())?;
                let arrived = arrival.recv_timeout(PATIENCE);
                arrived.context("the request does not reach the provider")?;
                return Ok((Sees::Left, true));
            }
            _ => match stream.write_all(&[head.as_bytes(), &body].concat()) {
                // A body that is refused may be refused before its end.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                written => written?,
            },
        }
        read_answer(connection, row)
    }
}

fn head(row: &Row, number: u64, length: usize) -> String {
    let (method, path, plan) = (row.method, row.path, row.plan.name());
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{PLAN}: {plan}\r\n{NUMBER}: {number}\r\n\
         authorization: {plan} {number}\r\n"
    );
    if length > 0 {
        let kind = row.body.content_type();
        head += &format!("content-type: {kind}\r\ncontent-length: {length}\r\n");
    }
    if matches!(row.body, Body::Gzip(_) | Body::Bomb) {
        head += "content-encoding: gzip\r\n";
    }
    if row.plan.is_socket() {
        head += "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                 sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    }
    if row.client == Client::Closes {
        head += "connection: close\r\n";
    }
    head + "\r\n"
}

fn body(body: Body, limit: usize) -> Result<Vec<u8>> {
    let completion = |model, stream| {
        let messages = r#"[{"role":"user","content":"Say hello."}]"#;
        format!(r#"{{"model":"{model}","stream":{stream},"messages":{messages}}}"#)
    };
    Ok(match body {
        Body::None => Vec::new(),
        Body::Completion(model, stream) => completion(model, stream).into(),
        Body::TooLarge => vec![b' '; limit + 1],
        Body::Gzip(model) => gzip(completion(model, false).as_bytes())?,
        Body::Bomb => gzip(&vec![b' '; limit + 1])?,
        Body::NoJson => b"model=m&stream=true".to_vec(),
        Body::Object => b"{}".to_vec(),
        Body::Form(length) => {
            let head =
                b"--X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
            [&head[..], &vec![b'a'; length], b"\r\n--X--\r\n"].concat()
        }
    })
}

fn gzip(text: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text)?;
    Ok(gzip.finish()?)
}

fn read_answer(connection: &mut BufReader<TcpStream>, row: &Row) -> Result<(Sees, bool)> {
    let mut line = String::new();
    match connection.read_line(&mut line) {
        Ok(0) => return Ok((Sees::Closed, true)),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {
            return Ok((Sees::Closed, true));
        }
        read => read?,
    };
    let status: u16 = match line.split(' ').nth(1) {
        Some(status) => status.parse()?,
        None => bail!("no response, but {line:?}"),
    };
    let mut length = None;
    let (mut chunked, mut closes) = (false, row.plan.is_socket());
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = Some(value.parse()?),
            "transfer-encoding" => chunked = true,
            "connection" => closes |= value == "close",
            _ => {}
        }
    }
    if row.client == Client::LeavesInBody {
        connection.fill_buf()?;
        return Ok((Sees::Left, true));
    }
    let whole = if row.method == "HEAD" {
        true
    } else if row.plan.is_socket() {
        echoes(connection)?
    } else if chunked {
        read_chunks(connection)
    } else {
        let length = length.context("a body without a length")?;
        read_exactly(connection, length)
    };
    let seen = if whole {
        Sees::Whole(status)
    } else {
        Sees::Broken(status)
    };
    Ok((seen, closes))
}

/// Whether what is sent over a web socket comes back, and nothing else before both sides have closed.
fn echoes(connection: &mut BufReader<TcpStream>) -> Result<bool> {
    const SENT: &[u8] = b"a message";
    let stream = connection.get_mut();
    stream.write_all(SENT)?;
    stream.shutdown(Shutdown::Write)?;
    let mut echoed = Vec::new();
    Ok(connection.read_to_end(&mut echoed).is_ok() && echoed == SENT)
}

/// Whether there were as many bytes.
fn read_exactly(connection: &mut BufReader<TcpStream>, length: usize) -> bool {
    connection.read_exact(&mut vec![0; length]).is_ok()
}

/// Whether the body came to its end.
fn read_chunks(connection: &mut BufReader<TcpStream>) -> bool {
    let mut line = String::new();
    loop {
        line.clear();
        let Ok(1..) = connection.read_line(&mut line) else {
            return false;
        };
        let Ok(length) = usize::from_str_radix(line.trim_end(), 16) else {
            return false;
        };
        if !read_exactly(connection, length + "\r\n".len()) {
            return false;
        }
        if length == 0 {
            return true;
        }
    }
}
