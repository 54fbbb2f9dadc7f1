use crate::{Exchange, Head, Upstream, UpstreamCall, labels::StatusClass};

/// Who is told of a body as it passes: the inbound request that it answers, the call to a provider
/// that it came from, or both.
///
/// For authors of adapters: the observer moves from the service to its future to the body, and each
/// of its guards records its own ending when it is dropped. The default observer is told, and tells
/// nobody: for requests that are not measured.
#[derive(Debug, Default)]
#[must_use = "what is not moved into a body ends here"]
pub struct Observer(Told);

/// One or the other in one place: every request moves its observer from hand to hand, and most have
/// an exchange alone.
#[derive(Debug, Default)]
enum Told {
    #[default]
    Nobody,
    Exchange(Exchange),
    Call(Box<UpstreamCall>),
    /// The call comes first in all, so that it is recorded by the time its request is no longer in
    /// flight.
    Both(Box<(UpstreamCall, Exchange)>),
}

impl Observer {
    /// Observes the answer to an inbound request.
    #[inline]
    pub fn exchange(exchange: Exchange) -> Self {
        Self(Told::Exchange(exchange))
    }

    /// Observes the answer of a provider.
    pub fn call(call: UpstreamCall) -> Self {
        Self(Told::Call(Box::new(call)))
    }

    /// The head of the answer is there. With `implicit`, the answer is measured as a call to that
    /// upstream as well, from the arrival of the request: where its status is 2xx, 429 or 5xx.
    #[inline]
    pub fn head(&mut self, head: &Head<'_>, implicit: Option<&Upstream>) {
        let Told::Exchange(exchange) = &mut self.0 else {
            return;
        };
        let Some(upstream) = implicit.filter(|_| is_of_the_provider(head.status)) else {
            exchange.head(head);
            return;
        };
        // The call first here too: an answer without a body ends both.
        let mut call = upstream.start_at(exchange.started());
        call.head(head);
        exchange.head(head);
        if let Told::Exchange(exchange) = std::mem::take(&mut self.0) {
            self.0 = Told::Both(Box::new((call, exchange)));
        }
    }

    /// The next bytes of the body pass.
    #[inline]
    pub fn data(&mut self, bytes: &[u8]) {
        self.tell(
            |call| call.data(bytes),
            |exchange| exchange.bytes(bytes.len()),
        );
    }

    /// The body came to its end, or the trailers passed.
    #[inline]
    pub fn complete(&mut self) {
        self.tell(UpstreamCall::complete, Exchange::complete);
    }

    /// The service failed without an answer, or the body with an error.
    pub fn fail(&mut self) {
        self.tell(UpstreamCall::body_failed, Exchange::fail);
    }

    /// Runs the code that makes the answer: if it panics, whoever catches that, the request did not end
    /// by a client that went away.
    #[inline]
    pub fn watch<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let watched = Watched(self);
        let polled = poll();
        std::mem::forget(watched);
        polled
    }

    /// Tells those that there are.
    #[inline]
    fn tell(&mut self, call: impl FnOnce(&mut UpstreamCall), exchange: impl FnOnce(&mut Exchange)) {
        match &mut self.0 {
            Told::Nobody => {}
            Told::Exchange(one) => exchange(one),
            Told::Call(one) => call(one),
            Told::Both(both) => {
                call(&mut both.0);
                exchange(&mut both.1);
            }
        }
    }
}

/// Whether a status speaks of the provider rather than of the request.
fn is_of_the_provider(status: u16) -> bool {
    let class = StatusClass::of(status);
    status == 429 || matches!(class, StatusClass::Success | StatusClass::ServerError)
}

/// Dropped only where a panic passes through [`Observer::watch`]: on the way that all polls take, this
/// costs nothing.
struct Watched<'a>(&'a mut Observer);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.tell(UpstreamCall::panicked, Exchange::panicked);
    }
}
