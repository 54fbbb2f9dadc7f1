use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::{UpstreamCall, call::Ended};
use crate::labels::ErrorClass;

/// A call that is recorded only once this is let go: for who reads a response to its end, and may find it
/// useless then.
///
/// The call still ends with the body of its response, and so does all that is timed. Dropping this, or
/// [`accept`](Self::accept), leaves it as it ended.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, labels::ErrorClass};
/// use http_body_util::{BodyExt, Full};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let metrics = Metrics::unregistered();
/// # let response = http::Response::new(Full::<bytes::Bytes>::from("{}"));
/// let mut call = metrics.upstream("openai", "gpt-4o").start();
/// let held = call.hold();
/// let body = call.observe(response).into_body().collect().await?.to_bytes();
/// match body.starts_with(b"[") {
///     true => held.accept(),
///     false => held.fail(ErrorClass::Parse),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is recorded as it ended once this is dropped"]
pub struct HeldCall(Arc<Slot>);

/// Where the body leaves the call that ended, and the holder what it found.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Open,
    Ended(Box<Ended>),
    /// The holder is done, and has found this.
    LetGo(Option<ErrorClass>),
}

impl UpstreamCall {
    /// Keeps the call from being recorded until what this returns is let go.
    pub fn hold(&mut self) -> HeldCall {
        let slot = Arc::new(Slot::default());
        self.hold_in(Arc::clone(&slot));
        HeldCall(slot)
    }
}

impl HeldCall {
    /// The response can be used: the call is recorded as it ended, or will end.
    pub fn accept(self) {}

    /// The response cannot be used, for this reason: it is recorded as [`UpstreamCall::fail`] records it.
    pub fn fail(self, class: ErrorClass) {
        self.0.let_go(Some(class));
    }
}

impl Drop for HeldCall {
    fn drop(&mut self) {
        self.0.let_go(None);
    }
}

impl fmt::Debug for HeldCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldCall").finish_non_exhaustive()
    }
}

impl Slot {
    /// The call ended.
    pub(super) fn put(&self, ended: Ended) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::LetGo(found) = *state else {
            *state = State::Ended(Box::new(ended));
            return;
        };
        drop(state);
        record(ended, found);
    }

    fn let_go(&self, found: Option<ErrorClass>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was found first counts: a drop follows.
        if matches!(*state, State::LetGo(_)) {
            return;
        }
        let before = std::mem::replace(&mut *state, State::LetGo(found));
        drop(state);
        if let State::Ended(ended) = before {
            record(*ended, found);
        }
    }
}

fn record(ended: Ended, found: Option<ErrorClass>) {
    match found {
        Some(class) => ended.but(class).record(),
        None => ended.record(),
    }
}
