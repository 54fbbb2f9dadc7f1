use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::RequestGuard;
use crate::progress::Ending;

/// A request whose connection speaks another protocol after its response, a web socket first of all: it stays in flight,
/// and its duration runs, until this is let go.
///
/// Without it such a request ends at its 101, since what follows passes by the middleware. Whoever takes the connection
/// over holds this, and the response carries its [mark](Self::mark) in its extensions: the middleware that meets the mark
/// in a 101, or in a 2xx to CONNECT, leaves the request to the holder. In any other response the mark means nothing, and
/// where no middleware meets it, nothing is recorded.
///
/// How it ends is how any response does: [`complete`](Self::complete) where both sides closed, [`fail`](Self::fail) where
/// it broke (`http_requests_interrupted_total`), and as a cancel (`phase="body"`) where this is dropped, as it is with a
/// task that is aborted, or an upgrade that never came because the client left.
///
/// ```
/// use brightstaff_metrics_core::UpgradedRequest;
///
/// # async fn relay_frames() -> Result<(), std::io::Error> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> http::Result<()> {
/// let upgraded = UpgradedRequest::new();
/// let response = http::Response::builder()
///     .status(101)
///     .extension(upgraded.mark())
///     .body(())?;
/// tokio::spawn(async move {
///     match relay_frames().await {
///         Ok(()) => upgraded.complete(),
///         Err(_) => upgraded.fail(),
///     }
/// });
/// # let _ = response;
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it is a cancel"]
pub struct UpgradedRequest(Arc<Slot>);

/// Stands in the extensions of a response after which an [`UpgradedRequest`] goes on.
#[derive(Clone)]
pub struct UpgradeMark(Arc<Slot>);

/// Where middleware leaves the requests that it measures, and the holder how they ended, whichever comes first.
struct Slot(Mutex<State>);

enum State {
    /// Of each middleware with metrics of its own one.
    Open(Vec<RequestGuard>),
    Ended(Ending),
}

impl UpgradedRequest {
    /// One that no middleware has met yet.
    #[expect(
        clippy::new_without_default,
        reason = "one that nobody marks is of no use"
    )]
    pub fn new() -> Self {
        Self(Arc::new(Slot(Mutex::new(State::Open(Vec::new())))))
    }

    /// What the response carries in its extensions.
    #[must_use]
    pub fn mark(&self) -> UpgradeMark {
        UpgradeMark(Arc::clone(&self.0))
    }

    /// Both sides closed.
    pub fn complete(self) {
        self.0.end(Ending::Complete);
    }

    /// It broke, by no fault of the client: it was interrupted.
    pub fn fail(self) {
        self.0.end(Ending::Failed);
    }
}

impl Drop for UpgradedRequest {
    fn drop(&mut self) {
        self.0.end(if std::thread::panicking() {
            Ending::Panicked
        } else {
            Ending::Dropped
        });
    }
}

impl UpgradeMark {
    /// The request is the holder's from now on.
    pub(crate) fn take(&self, mut request: RequestGuard) {
        match &mut *self.0.state() {
            State::Open(requests) => requests.push(request),
            State::Ended(ending) => request.end(*ending),
        }
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first says how.
    fn end(&self, ending: Ending) {
        let mut state = self.state();
        if let State::Open(requests) = &mut *state {
            let requests = mem::take(requests);
            *state = State::Ended(ending);
            drop(state);
            for mut request in requests {
                request.end(ending);
            }
        }
    }
}

impl fmt::Debug for UpgradedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradedRequest").finish_non_exhaustive()
    }
}

impl fmt::Debug for UpgradeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeMark").finish_non_exhaustive()
    }
}
