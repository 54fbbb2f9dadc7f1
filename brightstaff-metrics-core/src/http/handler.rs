//! The handler names of the endpoints that LLM gateways have in common.

use crate::labels::Method;

/// The name of a request for which nothing else is known.
pub const NOT_FOUND: &str = "not_found";

/// The name of a CORS preflight: an OPTIONS with `Origin` and `Access-Control-Request-Method`.
pub const CORS_PREFLIGHT: &str = "cors_preflight";

/// The handler name of a well-known endpoint.
///
/// ```
/// use brightstaff_metrics_core::{handler, labels::Method};
///
/// assert_eq!(handler::well_known(Method::Post, "/v1/messages"), Some("llm_chat"));
/// assert_eq!(handler::well_known(Method::Get, "/v1/messages"), None);
/// ```
#[must_use]
pub fn well_known(method: Method, path: &str) -> Option<&'static str> {
    match (method, path) {
        (
            Method::Post,
            "/v1/chat/completions" | "/v1/messages" | "/v1/responses" | "/v1/completions",
        ) => Some("llm_chat"),
        (Method::Post, "/v1/embeddings") => Some("embeddings"),
        (
            Method::Post,
            "/agents/v1/chat/completions" | "/agents/v1/messages" | "/agents/v1/responses",
        ) => Some("agent_chat"),
        (
            Method::Post,
            "/routing/v1/chat/completions" | "/routing/v1/messages" | "/routing/v1/responses",
        ) => Some("routing_decision"),
        (Method::Post, "/function_calling") => Some("function_calling"),
        (Method::Get, "/v1/models" | "/agents/v1/models") => Some("list_models"),
        _ => None,
    }
}

/// Whether a request to this path is an LLM call: what the implicit measuring covers.
///
/// A list of models is none, and neither is a routing decision.
///
/// ```
/// use brightstaff_metrics_core::{handler, labels::Method};
///
/// assert!(handler::is_llm_call(Method::Post, "/v1/embeddings"));
/// assert!(!handler::is_llm_call(Method::Get, "/v1/models"));
/// ```
#[must_use]
pub fn is_llm_call(method: Method, path: &str) -> bool {
    matches!(
        well_known(method, path),
        Some("llm_chat" | "agent_chat" | "embeddings")
    )
}
