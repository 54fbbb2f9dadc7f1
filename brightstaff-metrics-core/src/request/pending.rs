use crate::{
    clock::Tick,
    families::CallInFlight,
    labels::Operation,
    listener::Listener,
    trace::TraceContext,
    upstream::{Upstream, UpstreamCall, UpstreamObserved},
};

/// A request whose response will be measured as a call to a provider, unless its handler speaks for itself:
/// in flight there from its arrival.
#[derive(Debug)]
#[must_use = "it is to be handed to the observer with the head of the response"]
pub struct PendingCall {
    upstream: Upstream,
    in_flight: CallInFlight,
    start: Tick,
    /// By the endpoint that was asked.
    operation: Option<Operation>,
    aside: Option<Box<Aside>>,
}

/// What few of them have, in one word.
#[derive(Debug, Default)]
struct Aside {
    trace: Option<TraceContext>,
    listener: Option<Listener>,
}

impl PendingCall {
    pub(super) fn new(
        (upstream, operation): (&Upstream, Option<Operation>),
        start: Tick,
        trace: Option<TraceContext>,
    ) -> Self {
        Self {
            in_flight: upstream.call_in_flight(),
            upstream: upstream.clone(),
            start,
            operation,
            aside: trace.map(|trace| {
                Box::new(Aside {
                    trace: Some(trace),
                    listener: None,
                })
            }),
        }
    }

    /// Tells this listener of the end of the call.
    pub(super) fn listen(&mut self, listener: Listener) {
        self.aside.get_or_insert_default().listener = Some(listener);
    }

    /// Leaves it, where the handler marked the response: as one of a call that these metrics measure already,
    /// or as no provider's.
    #[must_use]
    pub fn unless_marked(
        self,
        observed: Option<&UpstreamObserved>,
        no_upstream: bool,
    ) -> Option<Self> {
        let measured = observed.is_some_and(|mark| mark.metrics == self.upstream.metrics_id());
        (!measured && !no_upstream).then_some(self)
    }

    pub(crate) fn start(self) -> UpstreamCall {
        let mut call = UpstreamCall::new(self.upstream, self.in_flight, self.start);
        if self.operation.is_some() {
            call.is_for(self.operation);
        }
        match self.aside {
            None => call,
            Some(aside) => call.in_trace(aside.trace).with_listener(aside.listener),
        }
    }
}
