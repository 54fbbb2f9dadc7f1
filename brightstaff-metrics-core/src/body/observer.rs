use crate::{Exchange, Head, Upstream, UpstreamCall, labels::StatusClass};

/// Who is told of a body as it passes: the inbound request that it answers, the call to a provider
/// that it came from, or both.
///
/// For authors of adapters: the observer moves from the service to its future to the body, and each
/// of its guards records its own ending when it is dropped. The default observer is told, and tells
/// nobody: for requests that are not measured.
#[derive(Debug, Default)]
#[must_use = "what is not moved into a body ends here"]
pub struct Observer {
    /// Dropped first, so that a call is recorded by the time its request is no longer in flight.
    /// Boxed, since every request moves the observer from hand to hand, and most have no call.
    call: Option<Box<UpstreamCall>>,
    exchange: Option<Exchange>,
}

impl Observer {
    /// Observes the answer to an inbound request.
    pub fn exchange(exchange: Exchange) -> Self {
        Self {
            exchange: Some(exchange),
            call: None,
        }
    }

    /// Observes the answer of a provider.
    pub fn call(call: UpstreamCall) -> Self {
        Self {
            exchange: None,
            call: Some(Box::new(call)),
        }
    }

    /// The head of the answer is there. With `implicit`, the answer is measured as a call to that
    /// upstream as well, from the arrival of the request: where its status is 2xx, 429 or 5xx.
    pub fn head(&mut self, head: &Head<'_>, implicit: Option<&Upstream>) {
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        exchange.head(head.status, head.declared, head.ended);
        let class = StatusClass::of(head.status);
        let measured =
            head.status == 429 || matches!(class, StatusClass::Success | StatusClass::ServerError);
        if let (Some(upstream), true) = (implicit, measured) {
            let mut call = upstream.start_at(exchange.started());
            call.head(head);
            self.call = Some(Box::new(call));
        }
    }

    /// The next bytes of the body pass.
    pub fn data(&mut self, bytes: &[u8]) {
        if let Some(call) = &mut self.call {
            call.data(bytes);
        }
        if let Some(exchange) = &mut self.exchange {
            exchange.bytes(bytes.len());
        }
    }

    /// The body came to its end, or the trailers passed.
    pub fn complete(&mut self) {
        if let Some(call) = &mut self.call {
            call.complete();
        }
        if let Some(exchange) = &mut self.exchange {
            exchange.complete();
        }
    }

    /// The service failed without an answer, or the body with an error.
    pub fn fail(&mut self) {
        if let Some(call) = &mut self.call {
            call.body_failed();
        }
        if let Some(exchange) = &mut self.exchange {
            exchange.fail();
        }
    }

    /// The code that makes the answer runs from here to [`leave`](Self::leave): if the observer is
    /// dropped in between, that code panicked.
    pub fn enter(&mut self) {
        if let Some(call) = &mut self.call {
            call.enter();
        }
        if let Some(exchange) = &mut self.exchange {
            exchange.enter();
        }
    }

    /// The code that makes the answer came back.
    pub fn leave(&mut self) {
        if let Some(call) = &mut self.call {
            call.leave();
        }
        if let Some(exchange) = &mut self.exchange {
            exchange.leave();
        }
    }

    /// Runs a poll between [`enter`](Self::enter) and [`leave`](Self::leave).
    pub fn watch<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        self.enter();
        let polled = poll();
        self.leave();
        polled
    }
}
