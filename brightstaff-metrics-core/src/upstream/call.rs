use std::sync::Arc;

#[cfg(feature = "otlp")]
use super::gen_ai::{Asked, ChunkTimes};
use super::{
    Upstream, UpstreamObserved,
    body_reader::Reader,
    ended::{CallEnd, Ended},
    held::Slot,
    opening::Opening,
    timing::Timing,
};
use crate::{
    clock::Tick,
    families::CallInFlight,
    head::Head,
    labels::{ErrorClass, StatusClass},
    listener::Listener,
    meter::{Facts, Meter, Promise},
    progress::{Ending, Progress, is_bodiless},
    trace::TraceContext,
};

/// One call to a provider, from its start to the end of its response body.
///
/// A call is a value, and records itself exactly once, when it ends: by [`fail`](Self::fail) or
/// [`finish`](Self::finish), at the end of what [`observe`](Self::observe) wraps, or when it is dropped,
/// whatever the reason. Dropped without a status it is `cancelled`, or `other` while the thread panics.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
///
/// let metrics = Metrics::unregistered();
/// let call = metrics.upstream("openai", "gpt-4o").start();
/// call.fail(ErrorClass::Connect);
/// ```
///
/// # Responses without bytes
///
/// An SDK that yields typed events never shows the bytes. Report its responses [by hand](Self::response).
#[derive(Debug)]
#[must_use = "a call that is dropped at once is recorded as cancelled"]
pub struct UpstreamCall {
    /// Whose call it is, also once it has ended.
    metrics: usize,
    open: Option<OpenCall>,
    /// What its response was found to say, once it has ended; one of which nothing was read is no success.
    ended: Opening,
}

/// A call that has not ended. It is taken at the end, so that there is one.
#[derive(Debug)]
pub(super) struct OpenCall {
    pub(super) upstream: Upstream,
    /// Until the call ends.
    in_flight: Option<CallInFlight>,
    pub(super) start: Tick,
    pub(super) trace: Option<TraceContext>,
    pub(super) status: Option<u16>,
    #[cfg(feature = "otlp")]
    pub(super) asked: Asked,
    pub(super) reader: Option<Reader>,
    pub(super) timing: Timing,
    progress: Progress,
    pub(super) aside: Option<Box<Aside>>,
}

/// What few calls have, in one word.
#[derive(Debug, Default)]
pub(super) struct Aside {
    held: Option<Arc<Slot>>,
    pub(super) listener: Option<Listener>,
    /// Where the `gen_ai` view is on, of responses in pieces.
    #[cfg(feature = "otlp")]
    pub(super) chunks: Option<ChunkTimes>,
}

impl UpstreamCall {
    pub(crate) fn new(upstream: Upstream, in_flight: CallInFlight, start: Tick) -> Self {
        Self {
            metrics: upstream.metrics_id(),
            open: Some(OpenCall {
                upstream,
                in_flight: Some(in_flight),
                start,
                trace: None,
                status: None,
                #[cfg(feature = "otlp")]
                asked: Asked::Unknown,
                reader: None,
                timing: Timing::default(),
                progress: Progress::default(),
                aside: None,
            }),
            ended: Opening::Failed,
        }
    }

    /// Ends a call for which there is no response, or none that the caller can read.
    ///
    /// Without a status, `timeout`, `connect`, `parse` and `cancelled` are recorded as such, and
    /// anything else as `other`. After one (see [`head`](Self::head)) the status speaks first; where
    /// it is a 2xx without an error event, `parse` and `cancelled` are recorded as such, and anything else
    /// as `stream`.
    pub fn fail(mut self, class: ErrorClass) {
        self.end(Ending::Failed, Some(class));
    }

    /// Ends a call whose response came to its end: the last bytes, or the trailers, passed by hand, or the
    /// last event of a typed stream.
    ///
    /// Of bytes, their protocol says whether the response is complete: a stream without its protocol's end is
    /// `stream`. Without a status, the call is `other`.
    pub fn finish(mut self) {
        self.complete();
    }

    /// What marks a response as that of this call, for one that is made anew of what a client gave: to be put
    /// in its extensions, so that a layer that measures implicitly leaves it alone.
    ///
    /// [`observe`](Self::observe) puts it there itself.
    #[must_use]
    pub fn mark(&self) -> UpstreamObserved {
        UpstreamObserved {
            metrics: self.metrics,
        }
    }

    /// Whether the response has to be marked: where no layer measures implicitly, nobody would look.
    pub(crate) fn wants_mark(&self) -> bool {
        let open = self.open.as_ref();
        open.is_none_or(|call| call.upstream.calls_are_implied())
    }

    /// The head of the response is there. For callers that pass the body on by hand, with
    /// [`data`](Self::data) and [`finish`](Self::finish). The first head counts.
    pub fn head(&mut self, head: &Head<'_>) {
        let Some(call) = &mut self.open else { return };
        if call.status.is_some() {
            return;
        }
        call.status = Some(head.status);
        if StatusClass::of(head.status) == StatusClass::Success {
            call.reader = Some(Reader::of(head));
        }
        call.progress
            .head(head.declared, head.ended || is_bodiless(head.status));
        self.end_if_complete();
    }

