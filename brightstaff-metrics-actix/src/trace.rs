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
    match headers.get_all(&TRACEPARENT).nth(1) {
        None => TraceContext::parse(first),
        Some(_) => None,
    }
}

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn exactly_one_header_names_the_trace() {
        let mut headers = HeaderMap::new();
        assert!(trace_context(&headers).is_none());
        headers.append(TRACEPARENT.clone(), SOUND.parse().unwrap());
        assert_eq!(trace_context(&headers), TraceContext::parse(SOUND));
        headers.append(TRACEPARENT.clone(), SOUND.parse().unwrap());
        assert!(trace_context(&headers).is_none());
    }
}
