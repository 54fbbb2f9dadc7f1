//! What the two servers of this package, `:9092` and the gateway of the binary, do alike with connections. No part of
//! the API: it changes with the binary.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Who is told of what passes over a connection.
pub trait Watch {
    /// Bytes came in.
    fn read(&self);

    /// Bytes were to go out: some did, or none could.
    fn write(&self, _could: bool) {}

    /// It is about to be closed.
    fn close(&self, _stream: &TcpStream) {}
}

/// A connection that was accepted, and is watched.
#[derive(Debug)]
pub struct Socket<W: Watch> {
    stream: TcpStream,
    watch: Arc<W>,
}

impl<W: Watch> Socket<W> {
    /// This stream, watched from now on.
    pub fn new(stream: TcpStream, watch: Arc<W>) -> Self {
        Self { stream, watch }
    }

    /// The stream, past who watches it.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn wrote(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.watch.write(polled.is_ready());
        polled
    }
}

impl<W: Watch> Drop for Socket<W> {
    fn drop(&mut self) {
        self.watch.close(&self.stream);
    }
}

impl<W: Watch> AsyncRead for Socket<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.watch.read();
        }
        polled
    }
}

impl<W: Watch> AsyncWrite for Socket<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(polled)
    }

    /// Without it hyper would copy each response before it writes it.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Without an error: a client that is gone already must not hide why the connection ends.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gone = Pin::new(&mut self.stream).poll_shutdown(cx);
        gone.map(|_| Ok(()))
    }
}

/// Whether a connection could not be accepted because something here is exhausted, such as open files, which only time
/// can help. Else its client was at fault, and the next one may be accepted at once.
#[must_use]
pub fn is_exhaustion(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    !matches!(
        error.kind(),
        E::ConnectionAborted | E::ConnectionRefused | E::ConnectionReset
    )
}
