use brightstaff_metrics_axum::RequestHead;
use brightstaff_metrics_core::{handler, labels::RequestMethod};

use super::{Endpoint, Named, Task};
use crate::gateway::access::is_preflight;

impl Task {
    /// What stands in the label `handler`.
    fn handler(self) -> &'static str {
        match self {
            Self::Chat => "llm_chat",
            Self::Embeddings => "embeddings",
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Rerank => "rerank",
            Self::Moderations => "moderations",
            Self::ListModels => "list_models",
            Self::Models => "models",
            Self::Files => "files",
            Self::Batches => "batches",
            Self::CountTokens => "count_tokens",
            Self::Realtime => "realtime",
            Self::Passthrough => "passthrough",
        }
    }
}

/// The handler of a request, by what is asked at its path, even where that takes another method. `None` where the name is
/// a matter of the contract: well-known endpoints, preflights, and paths where there is nothing.
pub(in super::super) fn handler(
    providers: &[Named],
    request: &RequestHead<'_>,
) -> Option<&'static str> {
    let path = request.path();
    let method = RequestMethod::from(request.method().as_str());
    if handler::well_known(method, path).is_some() {
        return None;
    }
    if is_preflight(request.method(), request.headers()) {
        return None;
    }
    match Endpoint::at(providers, request.method(), path) {
        Endpoint::Agent(_) => Some("agent_chat"),
        Endpoint::Decide(_) => Some("routing_decision"),
        Endpoint::Models(_) | Endpoint::Agents(_) => Some(Task::ListModels.handler()),
        Endpoint::Provider(_, asked) | Endpoint::Shared(asked) => Some(asked.task().handler()),
        Endpoint::OtherMethod(row, _) if path.starts_with("/agents/") => Some(match row.task {
            Task::ListModels => Task::ListModels.handler(),
            _ => "agent_chat",
        }),
        Endpoint::OtherMethod(..) if path.starts_with("/routing/") => Some("routing_decision"),
        Endpoint::OtherMethod(row, _) => Some(row.task.handler()),
        Endpoint::Nothing | Endpoint::Bad => None,
    }
}
