use std::sync::Arc;

use super::aside::Aside;
use crate::{
    clock::Tick,
    families::{FoundHandler, HandlerSeries},
    head::Head,
    labels::{CancelPhase, InterruptReason, OverflowLabel, RequestMethod, StatusClass},
    listener::{Listener, RequestEnd},
    progress::{Ending, Progress, is_bodiless},
    series::{Keyed as _, Traced},
    trace::TraceContext,
};

/// One inbound request, from its arrival to the end of its response body.
///
/// The guard moves from the middleware to its future to the response body. It counts the request
/// exactly once, measures it exactly once, and keeps it in flight exactly as long as it lives,
/// however it ends: every exit leads to one `end`, the first call of which wins.
#[derive(Debug)]
#[must_use = "a request is in flight only as long as its guard lives"]
pub struct RequestGuard {
    handler: Arc<HandlerSeries>,
    /// Whether that is `other` in place of the handler's own, which is counted once with the request.
    folded: bool,
    method: RequestMethod,
    /// Whether a 2xx has no body, which the method does not tell where it is `OTHER`.
    connect: bool,
    start: Tick,
    trace: Option<TraceContext>,
    /// Whether the status is known, and so the request counted.
    counted: bool,
    ended: bool,
    progress: Progress,
    aside: Option<Arc<Aside>>,
}

impl RequestGuard {
    #[inline]
    pub(crate) fn start(handler: FoundHandler<'_>, method: RequestMethod, start: Tick) -> Self {
        handler.series.in_flight.inc();
        handler.series.expect(method);
        Self {
            handler: Arc::clone(handler.series),
            folded: handler.folded,
            method,
            connect: false,
            start,
            trace: None,
            counted: false,
            ended: false,
            progress: Progress::default(),
            aside: None,
        }
    }

    /// Its status may tell that it belongs to another handler.
    #[inline]
    pub(super) fn ask_at_head(&mut self, at_head: Option<&Arc<Aside>>) {
        match self.aside.as_mut().and_then(Arc::get_mut) {
            None => self.aside = at_head.cloned(),
            Some(own) => own.at_head = at_head.and_then(|aside| aside.at_head.clone()),
        }
    }

    /// The request belongs to this trace.
    #[inline]
    pub(super) fn in_trace(&mut self, trace: Option<TraceContext>) {
        self.trace = trace;
    }

    /// Tells this listener of the end, once it is recorded. What was said last counts.
    pub fn listen(&mut self, listener: Listener) {
        self.aside = Some(Aside::listened(self.aside.as_ref(), listener));
    }

    /// The request is a CONNECT.
    pub(crate) fn connect(&mut self) {
        self.connect = true;
    }

    /// The head proves that the request belongs to another handler: it is in flight there from now on, and all
    /// else is recorded there.
    pub(crate) fn rename(&mut self, handler: FoundHandler<'_>) {
        if self.counted || self.ended {
            return;
        }
        self.folded = handler.folded;
        if Arc::ptr_eq(&self.handler, handler.series) {
            return;
        }
        handler.series.in_flight.inc();
        handler.series.expect(self.method);
        self.handler.in_flight.dec();
        self.handler = Arc::clone(handler.series);
    }

    /// Status and headers are ready: counts the request, and measures the time to its headers.
    #[inline]
    pub fn head(&mut self, head: &Head<'_>) {
        if self.counted || self.ended {
            return;
        }
        // First, as in `end`: recording is not part of what is measured.
        let now = self.handler.context.clock.now();
        let class = StatusClass::of(head.status);
        if self.aside.is_some() {
            self.ask(head.status);
        }
        self.count(class);
        let elapsed = self.handler.context.clock.nanos(self.start, now);
        self.handler.time_to_headers().observe(elapsed);
        if let Some(listening) = Aside::listening(&mut self.aside) {
            (listening.status, listening.headers) = (Some(head.status), Some(elapsed));
        }
        let bodiless = head.ended
            || is_bodiless(head.status)
            || self.method == RequestMethod::Head
            || self.connect && class == StatusClass::Success;
        if !head.upgraded {
            self.progress.head(head.declared, bodiless);
        }
        if self.progress.is_complete() {
            self.end_at(Ending::Complete, now);
        }
    }

