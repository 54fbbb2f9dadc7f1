//! Bytes that pass both ways between a client and a provider, whatever they say.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// What is held of the bytes that pass one way.
const BUFFER_BYTES: usize = 8 << 10;

/// How long the other side may be silent once one has closed: a web socket is closed from both sides at once.
const HALF_CLOSED: Duration = Duration::from_secs(30);

/// How a tunnel ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Both sides closed, or one did and the other ended somehow.
    Closed,
    /// The client is gone, or takes nothing.
    ClientLeft(io::Error),
    /// The provider's connection broke, or nothing passed for too long.
    Broken(io::Error),
}

/// Passes bytes until both sides have closed, one is gone, or none passed for as long as `silence`. `read` was read from
/// the client already.
pub(super) async fn tunnel<C, P>(client: C, read: Bytes, provider: P, silence: Duration) -> Ended
where
    C: AsyncRead + AsyncWrite + Unpin,
    P: AsyncRead + AsyncWrite + Unpin,
{
    let mut ends = Ends { client, provider };
    let (mut up, mut down) = (Way::new(read), Way::new(Bytes::new()));
    let mut timer = pin!(sleep(silence));
    let mut last = Instant::now();
    poll_fn(|cx| {
        let before = up.passed + down.passed;
        if let Poll::Ready(ended) = ends.poll(&mut up, &mut down, cx) {
            return Poll::Ready(ended);
        }
        if up.passed + down.passed > before {
            last = Instant::now();
        }
        let half_closed = up.closed || down.closed;
        let limit = silence.min(if half_closed { HALF_CLOSED } else { silence });
        ready!(poll_until(timer.as_mut(), last + limit, cx));
        let fault = format!("nothing passed for {limit:?}");
        let fault = io::Error::new(io::ErrorKind::TimedOut, fault);
        Poll::Ready(if down.closed {
            Ended::Closed
        } else if up.closed || down.is_blocked() {
            Ended::ClientLeft(fault)
        } else {
            Ended::Broken(fault)
        })
    })
    .await
}

/// Ready from this instant on. The timer is set anew only where it fires too early, or would too late.
fn poll_until(mut timer: Pin<&mut Sleep>, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
    if until < timer.deadline() {
        timer.as_mut().reset(until);
    }
    loop {
        ready!(timer.as_mut().poll(cx));
        if timer.deadline() >= until {
            return Poll::Ready(());
        }
        timer.as_mut().reset(until);
    }
}

struct Ends<C, P> {
    client: C,
    provider: P,
}

