use std::{
    convert::Infallible,
    future::{Future, pending},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use super::takeover::Taker;

/// What a request is answered on: a connection of HTTP/1, or one stream of HTTP/2.
///
/// All that know of it are polled by one task, in turn.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Nobody is there to be answered.
    left: AtomicBool,
    /// Frames of the response that were handed to be sent.
    frames: AtomicU64,
    /// Whether another one is asked for: the last that was handed out is on its way then.
    asked: AtomicBool,
    /// The response may be a 101.
    switching: AtomicBool,
    /// Who takes the connection over behind it.
    taker: Mutex<Option<Taker>>,
}

impl Lane {
    pub(super) fn has_left(&self) -> bool {
        self.left.load(Relaxed)
    }

    /// A frame is asked for, or what comes before the first of them.
    pub(super) fn ask(&self) {
        self.asked.store(true, Relaxed);
    }

    /// The frame that was asked for is handed out.
    pub(super) fn hand(&self) {
        self.frames.fetch_add(1, Relaxed);
        self.asked.store(false, Relaxed);
    }

    pub(super) fn may_switch(&self) -> bool {
        self.switching.load(Relaxed)
    }

    /// The response is there. It is a 101 where somebody takes the connection over behind it.
    pub(super) fn answered(&self, taker: Option<Taker>) {
        *self.taker.lock().unwrap_or_else(PoisonError::into_inner) = taker;
        self.switching.store(false, Relaxed);
    }

    pub(super) fn taker(&self) -> Option<Taker> {
        self.taker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// The number of the frame that waits for the client to take it.
    pub(super) fn waiting(&self) -> Option<u64> {
        (!self.asked.load(Relaxed)).then(|| self.frames.load(Relaxed))
    }
}

/// The client of a request.
#[derive(Clone, Debug)]
pub(crate) struct Client(Arc<Lane>);

impl Client {
    pub(super) fn new(lane: Arc<Lane>) -> Self {
        Self(lane)
    }

    /// The response may be a 101, in which hyper must not say that the connection closes: clients of web sockets take none
    /// that does.
    pub(crate) fn may_switch(&self) {
        self.0.switching.store(true, Relaxed);
    }

    /// The client went away before it had sent its whole request, so that there is nobody to answer: what
    /// answers it is dropped while it waits for this. HTTP/1 alone would not notice, since it reads no
    /// further.
    pub(crate) fn left(self) -> impl Future<Output = Infallible> {
        self.0.left.store(true, Relaxed);
        pending()
    }
}
