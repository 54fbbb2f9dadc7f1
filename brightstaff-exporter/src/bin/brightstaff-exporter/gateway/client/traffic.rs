use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Instant,
};

use hyper::rt::{Read, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// When bytes passed over a connection, in nanoseconds from the client's epoch; 0 is never.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    first_written: AtomicU64,
    last_written: AtomicU64,
    last_read: AtomicU64,
}

impl Traffic {
    /// Whether something was written before this instant: requests of others.
    pub(super) fn wrote_before(&self, instant: u64) -> bool {
        let first = self.first_written.load(Ordering::Acquire);
        first != 0 && first < instant
    }

    pub(super) fn wrote_since(&self, instant: u64) -> bool {
        self.last_written.load(Ordering::Acquire) >= instant
    }

    pub(super) fn read_since(&self, instant: u64) -> bool {
        self.last_read.load(Ordering::Acquire) >= instant
    }
}

/// Nanoseconds from the epoch, and never 0.
pub(super) fn since(epoch: Instant) -> u64 {
    // Five centuries fit.
    u64::try_from(epoch.elapsed().as_nanos())
        .unwrap_or(u64::MAX)
        .max(1)
}

/// What a connection consists of, TLS included.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection whose traffic is noted.
pub(super) struct Watched {
    stream: Box<dyn Stream>,
    proxied: bool,
    http2: bool,
    traffic: Arc<Traffic>,
    epoch: Instant,
}

impl Watched {
    /// `proxied`: to a proxy that gets whole requests.
    pub(super) fn new<S>(stream: S, proxied: bool, epoch: Instant) -> TokioIo<Self>
    where
        S: Read + Write + Connection + Send + Unpin + 'static,
    {
        TokioIo::new(Self {
            proxied,
            http2: stream.connected().is_negotiated_h2(),
            stream: Box::new(TokioIo::new(stream)),
            traffic: Arc::default(),
            epoch,
        })
    }

    fn wrote(&self, count: usize) {
        if count == 0 {
            return;
        }
        let now = since(self.epoch);
        let traffic = &self.traffic;
        if traffic.first_written.load(Ordering::Relaxed) == 0 {
            traffic.first_written.store(now, Ordering::Release);
        }
        traffic.last_written.store(now, Ordering::Release);
    }
}

impl Connection for Watched {
    fn connected(&self) -> Connected {
        let connected = Connected::new()
            .proxy(self.proxied)
            .extra(Arc::clone(&self.traffic));
        if self.http2 {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            let now = since(self.epoch);
            self.traffic.last_read.store(now, Ordering::Release);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.wrote(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
