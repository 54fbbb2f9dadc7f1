use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// An upstream that speaks HTTP by hand, connection by connection.
pub(crate) struct ByHand {
    pub(crate) url: String,
    counts: Arc<Counts>,
    server: AbortHandle,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// A connection to it.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    /// The how manieth it is, from 0.
    pub(crate) number: usize,
    counts: Arc<Counts>,
}

impl ByHand {
    pub(crate) async fn start<F, Fut>(serve: F) -> Self
    where
        F: Fn(Connection) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(Connection {
                    stream,
                    read: Vec::new(),
                    number: counted.connections.fetch_add(1, SeqCst),
                    counts: Arc::clone(&counted),
                }));
            }
        });
        Self {
            url,
            counts,
            server: server.abort_handle(),
        }
    }

    /// One that gives every request these bytes, and closes the connection behind them.
    pub(crate) async fn once(answer: &'static str) -> Self {
        Self::start(move |mut connection: Connection| async move {
            if connection.request().await.is_some() {
                let _ = connection.write(answer).await;
            }
        })
        .await
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(SeqCst)
    }

    /// The requests that came whole.
    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(SeqCst)
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Connection {
    /// The next request, its head and its body; or the connection ends.
    pub(crate) async fn request(&mut self) -> Option<String> {
        loop {
            let text = String::from_utf8_lossy(&self.read).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let declared = head.to_ascii_lowercase().lines().find_map(|line| {
                    let length = line.strip_prefix("content-length: ")?;
                    length.parse::<usize>().ok()
                });
                if body.len() >= declared.unwrap_or(0) {
                    self.read.clear();
                    self.counts.requests.fetch_add(1, SeqCst);
                    return Some(text);
                }
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.read.extend_from_slice(&chunk[..count]),
            }
        }
    }

    /// So many bytes that are no request.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Waits until the other end closes.
    pub(crate) async fn closed(&mut self) {
        while self.request().await.is_some() {}
    }
}

/// A whole chat completion, with its length, so that the connection could be kept.
pub(crate) const CHAT: &str = concat!(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 128\r\n\r\n",
    r#"{"object":"chat.completion","model":"m","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12}}"#,
);
