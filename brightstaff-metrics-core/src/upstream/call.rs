use http_body::Body;

use super::{Head, Upstream, record::Record, timing::Timing};
use crate::{
    body::{ObservedBody, ObservedStream, Observer, UpstreamObserved},
    clock::Tick,
    labels::{ErrorClass, StatusClass},
    meter::{End, Meter},
    progress::{Ending, Progress, bodiless},
};

/// One call to a provider, from its start to the end of its response body.
///
/// A call is a value, and records itself exactly once, when it ends: by [`fail`](Self::fail), at the
/// end of what [`observe`](Self::observe) wraps, or when it is dropped, whatever the reason. Dropped
/// without a status it is `cancelled`, or `other` while the thread panics.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
///
/// let metrics = Metrics::unregistered();
/// let call = metrics.upstream("openai", "gpt-4o").start();
/// call.fail(ErrorClass::Connect);
/// ```
#[derive(Debug)]
#[must_use = "a call that is dropped at once is recorded as cancelled"]
pub struct UpstreamCall {
    upstream: Upstream,
    start: Tick,
    status: Option<u16>,
    /// Reads the body of a 2xx.
    meter: Option<Box<Meter>>,
    timing: Timing,
    progress: Progress,
    ended: bool,
}

impl UpstreamCall {
    pub(crate) fn start(upstream: Upstream, start: Tick) -> Self {
        Self {
            upstream,
            start,
            status: None,
            meter: None,
            timing: Timing::default(),
            progress: Progress::default(),
            ended: false,
        }
    }

    /// Ends a call for which there is no answer, or none that the caller can read.
    ///
    /// Without a status, `timeout`, `connect`, `parse` and `cancelled` are recorded as such, and
    /// anything else as `other`. After one (see [`head`](Self::head)) the status speaks first; where
    /// it is a 2xx without an error event, `parse` and `cancelled` are recorded as such, and anything else
    /// as `stream`.
    pub fn fail(mut self, class: ErrorClass) {
        self.end(Ending::Failed, Some(class));
    }

    /// Wraps the answer: status, type and encoding are read once, and the bytes of the body as they
    /// pass, untouched. The call ends with the body.
    ///
    /// Leaves [`UpstreamObserved`] in the extensions, so that a layer that measures implicitly
    /// knows that this answer is measured already.
    ///
    /// ```
    /// use brightstaff_metrics_core::Metrics;
    /// use http_body_util::Full;
    ///
    /// let answer = http::Response::new(Full::<bytes::Bytes>::from("{}"));
    /// let call = Metrics::unregistered().upstream("openai", "gpt-4o").start();
    /// let answer = call.observe(answer); // http::Response<ObservedBody<_>>
    /// ```
    #[must_use = "a call ends when its answer is dropped"]
    pub fn observe<B: Body<Data = bytes::Bytes>>(
        mut self,
        mut response: http::Response<B>,
    ) -> http::Response<ObservedBody<B>> {
        self.head(&Head::of(&response));
        response.extensions_mut().insert(UpstreamObserved);
        response.map(|body| ObservedBody::new(body, Observer::call(self)))
    }

    /// The same for a client whose answers are no [`http::Response`]: wraps the stream of its chunks. The
    /// response that is made of it wants the mark [`UpstreamObserved`] where a layer measures implicitly.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Head, Metrics};
    /// # fn chunks() -> impl futures_core::Stream<Item = Result<bytes::Bytes, std::io::Error>> { futures_util::stream::empty() }
    ///
    /// let call = Metrics::unregistered().upstream("anthropic", "claude-sonnet-4-5").start();
    /// let head = Head::new(200).content_type("text/event-stream");
    /// let stream = call.observe_stream(&head, chunks());
    /// # let _ = stream;
    /// ```
    #[must_use = "a call ends when its answer is dropped"]
    pub fn observe_stream<S>(mut self, head: &Head<'_>, stream: S) -> ObservedStream<S> {
        self.head(head);
        ObservedStream::new(stream, Observer::call(self))
    }

    /// The head of the answer is there. For callers that pass the body on by hand, with
    /// [`data`](Self::data) and [`complete`](Self::complete).
    pub fn head(&mut self, head: &Head<'_>) {
        if self.status.is_some() {
            return;
        }
        self.status = Some(head.status);
        if StatusClass::of(head.status) == StatusClass::Success {
            let meter = Meter::new(head.content_type, head.content_encoding);
            self.meter = Some(Box::new(meter));
        }
        self.progress
            .head(head.declared, head.ended || bodiless(head.status));
        self.end_if_complete();
    }

    /// The next bytes of the body pass.
    pub fn data(&mut self, bytes: &[u8]) {
        if self.ended || bytes.is_empty() {
            return;
        }
        if let Some(meter) = &mut self.meter {
            meter.push(bytes);
            let metrics = &self.upstream.metrics;
            self.timing.chunk(meter.facts(), || metrics.now());
        }
        self.progress.bytes(bytes.len());
        self.end_if_complete();
    }

    /// The body came to its end, or the trailers passed. The call ends.
    pub fn complete(&mut self) {
        self.end(Ending::Complete, None);
    }

    /// The body ended with an error of its own. The call ends.
    pub fn body_failed(&mut self) {
        self.end(Ending::Failed, None);
    }

    pub(crate) fn panicked(&mut self) {
        self.progress.panicked();
    }

    fn end_if_complete(&mut self) {
        if self.progress.complete() {
            self.end(Ending::Complete, None);
        }
    }

    fn end(&mut self, ending: Ending, given: Option<ErrorClass>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let now = self.upstream.metrics.now();
        if let Some(meter) = &mut self.meter {
            // After a cut, too: what a decoder still holds did pass.
            meter.finish();
            self.timing.finish(meter.facts(), now);
            if !meter.is_timely() {
                self.timing.forget_events();
            }
        }
        let facts = self.meter.as_ref().map(|meter| meter.facts());
        let error = self.classify(ending, given);
        let model = facts.map(|facts| &facts.model);
        Record {
            pair: self.upstream.resolve(facts.is_some(), model),
            status: self.status.map_or(StatusClass::Error, StatusClass::of),
            error,
            clock: &self.upstream.metrics.settings().clock,
            start: self.start,
            end: now,
            timing: self.timing,
            facts,
        }
        .write();
    }

    /// The class of the ending: the first that fits, in the order of the contract.
    fn classify(&self, ending: Ending, given: Option<ErrorClass>) -> ErrorClass {
        use ErrorClass as E;
        let Some(status) = self.status else {
            return match (ending, given) {
                (_, Some(class @ (E::Timeout | E::Connect | E::Parse | E::Cancelled))) => class,
                (Ending::Dropped, None) => E::Cancelled,
                _ => E::Other,
            };
        };
        let Some(meter) = &self.meter else {
            return if status == 429 {
                E::RateLimit
            } else {
                E::Status
            };
        };
        let facts = meter.facts();
        match (ending, given) {
            _ if facts.error => E::Stream,
            (_, Some(class @ (E::Parse | E::Cancelled))) => class,
            (Ending::Failed, _) => E::Stream,
            (Ending::Complete, _) if facts.end() == End::Complete => E::None,
            (Ending::Complete, _) => E::Stream,
            (Ending::Dropped | Ending::Panicked, _) if facts.terminal => E::None,
            (Ending::Dropped, _) => E::Cancelled,
            (Ending::Panicked, _) => E::Other,
        }
    }
}

impl Drop for UpstreamCall {
    fn drop(&mut self) {
        self.end(self.progress.dropped(), None);
    }
}