    /// Whether the connection speaks another protocol after a response of this status (RFC 9110, sections 7.8 and
    /// 9.3.6).
    #[inline]
    pub(crate) fn switches(&self, status: u16) -> bool {
        status == 101 || self.connect && StatusClass::of(status) == StatusClass::Success
    }

    /// Somebody asks for the body.
    #[inline]
    pub(crate) fn polled(&mut self) {
        self.progress.polled();
    }

    /// This many bytes of the body passed.
    #[inline]
    pub fn bytes(&mut self, count: usize) {
        self.progress.bytes(count);
        if let Some(listening) = Aside::listening(&mut self.aside) {
            listening.bytes += count as u64;
        }
        if self.progress.is_complete() {
            self.complete();
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

    /// The code that makes the response panicked: dropping this is then not a cancel.
    pub(crate) fn panicked(&mut self) {
        self.progress.panicked();
    }

    #[inline]
    pub(super) fn end(&mut self, ending: Ending) {
        if !self.ended {
            self.end_at(ending, self.handler.context.clock.now());
        }
    }

    fn end_at(&mut self, ending: Ending, now: Tick) {
        self.ended = true;
        let end = if self.counted {
            self.end_body(ending)
        } else {
            self.count(StatusClass::Error);
            match ending {
                Ending::Dropped => {
                    self.handler.cancelled.get(CancelPhase::Headers).inc();
                    RequestEnd::Cancelled
                }
                Ending::Panicked => RequestEnd::Panic,
                Ending::Complete | Ending::Failed => RequestEnd::Error,
            }
        };
        let clock = &self.handler.context.clock;
        let elapsed = clock.nanos(self.start, now);
        let duration = self.handler.duration();
        let traced = self.trace.map(|trace| Traced {
            trace,
            at: clock.wall(),
        });
        duration.observe_traced(elapsed, traced.as_ref());
        self.handler.in_flight.dec();
        if let Some(aside) = self.aside.take() {
            self.tell(aside, end, elapsed);
        }
    }

    /// It has a status, which may tell whose it was.
    #[cold]
    fn ask(&mut self, status: u16) {
        let at_head = self.aside.as_ref().and_then(|aside| aside.at_head.clone());
        if let Some(handler) = at_head
            .as_deref()
            .and_then(|at_head| at_head.series(status))
        {
            self.rename(handler);
        }
    }

    // Few requests are listened to.
    #[cold]
    fn tell(&self, aside: Arc<Aside>, end: RequestEnd, elapsed: u64) {
        let listening = Arc::into_inner(aside).and_then(|aside| aside.listening);
        if let Some(listening) = listening {
            let [handler] = self.handler.key();
            listening.tell(handler, self.method, end, elapsed);
        }
    }

    /// Counts the request: once.
    #[inline]
    fn count(&mut self, class: StatusClass) {
        self.counted = true;
        self.handler.requests(self.method, class).inc();
        if self.folded {
            self.handler.context.folded(OverflowLabel::Handler);
        }
    }

    fn end_body(&self, ending: Ending) -> RequestEnd {
        let interrupted = |reason| self.handler.interrupted.get(reason).inc();
        match ending {
            Ending::Complete if !self.progress.is_short() => RequestEnd::Complete,
            Ending::Complete | Ending::Failed => {
                interrupted(InterruptReason::Error);
                RequestEnd::Error
            }
            Ending::Panicked => {
                interrupted(InterruptReason::Panic);
                RequestEnd::Panic
            }
            Ending::Dropped if self.progress.was_polled() => {
                self.handler.cancelled.get(CancelPhase::Body).inc();
                RequestEnd::Cancelled
            }
            // Its response was replaced, or only its status was wanted.
            Ending::Dropped => RequestEnd::Complete,
        }
    }
}

impl Drop for RequestGuard {
    #[inline]
    fn drop(&mut self) {
        if !self.ended {
            self.end(self.progress.dropped());
        }
    }
}
