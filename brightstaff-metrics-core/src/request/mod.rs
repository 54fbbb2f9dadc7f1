//! Inbound requests: their guards, and the names of their handlers.

mod aside;
mod endpoint;
mod guard;
mod handler_name;
mod incoming;
mod known_handler;
mod layer_mark;
mod paths;
mod pending;
mod request_metrics;
mod upgraded;

pub mod handler {
    //! The handler names of the endpoints that LLM gateways have in common.

    pub use super::endpoint::{
        CORS_PREFLIGHT, MALFORMED, NOT_FOUND, UNMATCHED, is_llm_call, well_known,
    };
}

pub use self::{
    guard::RequestGuard,
    handler_name::HandlerName,
    incoming::IncomingRequest,
    known_handler::KnownTemplate,
    layer_mark::{Extensions, LayerMarks, NewMarks},
    pending::PendingCall,
    request_metrics::{Begun, RequestMetrics},
    upgraded::{UpgradeMark, UpgradedRequest},
};
