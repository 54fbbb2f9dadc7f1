//! What every request passes before the router, and every response behind it.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::{Request, Response, body::Incoming};
use hyper_util::service::{TowerToHyperService, TowerToHyperServiceFuture};
use pin_project::pin_project;

use super::{
    Client,
    lane::Lane,
    pulse::{InProgress, Pulse},
    streams::Streams,
};

/// The router, as one connection calls it.
#[derive(Debug)]
pub(super) struct Service {
    router: TowerToHyperService<Router>,
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

impl Service {
    pub(super) fn http1(router: Router, pulse: Arc<Pulse>, lane: Arc<Lane>) -> Self {
        Self::new(router, pulse, Lanes::One(lane))
    }

    pub(super) fn http2(router: Router, pulse: Arc<Pulse>, streams: Streams) -> Self {
        Self::new(router, pulse, Lanes::Streams(streams))
    }

    fn new(router: Router, pulse: Arc<Pulse>, lanes: Lanes) -> Self {
        Self {
            router: TowerToHyperService::new(router),
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

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: Request<Incoming>) -> Answer {
        let lane = match &self.lanes {
            Lanes::One(lane) => Arc::clone(lane),
            Lanes::Streams(streams) => streams.call(),
        };
        request
            .extensions_mut()
            .insert(Client::new(Arc::clone(&lane)));
        let request = request.map(|body| RequestBody {
            body,
            ended: false,
            unread: Arc::clone(&self.unread),
        });
        Answer {
            inner: self.router.call(request),
            lane: Some((lane, self.pulse.request())),
        }
    }
}

/// A request's body, which tells when it is left before its end.
#[derive(Debug)]
pub(super) struct RequestBody {
    body: Incoming,
    ended: bool,
    unread: Arc<AtomicBool>,
}

impl http_body::Body for RequestBody {
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

/// The router's response, on its way.
#[pin_project]
pub(super) struct Answer {
    #[pin]
    inner: TowerToHyperServiceFuture<Router, Request<RequestBody>>,
    lane: Option<(Arc<Lane>, InProgress)>,
}

impl Future for Answer {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Ok(answer) = ready!(this.inner.poll(cx));
        let (lane, progress) = this.lane.take().expect("polled after it was ready");
        Poll::Ready(Ok(answer.map(|body| AnswerBody {
            body,
            lane,
            _progress: progress,
        })))
    }
}

/// The body of a response, which tells what of it is on its way.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: Body,
    lane: Arc<Lane>,
    _progress: InProgress,
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
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
