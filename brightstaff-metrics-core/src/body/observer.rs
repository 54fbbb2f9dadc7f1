use crate::{
    head::Head,
    labels::StatusClass,
    request::{PendingCall, RequestGuard, UpgradeMark},
    upstream::{Opening, UpstreamCall},
};

/// Observes a response as it passes, for the inbound request that it answers, the provider call that it came
/// from, or both.
///
/// It moves from the service to its future to the body, and each of its guards records its own ending when
/// it is dropped. The default has no guard: for requests that are not measured.
#[derive(Debug, Default)]
#[must_use = "what is not moved into a body ends here"]
pub struct ResponseObserver {
    /// First in all, and first to be dropped, so that it is recorded by the time its request is no longer in flight.
    call: Option<Box<UpstreamCall>>,
    request: Option<RequestGuard>,
}

impl From<Option<RequestGuard>> for ResponseObserver {
    /// Observes the response to an inbound request, where that is measured.
    #[inline]
    fn from(request: Option<RequestGuard>) -> Self {
        Self {
            call: None,
            request,
        }
    }
}

impl ResponseObserver {
    /// Observes the response of a provider.
    pub fn call(call: UpstreamCall) -> Self {
        Self {
            call: Some(Box::new(call)),
            request: None,
        }
    }

    /// The guard of the request, where it is measured.
    pub fn request_mut(&mut self) -> Option<&mut RequestGuard> {
        self.request.as_mut()
    }

    /// The head of the response is there. With `implicit`, the response is measured as a call to that
    /// provider as well, from the arrival of the request: where its status is 2xx, 429 or 5xx.
    #[inline]
    pub fn head(&mut self, head: &Head<'_>, implicit: Option<PendingCall>) {
        if let Some(pending) = implicit.filter(|_| is_of_the_provider(head.status)) {
            self.head_of_call(head, pending);
        }
        if let Some(request) = &mut self.request {
            request.head(head);
        }
    }

    /// Whether the connection speaks another protocol after a response of this status: a 101, or a 2xx to CONNECT. Then
    /// the response may have a mark.
    #[must_use]
    #[inline]
    pub fn switches(&self, status: u16) -> bool {
        self.request
            .as_ref()
            .is_some_and(|request| request.switches(status))
    }

    /// The head of a response that [switches](Self::switches), and has this mark: the request is in flight for as long
    /// as its holder wants.
    pub fn upgraded(&mut self, head: &Head<'_>, mark: &UpgradeMark) {
        if let Some(mut request) = self.request.take() {
            request.head(&head.upgraded(true));
            // Whatever ends it from here on ended what was under way.
            request.polled();
            mark.take(request);
        }
    }

    /// A response without a body ends it.
    fn head_of_call(&mut self, head: &Head<'_>, pending: PendingCall) {
        self.call
            .get_or_insert_with(|| Box::new(pending.start()))
            .head(head);
    }

    /// What passed so far says of the response, where it is that of a call.
    pub(crate) fn opening(&self) -> Opening {
        let call = self.call.as_ref();
        call.map_or(Opening::Sound, |call| call.opening())
    }

    /// The next bytes of the body pass.
    #[inline]
    pub fn data(&mut self, bytes: &[u8]) {
        self.tell(
            |call| call.data(bytes),
            |request| request.bytes(bytes.len()),
        );
    }

    /// The body came to its end, or the trailers passed.
    #[inline]
    pub fn complete(&mut self) {
        self.tell(UpstreamCall::complete, RequestGuard::complete);
    }

    /// The service failed without a response, or the body with an error.
    pub fn fail(&mut self) {
        self.tell(UpstreamCall::body_failed, RequestGuard::fail);
    }

    /// Runs the code that makes the response: if it panics, whoever catches that, the request did not end
    /// by a client that went away.
    #[inline]
    pub fn watch<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let watched = Watched(self);
        let polled = poll();
        std::mem::forget(watched);
        polled
    }

    /// The same for a poll of the body, whose first one tells that the response is the one that is sent.
    #[inline]
    pub fn watch_body<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        self.tell(|_| {}, RequestGuard::polled);
        self.watch(poll)
    }

    /// Tells whichever guards there are.
    #[inline]
    fn tell(
        &mut self,
        call: impl FnOnce(&mut UpstreamCall),
        request: impl FnOnce(&mut RequestGuard),
    ) {
        if let Some(observed) = &mut self.call {
            call(observed);
        }
        if let Some(observed) = &mut self.request {
            request(observed);
        }
    }
}

/// Whether a status speaks of the provider rather than of the request.
fn is_of_the_provider(status: u16) -> bool {
    let class = StatusClass::of(status);
    status == 429 || matches!(class, StatusClass::Success | StatusClass::ServerError)
}

/// Dropped only where a panic passes through [`ResponseObserver::watch`]: on the way that all polls take, this
/// costs nothing.
struct Watched<'a>(&'a mut ResponseObserver);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.tell(UpstreamCall::panicked, RequestGuard::panicked);
    }
}
