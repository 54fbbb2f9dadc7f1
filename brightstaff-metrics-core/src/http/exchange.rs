use std::sync::Arc;

use super::series::Handler;
use crate::{
    Head,
    clock::Tick,
    labels::{CancelPhase, Method, StatusClass},
    progress::{Ending, Progress, bodiless},
};

/// One inbound request, from its arrival to the end of its response body.
///
/// The guard moves from the middleware to its future to the response body. It counts the request
/// exactly once, measures it exactly once, and keeps it in flight exactly as long as it lives,
/// however it ends: every exit leads to one `end`, the first call of which wins.
///
/// For authors of adapters; what an application adds is the adapter's layer.
#[derive(Debug)]
#[must_use = "a request is in flight only as long as its exchange lives"]
pub struct Exchange {
    handler: Arc<Handler>,
    method: Method,
    /// Whether a 2xx has no body, which the method does not tell where it is `OTHER`.
    connect: bool,
    start: Tick,
    /// Whether the status is known, and so the request counted.
    counted: bool,
    ended: bool,
    progress: Progress,
}

impl Exchange {
    #[inline]
    pub(crate) fn start(handler: &Arc<Handler>, method: Method, start: Tick) -> Self {
        handler.in_flight.inc();
        handler.expect(method);
        Self {
            handler: Arc::clone(handler),
            method,
            connect: false,
            start,
            counted: false,
            ended: false,
            progress: Progress::default(),
        }
    }

    /// The request is a CONNECT.
    pub(crate) fn connect(&mut self) {
        self.connect = true;
    }

    /// When the request arrived.
    pub(crate) fn started(&self) -> Tick {
        self.start
    }

    /// Status and headers are ready: counts the request, and measures the time to its headers.
    pub fn head(&mut self, head: &Head<'_>) {
        if self.counted || self.ended {
            return;
        }
        self.counted = true;
        // First, as in `end`: what is recorded then is no part of what is measured.
        let now = self.handler.settings.clock.now();
        let class = StatusClass::of(head.status);
        self.handler.requests(self.method, class).inc();
        let elapsed = self.handler.settings.clock.seconds(self.start, now);
        self.handler.time_to_headers().observe(elapsed);
        let bodiless = head.ended
            || bodiless(head.status)
            || self.method == Method::Head
            || self.connect && class == StatusClass::Success;
        self.progress.head(head.declared, bodiless);
        if self.progress.complete() {
            self.end_at(Ending::Complete, now);
        }
    }

    /// This many bytes of the body passed.
    #[inline]
    pub fn bytes(&mut self, count: usize) {
        self.progress.bytes(count);
        if self.progress.complete() {
            self.end(Ending::Complete);
        }
    }

    /// The body came to its end, or the trailers passed.
    #[inline]
    pub fn complete(&mut self) {
        self.end(Ending::Complete);
    }

    /// The service failed without a status, or the body with an error: no cancel.
    pub fn fail(&mut self) {
        self.end(Ending::Failed);
    }

    /// The code that makes the answer panicked: when this is dropped, it is no cancel.
    pub(crate) fn panicked(&mut self) {
        self.progress.panicked();
    }

    fn end(&mut self, ending: Ending) {
        if !self.ended {
            self.end_at(ending, self.handler.settings.clock.now());
        }
    }

    fn end_at(&mut self, ending: Ending, now: Tick) {
        self.ended = true;
        if !self.counted {
            self.handler.requests(self.method, StatusClass::Error).inc();
        }
        if ending == Ending::Dropped {
            let phase = if self.counted {
                CancelPhase::Body
            } else {
                CancelPhase::Headers
            };
            self.handler.cancelled.get(phase).inc();
        }
        let elapsed = self.handler.settings.clock.seconds(self.start, now);
        self.handler.duration().observe(elapsed);
        self.handler.in_flight.dec();
    }
}

impl Drop for Exchange {
    #[inline]
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.progress.dropped());
        }
    }
}
