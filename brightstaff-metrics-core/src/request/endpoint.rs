use crate::labels::{Operation, RequestMethod};

/// The name of a request for which nothing else is known.
pub const NOT_FOUND: &str = "not_found";

/// The name of a request for which nothing else is known, and which was answered by a 1xx, a 2xx or a 3xx all the same:
/// by a service of files that is a router's fallback, for example.
pub const UNMATCHED: &str = "unmatched";

/// The name of a CORS preflight: an OPTIONS with `Origin` and `Access-Control-Request-Method`.
pub const CORS_PREFLIGHT: &str = "cors_preflight";

/// The name of a request that a server refused before it could read its head, where the server tells of
/// it: no service was asked, and the method is `OTHER`.
///
/// ```
/// use brightstaff_metrics_core::{Head, Metrics, adapter, handler::MALFORMED, labels::RequestMethod};
///
/// # let metrics = Metrics::unregistered();
/// let mut request = adapter::begin(&metrics, MALFORMED, RequestMethod::Other);
/// request.head(&Head::new(400));
/// request.complete();
/// ```
pub const MALFORMED: &str = "malformed";

/// The handler name of a well-known endpoint.
///
/// ```
/// use brightstaff_metrics_core::{handler, labels::RequestMethod};
///
/// assert_eq!(handler::well_known(RequestMethod::Post, "/v1/messages"), Some("llm_chat"));
/// assert_eq!(handler::well_known(RequestMethod::Head, "/v1/models"), Some("list_models"));
/// assert_eq!(handler::well_known(RequestMethod::Get, "/v1/messages"), None);
/// ```
#[must_use]
pub fn well_known(method: RequestMethod, path: &str) -> Option<&'static str> {
    Endpoint::of(method, path).map(Endpoint::handler)
}

/// Whether a request to this path is an LLM call: what the implicit measuring covers.
///
/// A list of models is none, and neither is a routing decision.
///
/// ```
/// use brightstaff_metrics_core::{handler, labels::RequestMethod};
///
/// assert!(handler::is_llm_call(RequestMethod::Post, "/v1/embeddings"));
/// assert!(!handler::is_llm_call(RequestMethod::Get, "/v1/models"));
/// ```
#[must_use]
pub fn is_llm_call(method: RequestMethod, path: &str) -> bool {
    operation(method, path).is_some()
}

/// What an LLM call to this path is for.
pub(super) fn operation(method: RequestMethod, path: &str) -> Option<Operation> {
    match Endpoint::of(method, path)? {
        Endpoint::Chat if path == "/v1/completions" => Some(Operation::TextCompletion),
        Endpoint::Chat | Endpoint::Agents => Some(Operation::Chat),
        Endpoint::Embeddings => Some(Operation::Embeddings),
        Endpoint::Routing | Endpoint::FunctionCalling | Endpoint::Models => None,
    }
}

/// The well-known endpoints, those that share a handler as one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Endpoint {
    Chat,
    Embeddings,
    Agents,
    Routing,
    FunctionCalling,
    Models,
}

impl Endpoint {
    pub(super) const ALL: [Self; 6] = [
        Self::Chat,
        Self::Embeddings,
        Self::Agents,
        Self::Routing,
        Self::FunctionCalling,
        Self::Models,
    ];

    #[inline]
    pub(super) fn of(method: RequestMethod, path: &str) -> Option<Self> {
        Self::at(path).filter(|endpoint| endpoint.takes(method))
    }

    /// The one at this path, whatever the method.
    pub(super) fn at(path: &str) -> Option<Self> {
        Some(match path {
            "/v1/chat/completions" | "/v1/messages" | "/v1/responses" | "/v1/completions" => {
                Self::Chat
            }
            "/v1/embeddings" => Self::Embeddings,
            "/agents/v1/chat/completions" | "/agents/v1/messages" | "/agents/v1/responses" => {
                Self::Agents
            }
            "/routing/v1/chat/completions" | "/routing/v1/messages" | "/routing/v1/responses" => {
                Self::Routing
            }
            "/function_calling" => Self::FunctionCalling,
            "/v1/models" | "/agents/v1/models" => Self::Models,
            _ => return None,
        })
    }

    /// Whether it is asked by this method. HEAD asks what GET does (RFC 9110, section 9.3.2).
    #[inline]
    pub(super) fn takes(self, method: RequestMethod) -> bool {
        match self {
            Self::Models => matches!(method, RequestMethod::Get | RequestMethod::Head),
            _ => method == RequestMethod::Post,
        }
    }

    pub(super) fn handler(self) -> &'static str {
        match self {
            Self::Chat => "llm_chat",
            Self::Embeddings => "embeddings",
            Self::Agents => "agent_chat",
            Self::Routing => "routing_decision",
            Self::FunctionCalling => "function_calling",
            Self::Models => "list_models",
        }
    }
}