    /// The next bytes of the body pass, as they came from the provider. Nothing without a
    /// [`head`](Self::head).
    pub fn data(&mut self, bytes: &[u8]) {
        let Some(call) = self.open.as_mut().filter(|_| !bytes.is_empty()) else {
            return;
        };
        call.progress.bytes(bytes.len());
        if let Some(Reader::Unread(promise)) = call.reader {
            if call.progress.is_complete() && call.aside.is_none() {
                return self.whole(promise, bytes);
            }
            call.reader = Some(Reader::meter(promise));
        }
        if let Some(Reader::Meter(meter)) = &mut call.reader {
            meter.push(bytes);
            if call.timing.chunk(meter.facts()) {
                call.chunk_came();
            }
        }
        self.end_if_complete();
    }

    /// All of the body passes in one piece: its meter is needed here alone.
    // Inlined, its frame would be that of every chunk.
    #[inline(never)]
    fn whole(&mut self, promise: Promise, bytes: &[u8]) {
        let Some(mut call) = self.open.take() else {
            return;
        };
        let mut meter = Meter::plain(promise);
        meter.push(bytes);
        let at = call.upstream.now();
        let _ = call.timing.chunk(meter.facts());
        call.timing.chunk_at(meter.facts(), at, false);
        meter.finish();
        call.timing.finish(meter.facts(), at);
        let end = CallEnd {
            ending: Ending::Complete,
            given: None,
            at,
        };
        let class = call.record(end, Some(meter.facts()));
        self.ended = Opening::at_end(class, meter.facts());
    }

    pub(super) fn open_ref(&self) -> Option<&OpenCall> {
        self.open.as_ref()
    }

    /// What the response was found to say once it ended, whatever those who hold it may find.
    pub(super) fn ended(&self) -> Opening {
        self.ended
    }

    /// The call, while it is open.
    pub(super) fn open(&mut self) -> Option<&mut OpenCall> {
        self.open.as_mut()
    }

    /// Where the call waits for its holders, once it has ended; there is none to hold where it has already.
    pub(super) fn slot(&mut self) -> Option<Arc<Slot>> {
        let call = self.open.as_mut()?;
        let aside = call.aside.get_or_insert_default();
        Some(Arc::clone(aside.held.get_or_insert_default()))
    }

    /// The body came to its end, or the trailers passed.
    pub(crate) fn complete(&mut self) {
        self.end(Ending::Complete, None);
    }

    /// The body ended with an error of its own.
    pub(crate) fn body_failed(&mut self) {
        self.end(Ending::Failed, None);
    }

    /// What the caller found out, where there is no body to tell it.
    #[cfg(feature = "tokio-1")]
    pub(super) fn end_as(&mut self, class: ErrorClass) {
        self.end(Ending::Failed, Some(class));
    }

    pub(crate) fn panicked(&mut self) {
        if let Some(call) = &mut self.open {
            call.progress.panicked();
        }
    }

    fn end_if_complete(&mut self) {
        if self
            .open
            .as_ref()
            .is_some_and(|call| call.progress.is_complete())
        {
            self.complete();
        }
    }

    fn end(&mut self, ending: Ending, given: Option<ErrorClass>) {
        let Some(mut call) = self.open.take() else {
            return;
        };
        let at = call.upstream.now();
        call.settle(ending, at);
        let end = CallEnd { ending, given, at };
        let class = match &mut call.aside {
            None => call.record(end, call.facts()),
            Some(aside) => match aside.held.take() {
                None => call.record_and_tell(end),
                Some(slot) => {
                    // It is recorded later, and over now.
                    call.in_flight = None;
                    if let Some(facts) = call.facts() {
                        self.ended = Opening::at_end(end.class(call.status, Some(facts)), facts);
                    }
                    slot.put(Ended { call, end });
                    return;
                }
            },
        };
        if let Some(facts) = call.facts() {
            self.ended = Opening::at_end(class, facts);
        }
    }
}

impl OpenCall {
    /// The status, without a body to read.
    pub(super) fn answered(&mut self, status: u16) -> bool {
        let first = self.status.is_none();
        self.status.get_or_insert(status);
        first
    }

    /// Nothing more will pass.
    fn settle(&mut self, ending: Ending, now: Tick) {
        match &mut self.reader {
            Some(Reader::Meter(meter)) => {
                // After a cut, too: what a decoder still holds did pass.
                meter.finish();
                self.timing.finish(meter.facts(), now);
                if !meter.is_timely() {
                    self.timing.forget_events();
                }
            }
            Some(Reader::ByHand(by_hand)) if ending == Ending::Complete => {
                by_hand.finish();
                self.timing.finish(by_hand.facts(), now);
            }
            Some(Reader::ByHand(_) | Reader::Unread(_)) | None => {}
        }
    }

    /// A chunk came whose instant is wanted.
    #[cold]
    #[inline(never)]
    fn chunk_came(&mut self) {
        let Some(Reader::Meter(meter)) = &self.reader else {
            return;
        };
        let now = self.upstream.now();
        let each = self.upstream.wants_chunks();
        self.timing.chunk_at(meter.facts(), now, each);
        #[cfg(feature = "otlp")]
        if each {
            let aside = self.aside.get_or_insert_default();
            match &mut aside.chunks {
                None => aside.chunks = Some(ChunkTimes::new(now)),
                Some(chunks) => chunks.next(meter.facts(), now, self.upstream.clock()),
            }
        }
    }

    /// What the body of a 2xx told.
    pub(super) fn facts(&self) -> Option<&Facts> {
        self.reader.as_ref().map(Reader::facts)
    }
}

impl Drop for UpstreamCall {
    fn drop(&mut self) {
        if let Some(call) = &self.open {
            let ending = call.progress.dropped();
            self.end(ending, None);
        }
    }
}
