//! Hands each export on to several receivers, as a collector with several exporters does, and keeps the last one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::http;

/// How long the next export may take: its interval is a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// Larger than any export of a demo.
const MAX_BODY: usize = 16 << 20;

/// A listener that runs to the end of the task.
pub(super) struct Tee {
    /// Where exports go.
    pub(super) url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    exports: usize,
    last: Vec<u8>,
    faults: Vec<String>,
}

/// A request, with the headers that receivers read.
struct Export {
    content_type: String,
    encoding: Option<String>,
    body: Vec<u8>,
}

impl Tee {
    /// Begins to listen.
    pub(super) fn start(receivers: &[String]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/v1/metrics", listener.local_addr()?);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (shared, receivers) = (Arc::clone(&seen), receivers.to_vec());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let handed = serve(stream, &receivers);
                let mut seen = shared.lock().unwrap_or_else(PoisonError::into_inner);
                match handed {
                    Ok(export) => {
                        seen.exports += 1;
                        seen.last = export.body;
                    }
                    Err(error) => seen.faults.push(format!("{error:#}")),
                }
            }
        });
        Ok(Self { url, seen })
    }

    /// Waits until two more exports have arrived everywhere, the second of which began after this call.
    pub(super) fn two_more(&self) -> Result<()> {
        let start = Instant::now();
        let before = self.exports()?;
        while self.exports()? < before + 2 {
            ensure!(
                start.elapsed() < PATIENCE,
                "{PATIENCE:?} passed without two exports"
            );
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// How many have arrived everywhere; fails where one was not taken.
    pub(super) fn exports(&self) -> Result<usize> {
        let seen = self.seen();
        if let Some(fault) = seen.faults.first() {
            bail!("{} exports were not taken: {fault}", seen.faults.len());
        }
        Ok(seen.exports)
    }

    /// The body of the last one.
    pub(super) fn last(&self) -> Vec<u8> {
        self.seen().last.clone()
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads one export, hands it on, and passes on what the receivers say.
fn serve(mut stream: TcpStream, receivers: &[String]) -> Result<Export> {
    let export = read(&stream)?;
    let handed: Result<Vec<()>> = receivers.iter().map(|url| hand(url, &export)).collect();
    let status = if handed.is_ok() {
        "200 OK"
    } else {
        "400 Bad Request"
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    handed?;
    Ok(export)
}

fn read(stream: &TcpStream) -> Result<Export> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let mut export = Export {
        content_type: String::new(),
        encoding: None,
        body: Vec::new(),
    };
    let mut length = 0;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    ensure!(line.starts_with("POST /v1/metrics "), "asked for {line}");
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-type" => value.clone_into(&mut export.content_type),
            "content-encoding" => export.encoding = Some(value.to_owned()),
            "content-length" => length = value.parse()?,
            _ => {}
        }
    }
    ensure!((1..MAX_BODY).contains(&length), "a body of {length} bytes");
    export.body.resize(length, 0);
    reader.read_exact(&mut export.body)?;
    Ok(export)
}

/// Hands it on to this receiver, which must take it.
fn hand(url: &str, export: &Export) -> Result<()> {
    let mut request = http::agent()
        .post(url)
        .header("Content-Type", &export.content_type);
    if let Some(encoding) = &export.encoding {
        request = request.header("Content-Encoding", encoding);
    }
    let mut response = request
        .send(&export.body[..])
        .with_context(|| format!("POST {url}"))?;
    let said = response.body_mut().read_to_string()?;
    let status = response.status();
    ensure!(status == 200, "{url}: {status}: {said}");
    ensure!(said.is_empty(), "{url} took it, and said: {said}");
    Ok(())
}
