//! Who hears what was recorded of a request or a call, once it is: access logs, audits, bills.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    labels::{ErrorClass, RequestMethod},
    meter::Facts,
};

/// Hears of the ends of requests and calls: each once, after it was recorded, with the values that were.
///
/// It is asked on the thread that ends the request or the call, often as a future is dropped: what takes time, or
/// may block, belongs elsewhere, behind a queue. A panic of it is caught, and changes nothing.
///
/// ```
/// use std::sync::Mutex;
/// use brightstaff_metrics_core::{EndListener, EndedCall, Listener, Metrics, labels::ErrorClass};
///
/// #[derive(Default)]
/// struct Failures(Mutex<Vec<ErrorClass>>);
///
/// impl EndListener for Failures {
///     fn call_ended(&self, call: &EndedCall<'_>) {
///         self.0.lock().unwrap().push(call.error_class);
///     }
/// }
///
/// let failures = std::sync::Arc::new(Failures::default());
/// let listener = Listener::from(std::sync::Arc::clone(&failures));
/// let call = Metrics::unregistered().upstream("openai", "gpt-4o").start().with_listener(listener);
/// call.fail(ErrorClass::Connect);
/// assert_eq!(*failures.0.lock().unwrap(), [ErrorClass::Connect]);
/// ```
pub trait EndListener: Send + Sync + 'static {
    /// A call to a provider ended. Those of a request end before it does, but for those that are
    /// [held](crate::UpstreamCall::hold) longer, or made in a task of their own.
    fn call_ended(&self, call: &EndedCall<'_>) {
        let _ = call;
    }

    /// An inbound request ended.
    fn request_ended(&self, request: &EndedRequest<'_>) {
        let _ = request;
    }
}

/// An [`EndListener`], cheap to clone. One word: guards that hold one are moved from hand to hand.
///
/// In the extensions of a request, before it reaches the layer or the middleware, it hears of the end of the request,
/// and of the call that is measured implicitly there. A call that a handler makes is told by
/// [`UpstreamCall::with_listener`](crate::UpstreamCall::with_listener).
#[derive(Clone)]
pub struct Listener(Arc<Box<dyn EndListener>>);

/// What was recorded of a call to a provider.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EndedCall<'a> {
    /// The label `provider` that it was recorded under.
    pub provider: &'a str,
    /// The label `model` that it was recorded under: `other` where the pair was folded.
    pub model: &'a str,
    /// The status of the response, where there was one.
    pub status: Option<u16>,
    /// How it ended.
    pub error_class: ErrorClass,
    /// From its start to the end of the response's body.
    pub duration: Duration,
    /// From its start to the first byte of the body, of a 2xx that was streamed.
    pub time_to_first_byte: Option<Duration>,
    /// From its start to the first generated output, of a 2xx that was streamed.
    pub time_to_first_token: Option<Duration>,
    /// What the body of a 2xx told: [`usage`](Facts::usage) first of all.
    pub facts: Option<&'a Facts>,
}

/// What was recorded of an inbound request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EndedRequest<'a> {
    /// The label `handler` that it was recorded under.
    pub handler: &'a str,
    /// The method.
    pub method: RequestMethod,
    /// The status, where there ever was one.
    pub status: Option<u16>,
    /// How it ended.
    pub end: RequestEnd,
    /// From its arrival to its end.
    pub duration: Duration,
    /// From its arrival to the status and the headers, where there were any.
    pub time_to_headers: Option<Duration>,
    /// The bytes of the response's body that passed.
    pub bytes: u64,
}

/// How an inbound request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestEnd {
    /// With its response's body, or with a response that was replaced further out.
    Complete,
    /// Its client went away: one of `http_requests_cancelled_total`.
    Cancelled,
    /// Without a status, or with a body that failed or was shorter than declared.
    Error,
    /// The code that makes the response panicked.
    Panic,
}

impl RequestEnd {
    /// The name as it stands in logs: `complete`, `cancelled`, `error` or `panic`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
            Self::Error => "error",
            Self::Panic => "panic",
        }
    }
}

impl fmt::Display for RequestEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Listener {
    /// One of its own.
    #[must_use]
    pub fn new(listener: impl EndListener) -> Self {
        // Read before it is written: whoever makes one for each request shares the line.
        if !Self::are_there() {
            ANY.store(true, Ordering::Relaxed);
        }
        Self(Arc::new(Box::new(listener)))
    }

    /// Whether one was ever made in this process: where none was, no request has to be looked through for one.
    #[inline]
    pub(crate) fn are_there() -> bool {
        ANY.load(Ordering::Relaxed)
    }

    /// The last that it hears of this call.
    pub(crate) fn call_ended(self, call: &EndedCall<'_>) {
        self.tell(|listener| listener.call_ended(call));
    }

    /// The last that it hears of this request.
    pub(crate) fn request_ended(self, request: &EndedRequest<'_>) {
        self.tell(|listener| listener.request_ended(request));
    }

    /// Guards are dropped within this, often by a panic already: another that escaped would end the process. So would
    /// one that is dropped within another's unwinding, which is why the listener goes last.
    fn tell(self, tell: impl FnOnce(&dyn EndListener)) {
        quietly(|| tell(&**self.0));
        quietly(move || drop(self));
    }
}

/// Catches a panic, and leaves what it carries, whose drop might panic, too.
fn quietly(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        std::mem::forget(payload);
    }
}

impl<L: EndListener> From<Arc<L>> for Listener {
    fn from(listener: Arc<L>) -> Self {
        Self::new(Shared(listener))
    }
}

/// One that its maker holds, too.
struct Shared<L>(Arc<L>);

impl<L: EndListener> EndListener for Shared<L> {
    fn call_ended(&self, call: &EndedCall<'_>) {
        self.0.call_ended(call);
    }

    fn request_ended(&self, request: &EndedRequest<'_>) {
        self.0.request_ended(request);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// Relaxed will do: a request takes its listener along, past whatever hands it from thread to thread.
static ANY: AtomicBool = AtomicBool::new(false);