impl<C, P> Ends<C, P>
where
    C: AsyncRead + AsyncWrite + Unpin,
    P: AsyncRead + AsyncWrite + Unpin,
{
    fn poll(&mut self, up: &mut Way, down: &mut Way, cx: &mut Context<'_>) -> Poll<Ended> {
        let Self { client, provider } = self;
        let broken = match up.poll(client, provider, cx) {
            Poll::Ready(Err(End::From(error))) => Err(Ended::ClientLeft(error)),
            Poll::Ready(Err(End::To(error))) => Err(Ended::Broken(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        };
        // What the provider sent before it broke is the client's all the same.
        let broken = match down.poll(provider, client, cx) {
            Poll::Ready(Err(End::From(error))) => broken.and(Err(Ended::Broken(error))),
            Poll::Ready(Err(End::To(error))) => broken.and(Err(Ended::ClientLeft(error))),
            Poll::Ready(Ok(())) | Poll::Pending => broken,
        };
        match broken {
            Ok(()) if up.closed && down.closed => Poll::Ready(Ended::Closed),
            Ok(()) => Poll::Pending,
            // The client has all that the provider had to say, or did not want to hear it.
            Err(_) if down.closed => Poll::Ready(Ended::Closed),
            Err(Ended::Broken(_)) if up.closed => Poll::Ready(Ended::Closed),
            Err(ended) => Poll::Ready(ended),
        }
    }
}

/// The bytes that pass one way, and how far they are.
struct Way {
    buffer: Box<[u8]>,
    /// What of the buffer is to be written.
    waiting: std::ops::Range<usize>,
    /// What goes before the buffer.
    first: Bytes,
    flushed: bool,
    ended: bool,
    closed: bool,
    /// Read and written, in bytes.
    passed: u64,
}

/// Which end of a way failed.
enum End {
    From(io::Error),
    To(io::Error),
}

impl Way {
    fn new(first: Bytes) -> Self {
        Self {
            buffer: Box::default(),
            waiting: 0..0,
            first,
            flushed: true,
            ended: false,
            closed: false,
            passed: 0,
        }
    }

    /// Whether something waits for the reader.
    fn is_blocked(&self) -> bool {
        !self.waiting.is_empty() || !self.first.is_empty()
    }

    /// Ready once the end of what comes from the one side was passed to the other.
    fn poll<F, T>(
        &mut self,
        from: &mut F,
        to: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), End>>
    where
        F: AsyncRead + Unpin,
        T: AsyncWrite + Unpin,
    {
        while !self.closed {
            ready!(self.poll_write(to, cx)).map_err(End::To)?;
            if self.ended {
                // Whoever is gone already needs no end.
                let _ = ready!(Pin::new(&mut *to).poll_shutdown(cx));
                self.closed = true;
            } else if let Poll::Ready(read) = self.poll_read(from, cx) {
                read.map_err(End::From)?;
            } else {
                if !self.flushed {
                    ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(End::To)?;
                    self.flushed = true;
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(
        &mut self,
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.is_blocked() {
            let bytes = match &self.first[..] {
                [] => &self.buffer[self.waiting.clone()],
                first => first,
            };
            let count = ready!(Pin::new(&mut *to).poll_write(cx, bytes))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if self.first.is_empty() {
                self.waiting.start += count;
            } else {
                self.first = self.first.split_off(count);
            }
            self.flushed = false;
            self.passed += count as u64;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; BUFFER_BYTES].into();
        }
        let mut buffer = ReadBuf::new(&mut self.buffer);
        let count = match ready!(Pin::new(from).poll_read(cx, &mut buffer)) {
            Ok(()) => buffer.filled().len(),
            // Over TLS many close without a word; the protocols in here tell an end by themselves.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        self.ended = count == 0;
        self.waiting = 0..count;
        self.passed += count as u64;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::JoinHandle,
    };

    use super::*;

    const SILENCE: Duration = Duration::from_secs(3600);

    /// A tunnel between a client and a provider, and what they see of it.
    fn dig(read: &'static [u8]) -> (DuplexStream, DuplexStream, JoinHandle<Ended>) {
        let (client, to_client) = duplex(1000);
        let (provider, to_provider) = duplex(1000);
        let read = Bytes::from_static(read);
        let ended = tokio::spawn(tunnel(to_client, read, to_provider, SILENCE));
        (client, provider, ended)
    }

    async fn reads(stream: &mut DuplexStream, expected: &[u8]) {
        let mut read = vec![0; expected.len()];
        stream.read_exact(&mut read).await.unwrap();
        assert_eq!(read, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_both_ways_until_both_sides_close() {
        let (mut client, mut provider, ended) = dig(b"read ahead, ");
        client.write_all(b"there").await.unwrap();
        reads(&mut provider, b"read ahead, there").await;
        provider.write_all(b"and back").await.unwrap();
        reads(&mut client, b"and back").await;
        client.shutdown().await.unwrap();
        assert_eq!(provider.read(&mut [0]).await.unwrap(), 0);
        // A side that closed may still be told something.
        tokio::time::sleep(HALF_CLOSED / 2).await;
        provider.write_all(b"late").await.unwrap();
        reads(&mut client, b"late").await;
        provider.shutdown().await.unwrap();
        assert!(matches!(ended.await.unwrap(), Ended::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_more_than_all_buffers_passes_as_it_is_taken() {
        let (mut client, mut provider, ended) = dig(b"");
        let sent: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
        let expected = sent.clone();
        let sending = tokio::spawn(async move {
            client.write_all(&sent).await.unwrap();
            client
        });
        reads(&mut provider, &expected).await;
        drop((sending.await.unwrap(), provider));
        assert!(matches!(ended.await.unwrap(), Ended::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_bounded() {
        let start = Instant::now();
        let (mut client, _provider, ended) = dig(b"");
        tokio::time::sleep(SILENCE / 2).await;
        client.write_all(b"still here").await.unwrap();
        assert!(matches!(ended.await.unwrap(), Ended::Broken(_)));
        assert_eq!(start.elapsed().as_secs(), SILENCE.as_secs() * 3 / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_gone() {
        let (_client, mut provider, ended) = dig(b"");
        let endless =
            tokio::spawn(async move { while provider.write_all(&[0; 100]).await.is_ok() {} });
        assert!(matches!(ended.await.unwrap(), Ended::ClientLeft(_)));
        endless.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_side_that_stays_open_has_less_time() {
        let start = Instant::now();
        let (mut client, _provider, ended) = dig(b"");
        client.shutdown().await.unwrap();
        assert!(matches!(ended.await.unwrap(), Ended::ClientLeft(_)));
        assert_eq!(start.elapsed(), HALF_CLOSED);

        let start = Instant::now();
        let (_client, mut provider, ended) = dig(b"");
        provider.shutdown().await.unwrap();
        assert!(matches!(ended.await.unwrap(), Ended::Closed));
        assert_eq!(start.elapsed(), HALF_CLOSED);
    }

    /// What fails with this, and is silent else.
    struct Fails(Option<io::ErrorKind>);

    impl AsyncRead for Fails {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.0
                .map_or(Poll::Pending, |kind| Poll::Ready(Err(kind.into())))
        }
    }

    impl AsyncWrite for Fails {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_breaks_it_is_told() {
        let reset = Some(io::ErrorKind::ConnectionReset);
        let between = async |client, provider| {
            tunnel(Fails(client), Bytes::new(), Fails(provider), SILENCE).await
        };
        assert!(matches!(between(reset, None).await, Ended::ClientLeft(_)));
        assert!(matches!(between(None, reset).await, Ended::Broken(_)));
        // One that closed before has no more to lose.
        let closed = Some(io::ErrorKind::UnexpectedEof);
        assert!(matches!(between(closed, reset).await, Ended::Closed));
        assert!(matches!(between(reset, closed).await, Ended::Closed));
    }
}
