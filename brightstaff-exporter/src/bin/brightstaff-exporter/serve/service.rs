//! What every request passes before the program that answers it, and every response behind it.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use axum::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::{Request, Response, StatusCode, body::Incoming};
use pin_project::pin_project;

use super::{
    Client,
    lane::Lane,
    pulse::{InProgress, Pulse},
    streams::Streams,
    takeover::Takeover,
};

/// What answers requests: a service that is always ready, and cheap to clone.
pub(crate) trait Answering:
    tower_service::Service<
        Request<RequestBody>,
        Response = Response<Self::Body>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// The body of a response.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;
}

impl<P, B> Answering for P
where
    P: tower_service::Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    P::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Body = B;
}

/// The program, as one connection calls it.
#[derive(Debug)]
pub(super) struct Service<P> {
    program: P,
    pulse: Arc<Pulse>,
    lanes: Lanes,
    unread: Arc<AtomicBool>,
}

/// On what the requests of a connection are answered.
#[derive(Debug)]
enum Lanes {
    /// One after the other on the connection.
    One(Arc<Lane>),
    /// Each on a stream of its own.
    Streams(Streams),
}

impl<P> Service<P> {
    pub(super) fn http1(program: P, pulse: Arc<Pulse>, lane: Arc<Lane>) -> Self {
        Self::new(program, pulse, Lanes::One(lane))
    }

    pub(super) fn http2(program: P, pulse: Arc<Pulse>, streams: Streams) -> Self {
        Self::new(program, pulse, Lanes::Streams(streams))
    }

    fn new(program: P, pulse: Arc<Pulse>, lanes: Lanes) -> Self {
        Self {
            program,
            pulse,
            lanes,
            unread: Arc::default(),
        }
    }

    /// Whether a request's body was left before its end: the client may be sending it still.
    pub(super) fn left_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }
}

impl<P: Answering> hyper::service::Service<Request<Incoming>> for Service<P> {
    type Response = Response<AnswerBody<P::Body>>;
    type Error = Infallible;
    type Future = Answer<P::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let lane = match &self.lanes {
            Lanes::One(lane) => Arc::clone(lane),
            Lanes::Streams(streams) => streams.call(),
        };
        let request = request.map(|body| RequestBody {
            body,
            ended: false,
            unread: Arc::clone(&self.unread),
            lane: Arc::clone(&lane),
        });
        Answer {
            inner: self.program.clone().call(request),
            lane: Some((lane, self.pulse.request())),
        }
    }
}

/// A request's body, which tells when it is left before its end.
#[derive(Debug)]
pub(crate) struct RequestBody {
    body: Incoming,
    ended: bool,
    unread: Arc<AtomicBool>,
    lane: Arc<Lane>,
}

impl RequestBody {
    /// The client that sends it.
    pub(crate) fn client(&self) -> Client {
        Client::new(Arc::clone(&self.lane))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.ended |= frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.unread.store(true, Relaxed);
        }
    }
}

/// The program's response, on its way.
#[pin_project]
pub(super) struct Answer<F> {
    #[pin]
    inner: F,
    lane: Option<(Arc<Lane>, InProgress)>,
}

impl<F, B> Future for Answer<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
{
    type Output = Result<Response<AnswerBody<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(answer) = ready!(this.inner.poll(cx));
        let (lane, progress) = this.lane.take().expect("polled after it was ready");
        if lane.may_switch() {
            let switches = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
            let takeover = answer.extensions().get::<Takeover>();
            lane.answered(takeover.filter(|_| switches).and_then(Takeover::taker));
        }
        Poll::Ready(Ok(answer.map(|body| AnswerBody {
            body,
            lane,
            _progress: progress,
        })))
    }
}

/// The body of a response, which tells what of it is on its way.
#[derive(Debug)]
pub(super) struct AnswerBody<B> {
    body: B,
    lane: Arc<Lane>,
    _progress: InProgress,
}

impl<B: Body + Unpin> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.lane.ask();
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.lane.hand();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
