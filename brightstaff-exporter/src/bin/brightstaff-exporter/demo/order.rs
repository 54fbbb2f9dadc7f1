//! One request that is to be made: what is sent, what the providers will do, what the client does.

use axum::http::Method;

use super::setup::Alias;
use crate::sim::Behaviour;

/// One request of the load.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Text, since not everything that is sent is JSON.
    pub(crate) body: String,
    pub(crate) streamed: bool,
    /// What the providers do, attempt by attempt.
    pub(crate) behaviours: Vec<Behaviour>,
    /// When the client hangs up, if it does.
    pub(crate) hang_up: Option<HangUp>,
    /// The name that this request has by the contract.
    pub(crate) handler: &'static str,
    /// What the gateway has to decide for it.
    pub(crate) routing: Routing,
    /// Requests of one session are made one after the other.
    pub(crate) session: Option<String>,
}

impl Order {
    /// The trace that it belongs to: each request is one, so that an exemplar leads to it.
    pub(super) fn trace_id(&self) -> String {
        format!("{TRACES:016x}{:016x}", self.id)
    }

    /// What tells the gateway of that trace, which is sampled.
    pub(super) fn traceparent(&self) -> String {
        format!("00-{}-{:016x}-01", self.trace_id(), self.id)
    }
}

/// "the demo", in ASCII.
const TRACES: u64 = u64::from_be_bytes(*b"the demo");

/// When a client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HangUp {
    /// Once a provider has the call, before it answers.
    BeforeHead,
    /// Once all that the provider will send was read.
    InBody,
}

impl HangUp {
    /// As the label `phase` has it.
    pub(crate) fn phase(self) -> &'static str {
        match self {
            Self::BeforeHead => "headers",
            Self::InBody => "body",
        }
    }
}

/// What the gateway has to decide for a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Routing {
    /// Nothing: the model names its provider, or no provider is asked.
    Nothing,
    /// Which candidate of an alias is asked.
    Alias(&'static Alias),
    /// The routing service is asked where an alias leads.
    Service(&'static Alias),
    /// The routing service is asked for a model that leads nowhere.
    ServiceUnknown,
    /// The routing service is sent what is no request.
    ServiceGarbage,
}
