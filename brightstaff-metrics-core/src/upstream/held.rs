use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{UpstreamCall, ended::Ended};
use crate::labels::{ErrorClass, UsageMissing};

/// A call that is recorded only once this is let go: for who reads a response to its end, and may find it
/// useless then.
///
/// The call still ends with the body of its response: so does all that is timed, and it is in flight no longer.
/// Dropping this, or [`accept`](Self::accept), leaves it as it ended.
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

/// Where the body leaves the call that ended, and its holders what they found.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    holders: usize,
    /// What the first holder found who found anything.
    found: Option<ErrorClass>,
    ended: Option<Box<Ended>>,
}

impl UpstreamCall {
    /// Keeps the call from being recorded until what this returns is let go, and all that it returned before. It is
    /// over, and no longer in flight, when its response is. A call that has ended is recorded already.
    pub fn hold(&mut self) -> HeldCall {
        let slot = self.slot().unwrap_or_default();
        slot.state().holders += 1;
        HeldCall(slot)
    }
}

impl HeldCall {
    /// The response can be used: the call is recorded as it ended, or will end.
    pub fn accept(self) {}

    /// The response cannot be used, for this reason: it is recorded as [`UpstreamCall::fail`] records it. Of several
    /// holders the first who says so decides.
    pub fn fail(self, class: ErrorClass) {
        self.0.state().found.get_or_insert(class);
    }

    /// Why the tokens of the call are not known, as it will be recorded unless [`fail`](Self::fail) is called. `None`
    /// where they are, where none are owed, and as long as the call has not ended.
    #[must_use]
    pub fn usage_missing(&self) -> Option<UsageMissing> {
        self.0.state().ended.as_ref()?.usage_missing()
    }
}

impl Drop for HeldCall {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

impl fmt::Debug for HeldCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldCall").finish_non_exhaustive()
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is whole by itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call ended.
    pub(super) fn put(&self, ended: Ended) {
        let mut state = self.state();
        if state.holders > 0 {
            state.ended = Some(Box::new(ended));
            return;
        }
        let found = state.found;
        drop(state);
        ended.record_as(found);
    }

    /// A holder is done.
    fn let_go(&self) {
        let mut state = self.state();
        state.holders -= 1;
        if state.holders > 0 {
            return;
        }
        let (ended, found) = (state.ended.take(), state.found);
        drop(state);
        if let Some(ended) = ended {
            ended.record_as(found);
        }
    }
}
