use actix_web::http::header::{HeaderMap, HeaderName};
use brightstaff_metrics_core::TraceContext;

/// The trace that a request belongs to, by its headers: the `traceparent`, if there is exactly one, and the trace is
/// sampled. For calls that a handler makes, so that their exemplars lead to it.
///
/// ```
/// use actix_web::HttpRequest;
/// use brightstaff_metrics_actix::{Metrics, trace_context};
///
/// fn start(metrics: &Metrics, request: &HttpRequest) {
///     let trace = trace_context(request.headers());
///     let call = metrics.upstream("openai", "gpt-4o").start().in_trace(trace);
///     # drop(call);
/// }
/// ```
#[must_use]
pub fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    // Most requests have none.
    let first = headers.get(&TRACEPARENT)?;
    let is_only = headers.get_all(&TRACEPARENT).nth(1).is_none();
    let value = first.to_str().ok().filter(|_| is_only)?;
    TraceContext::parse(value)
}

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
