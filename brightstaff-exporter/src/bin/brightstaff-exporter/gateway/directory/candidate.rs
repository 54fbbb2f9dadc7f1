use std::sync::Arc;

use brightstaff_metrics_core::{Upstream, labels::RouteKind};

use super::super::{destination::Destination, failover::Failover};

/// One destination to try, and what of the request changes for it.
#[derive(Clone, Debug)]
pub(in crate::gateway) struct Candidate {
    pub(in crate::gateway) destination: Arc<Destination>,
    pub(in crate::gateway) upstream: Upstream,
    /// The model to ask the destination for; agents get what the client wrote.
    pub(in crate::gateway) model: Option<Box<str>>,
    /// One of an alias that leads to several destinations. The client's key is for one of them at the
    /// most, and nobody knows for which, so that none gets it.
    pub(in crate::gateway) among_several: bool,
}

impl Candidate {
    /// What a decision for it selected: a model, or an agent.
    pub(in crate::gateway) fn selected(&self) -> &str {
        self.model.as_deref().unwrap_or(&self.destination.name)
    }

    /// Whether a client's own credentials reach it.
    pub(in crate::gateway) fn passes_credentials(&self) -> bool {
        !self.among_several && self.destination.passes_credentials()
    }

    /// What tells it from every other candidate of an alias, whatever their order.
    pub(in crate::gateway) fn full_name(&self) -> String {
        format!("{}/{}", self.destination.name, self.selected())
    }

    /// Whether this is its full name.
    pub(in crate::gateway) fn is(&self, full_name: &str) -> bool {
        let rest = full_name.strip_prefix(&*self.destination.name);
        let selected = rest.and_then(|rest| rest.strip_prefix('/'));
        selected == Some(self.selected())
    }
}

/// An alias, and where it leads.
#[derive(Debug)]
pub(in crate::gateway) struct Alias {
    pub(in crate::gateway) name: Arc<str>,
    pub(in crate::gateway) route: RouteKind,
    pub(in crate::gateway) candidates: Vec<Candidate>,
    pub(in crate::gateway) failover: Failover,
}

/// Where a request goes.
#[derive(Debug)]
pub(in crate::gateway) enum Choice<'a> {
    /// The client named an alias: there is something to decide.
    Alias(&'a Alias),
    /// The client named its destination, or there is only one.
    Direct(Candidate),
}
