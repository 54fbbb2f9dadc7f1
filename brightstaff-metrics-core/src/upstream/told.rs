//! What a call is told of itself before its response comes.

use super::UpstreamCall;
#[cfg(feature = "otlp")]
use super::gen_ai::Asked;
use crate::{labels::Operation, listener::Listener, trace::TraceContext};

impl UpstreamCall {
    /// The call belongs to this trace, if there is one: its duration, its time to first token and its time per
    /// output token become exemplars, each the latest of its bucket, which lead from a slow bucket to the trace of a
    /// call that was slow. What was said last counts.
    ///
    /// A call that a layer measures implicitly is in the trace of its request by itself. One that a handler makes is in
    /// that of the request that the handler read, or in a span that the gateway made for it:
    ///
    /// ```
    /// use brightstaff_metrics_core::{Metrics, TraceContext};
    /// # let (metrics, headers) = (Metrics::unregistered(), http::HeaderMap::new());
    ///
    /// // `headers` are those of the inbound request.
    /// let call = metrics.upstream("openai", "gpt-4o").start().in_trace(TraceContext::of(&headers));
    /// # drop(call);
    /// ```
    pub fn in_trace(mut self, trace: impl Into<Option<TraceContext>>) -> Self {
        if let Some(call) = self.open() {
            call.trace = trace.into();
        }
        self
    }

    /// Who is told, if anyone, what was recorded of the call, once it is. What was said last counts.
    pub fn with_listener(mut self, listener: impl Into<Option<Listener>>) -> Self {
        let listener = listener.into();
        if let Some(call) = self.open()
            && (listener.is_some() || call.aside.is_some())
        {
            call.aside.get_or_insert_default().listener = listener;
        }
        self
    }

    /// What the call is for, or `None` where no model is asked, as for a list of models: for the `gen_ai` view
    /// ([`Builder::gen_ai_view`](crate::Builder::gen_ai_view), with the feature `otlp`), which takes it from the response
    /// where that shows its API, and else for `chat`. Who knows which endpoint is asked should say so, since failures show no
    /// API; layers do for the calls that they measure implicitly. What was said last counts.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Metrics, labels::{ErrorClass, Operation}};
    ///
    /// let metrics = Metrics::unregistered();
    /// let call = metrics.upstream("openai", "text-embedding-3-small").start();
    /// call.operation(Operation::Embeddings).fail(ErrorClass::Timeout);
    /// ```
    pub fn operation(mut self, operation: impl Into<Option<Operation>>) -> Self {
        self.is_for(operation.into());
        self
    }

    /// The same.
    #[inline]
    #[cfg_attr(
        not(feature = "otlp"),
        expect(clippy::unused_self, clippy::needless_pass_by_ref_mut)
    )]
    pub(crate) fn is_for(&mut self, operation: Option<Operation>) {
        #[cfg(feature = "otlp")]
        if let Some(call) = self.open() {
            call.asked = match operation {
                Some(operation) => Asked::For(operation),
                None => Asked::ForNone,
            };
        }
        #[cfg(not(feature = "otlp"))]
        let _ = operation;
    }
}
