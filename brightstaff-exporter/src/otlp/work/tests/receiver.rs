//! A receiver that does as it is told, over real sockets.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub(super) enum Play {
    /// Responds with this, as it stands, and waits for the next one.
    Says(Vec<u8>),
    /// The same, and closes the connection without a word of it.
    SaysAndLeaves(Vec<u8>),
    /// Responds with this, and with so many bytes more.
    Floods(Vec<u8>, usize),
    /// Never responds.
    Stalls,
    /// Ends the connection with a reset.
    Resets,
}

/// Responds with this status, these header lines and this body.
pub(super) fn says(status: &str, headers: &str, body: &[u8]) -> Play {
    let len = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {len}\r\n{headers}\r\n");
    Play::Says([head.as_bytes(), body].concat())
}

pub(super) fn ok() -> Play {
    says("200 OK", "content-type: application/x-protobuf\r\n", b"")
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    pub(super) at: Instant,
    /// The number of its connection, from 0 on.
    pub(super) connection: usize,
}

#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// What is done with the next requests; the last goes for all that follow.
    plays: Mutex<VecDeque<Play>>,
    received: watch::Sender<Vec<Received>>,
    /// How much of floods went out.
    flooded: watch::Sender<usize>,
}

impl Receiver {
    pub(super) async fn new(plays: impl IntoIterator<Item = Play>) -> Self {
        Self::start(plays, None).await
    }

    pub(super) async fn with_tls(
        plays: impl IntoIterator<Item = Play>,
        config: ServerConfig,
    ) -> Self {
        Self::start(plays, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(plays: impl IntoIterator<Item = Play>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            plays: Mutex::new(plays.into_iter().collect()),
            received: watch::Sender::default(),
            flooded: watch::Sender::default(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (shared, tls) = (Arc::clone(&serving), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => drop(shared.serve(stream, connection).await),
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                let _ = shared.serve(stream, connection).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, shared }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/v1/metrics", self.address)
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// Waits until so many requests have come.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut received = self.shared.received.subscribe();
        let received = received.wait_for(|received| received.len() >= count);
        received.await.unwrap().clone()
    }

    pub(super) fn flooded(&self) -> usize {
        *self.shared.flooded.borrow()
    }
}

/// What can be reset.
trait Peer: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Peer for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Peer for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Shared {
    fn next(&self) -> Play {
        let mut plays = self.plays.lock().unwrap();
        if plays.len() > 1 {
            plays.pop_front().unwrap()
        } else {
            plays[0].clone()
        }
    }

    async fn serve(&self, mut peer: impl Peer, connection: usize) -> io::Result<()> {
        loop {
            let (head, body) = request(&mut peer).await?;
            let at = Instant::now();
            let play = self.next();
            let one = Received {
                head,
                body,
                at,
                connection,
            };
            self.received.send_modify(|received| received.push(one));
            match play {
                Play::Says(response) => peer.write_all(&response).await?,
                Play::SaysAndLeaves(response) => {
                    peer.write_all(&response).await?;
                    return Ok(());
                }
                Play::Floods(head, bytes) => {
                    peer.write_all(&head).await?;
                    let chunk = vec![b'x'; 64 << 10];
                    for _ in 0..bytes / chunk.len() {
                        peer.write_all(&chunk).await?;
                        self.flooded.send_modify(|flooded| *flooded += chunk.len());
                    }
                }
                Play::Stalls => tokio::time::sleep(Duration::from_secs(3600)).await,
                Play::Resets => {
                    // What is closed with a linger of 0 is reset.
                    #[expect(deprecated)] // It blocks on close where the linger is not 0.
                    peer.tcp().set_linger(Some(Duration::ZERO))?;
                    return Ok(());
                }
            }
        }
    }
}

async fn request(peer: &mut (impl AsyncRead + Unpin)) -> io::Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = read.split_off(end + 4);
            break (String::from_utf8(read).unwrap(), body);
        }
        if peer.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let (head, mut body) = head;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap().parse().unwrap();
    let so_far = body.len();
    body.resize(length, 0);
    peer.read_exact(&mut body[so_far..]).await?;
    Ok((head, body))
}
