//! One connection, from its first byte to its end.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use brightstaff_exporter::socket::Socket;
use brightstaff_metrics_core::{Head, Metrics, adapter, handler::MALFORMED, labels::RequestMethod};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::watch, time::timeout};

use super::{
    Limits,
    lane::Lane,
    linger::linger,
    pulse::{Overdue, Pulse},
    service::{Answering, Service},
    socket::set_up,
    streams::Streams,
    version::{Version, version},
};
use crate::log::access;

/// The longest head of a request in HTTP/1, which is all that is read ahead of a body as well. A longer one
/// is answered with 431, and 414 where its URI alone is longer than 65,534 bytes.
const HTTP1_HEAD_BYTES: usize = 128 << 10;

/// The longest list of headers in HTTP/2, uncompressed. A longer one is answered with 431.
const HTTP2_HEAD_BYTES: u32 = 32 << 10;

/// What a client may send ahead of what was read, on one stream and on all of a connection.
const HTTP2_STREAM_WINDOW: u32 = 256 << 10;
const HTTP2_CONNECTION_WINDOW: u32 = 1 << 20;

/// What is held of a response that the client does not take yet, on one stream.
const HTTP2_SEND_BUFFER: usize = 64 << 10;

/// What every connection is served with.
#[derive(Clone, Debug)]
pub(super) struct Connections<P> {
    program: P,
    limits: Limits,
    metrics: Metrics,
    stopped: watch::Receiver<()>,
}

/// How a connection in HTTP/1 ended.
enum Ended {
    /// By itself.
    Served(hyper::Result<()>),
    /// A client left that was still sending.
    Left,
    Overdue(Overdue),
}

impl<P: Answering> Connections<P> {
    pub(super) fn new(
        program: P,
        limits: Limits,
        metrics: Metrics,
        stopped: watch::Receiver<()>,
    ) -> Self {
        Self {
            program,
            limits,
            metrics,
            stopped,
        }
    }

    /// One connection, until it ends or, once serving is to stop, its last response does.
    pub(super) async fn serve(mut self, stream: TcpStream) {
        set_up(&stream);
        let limits = &self.limits;
        let told = async {
            timeout(limits.idle_timeout, stream.peek(&mut [0])).await??;
            timeout(limits.head_timeout, version(&stream)).await?
        };
        let version = tokio::select! {
            told = told => told,
            _ = self.stopped.changed() => return,
        };
        match version {
            Ok(Version::Http1) => self.http1(stream).await,
            Ok(Version::Http2) => self.http2(stream).await,
            Ok(Version::Tls) => {
                tracing::debug!("a client speaks TLS to a port without");
                count_malformed(&self.metrics);
            }
            Ok(Version::Nothing) | Err(_) => {}
        }
    }

    async fn http1(mut self, stream: TcpStream) {
        let (pulse, lane) = (Pulse::http1(), Arc::new(Lane::default()));
        let service = Service::http1(self.program, Arc::clone(&pulse), Arc::clone(&lane));
        let io = TokioIo::new(Socket::new(stream, Arc::clone(&pulse)));
        let mut served = http1::Builder::new()
            .max_buf_size(HTTP1_HEAD_BYTES)
            // The pulse has it, and tells the time before a head from that of a head.
            .header_read_timeout(None)
            .serve_connection(io, service);
        let (limits, stopped) = (&self.limits, &mut self.stopped);
        let ended = until_ended(&mut served, &pulse, &lane, limits, stopped).await;
        let refused = match ended {
            Ended::Served(Ok(())) => false,
            Ended::Served(Err(error)) => {
                tracing::debug!(%error, "a connection ended early");
                lane.answered(None);
                error.is_parse() && !error.is_parse_version_h2()
            }
            Ended::Left => {
                tracing::debug!("a client left before it had sent its request");
                return;
            }
            Ended::Overdue(overdue) => {
                tracing::debug!("a connection is past its limit: {overdue:?}");
                return;
            }
        };
        if refused {
            count_malformed(&self.metrics);
        }
        let parts = served.into_parts();
        if let Some(taker) = lane.taker() {
            // What answers requests is no part of it.
            drop((parts.service, lane));
            return taker.take(parts.io.into_inner(), parts.read_buf).await;
        }
        if refused || parts.service.left_unread() {
            linger(parts.io.inner().stream()).await;
        }
    }

    async fn http2(mut self, stream: TcpStream) {
        let limits = &self.limits;
        let pulse = Pulse::http2();
        let streams = Streams::new(limits.write_stall_timeout);
        let service = Service::http2(self.program, Arc::clone(&pulse), streams.clone());
        let io = TokioIo::new(Socket::new(stream, Arc::clone(&pulse)));
        let served = http2::Builder::new(streams)
            .timer(TokioTimer::new())
            // Finds out about clients that are gone without a word.
            .keep_alive_interval(limits.idle_timeout)
            .keep_alive_timeout(limits.idle_timeout)
            .max_concurrent_streams(limits.max_concurrent_streams)
            .max_header_list_size(HTTP2_HEAD_BYTES)
            .initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .max_send_buf_size(HTTP2_SEND_BUFFER)
            .serve_connection(io, service);
        let mut served = pin!(served);
        let mut overdue = pin!(pulse.overdue(limits));
        let (mut stopping, mut closing) = (false, false);
        let ended = loop {
            tokio::select! {
                biased;
                ended = served.as_mut() => break ended,
                past = &mut overdue => {
                    tracing::debug!("a connection is past its limit: {past:?}");
                    if closing || past != Overdue::Idle {
                        return;
                    }
                    // Lets in what the client sent before it knew. What is left then, without a request, is
                    // what the client never takes.
                    closing = true;
                    pulse.rest();
                    overdue.set(pulse.overdue(limits));
                }
                _ = self.stopped.changed(), if !stopping => stopping = true,
            }
            served.as_mut().graceful_shutdown();
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Serves until the connection ends. Once serving is to stop, no further request is waited for.
async fn until_ended<P: Answering>(
    served: &mut http1::Connection<TokioIo<Socket<Pulse>>, Service<P>>,
    pulse: &Pulse,
    lane: &Lane,
    limits: &Limits,
    stopped: &mut watch::Receiver<()>,
) -> Ended {
    let mut overdue = pin!(pulse.overdue(limits));
    let (mut stopping, mut told) = (false, false);
    loop {
        if stopping && !told && !lane.may_switch() {
            Pin::new(&mut *served).graceful_shutdown();
            told = true;
        }
        let polled = poll_fn(|cx| match Pin::new(&mut *served).poll(cx) {
            Poll::Pending if lane.has_left() => Poll::Ready(Some(Ended::Left)),
            Poll::Pending if stopping && !told && !lane.may_switch() => Poll::Ready(None),
            polled => polled.map(|ended| Some(Ended::Served(ended))),
        });
        tokio::select! {
            biased;
            ended = polled => if let Some(ended) = ended {
                return ended;
            },
            overdue = &mut overdue => return Ended::Overdue(overdue),
            _ = stopped.changed(), if !stopping => stopping = true,
        }
    }
}

/// A request was answered with 400, 414 or 431, and no service was asked; or its connection was closed, where no
/// answer could be read.
fn count_malformed(metrics: &Metrics) {
    let mut request = adapter::begin(metrics, MALFORMED, RequestMethod::Other);
    if let Some(line) = access::line(None) {
        request.listen(line.into());
    }
    request.head(&Head::new(400));
    request.complete();
}
