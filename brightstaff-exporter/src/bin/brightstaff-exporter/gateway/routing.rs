//! Decisions between the candidates of an alias, and the service that tells them.
//!
//! What is recorded, and when:
//!
//! - A decision is one request that named an alias. It is recorded when a candidate is accepted: one
//!   that answered, and neither with 429 nor with 5xx, nor with anything else after which the alias tries the
//!   next one. Where all failed there is nothing to record, and
//!   a request that named its destination (`provider/model`, a listed model, an agent, or no choice at
//!   all because there is only one) decided nothing.
//! - `route` is `llm` for an alias of models and `agent` for an alias of agents; `selected_model` is the
//!   model as it was sent to its provider, or the agent's name.
//! - `fallback` is `true` where a candidate failed before in this request. Candidates are tried in the
//!   order of the alias, but for the session's, which comes first. One that is left alone for a while is not
//!   tried, the session's included, so that the one in its place may be the first.
//! - `/routing/…` decides without calling anyone: each answered model is a decision with
//!   `route="routing"`, and a `decision_served`. A model that no configuration names is recorded as
//!   `other`, since clients could make series otherwise.
//! - The duration runs from the end of the request's body to the order in which candidates are tried,
//!   session lookup included; no attempt is in it.

use std::{
    iter,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use brightstaff_metrics_core::{
    Metrics,
    labels::{Fallback, OTHER, RouteKind, RoutingOutcome},
};
use serde_json::{Value, json};

use super::{
    Request, Shared,
    directory::{Alias, Candidate, Choice},
    endpoint::Asked,
    error::Refusal,
    inbound::Inbound,
    sessions::Session,
};

/// The decision logic, while it runs.
#[derive(Debug)]
pub(super) struct Routing<'a> {
    shared: &'a Shared,
    started: Instant,
}

/// What was decided: the order in which candidates are tried.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    shared: &'a Shared,
    alias: &'a Alias,
    session: Option<Session>,
    /// The candidate that the session was led to last.
    pinned: Option<usize>,
    elapsed: Duration,
}

impl<'a> Routing<'a> {
    pub(super) fn start(shared: &'a Shared) -> Self {
        let started = Instant::now();
        Self { shared, started }
    }

    pub(super) async fn plan(
        self,
        alias: &'a Alias,
        headers: &HeaderMap,
    ) -> Result<Plan<'a>, Refusal> {
        let sessions = &self.shared.sessions;
        let session = sessions.naming().session(&alias.name, headers)?;
        let pinned = match &session {
            Some(session) => sessions.look_up(session, &alias.candidates).await,
            None => None,
        };
        Ok(Plan {
            shared: self.shared,
            alias,
            session,
            pinned,
            elapsed: self.started.elapsed(),
        })
    }
}

impl<'a> Plan<'a> {
    /// The place in the alias of the candidate to try first.
    pub(super) fn first(&self) -> usize {
        self.pinned.unwrap_or(0)
    }

    /// The places of all candidates, in the order in which they are tried.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let first = self.first();
        let others = (0..self.alias.candidates.len()).filter(move |place| *place != first);
        iter::once(first).chain(others)
    }

    pub(super) fn alias(&self) -> &'a Alias {
        self.alias
    }

    pub(super) fn metrics(&self) -> &'a Metrics {
        &self.shared.metrics
    }

    fn candidate(&self, place: usize) -> &'a Candidate {
        &self.alias.candidates[place]
    }

    /// This candidate is the one, the first that was tried or not: the decision is recorded, and the session
    /// remembers it.
    pub(super) fn accept(self, place: usize, fallback: bool) {
        let route = self.alias.route;
        self.record(place, route, fallback);
    }

    fn record(self, place: usize, route: RouteKind, fallback: bool) {
        let fallback = Fallback::from(fallback);
        let selected = self.candidate(place).selected();
        let metrics = &self.shared.metrics;
        metrics
            .routing()
            .decision(route, selected, fallback, self.elapsed);
        if let Some(session) = self.session
            && self.pinned != Some(place)
        {
            let candidate = &self.alias.candidates[place];
            self.shared.sessions.store(session, candidate);
        }
    }
}

/// Answers a request under `/routing` with the decision.
pub(super) async fn decide(
    shared: &Shared,
    asked: &Asked<'_>,
    request: Box<Request>,
) -> Result<Value, Refusal> {
    let decided = answer(shared, asked, request).await;
    let outcome = match &decided {
        Ok(_) => RoutingOutcome::DecisionServed,
        Err(refusal) if refusal.is_unknown_model() => RoutingOutcome::NoCandidates,
        Err(_) => RoutingOutcome::PolicyError,
    };
    shared.metrics.routing_service().request(outcome);
    decided
}

async fn answer(
    shared: &Shared,
    asked: &Asked<'_>,
    request: Box<Request>,
) -> Result<Value, Refusal> {
    let inbound = Inbound::read(request, asked, &shared.uploads).await?;
    let routing = Routing::start(shared);
    match shared.directory.model(asked, inbound.body.model())? {
        Choice::Direct(candidate) => {
            let selected = if shared.directory.declares(&candidate) {
                candidate.selected()
            } else {
                OTHER
            };
            let elapsed = routing.started.elapsed();
            let router = shared.metrics.routing();
            router.decision(RouteKind::Routing, selected, Fallback::No, elapsed);
            Ok(decision(None, &candidate, &[&candidate], false))
        }
        Choice::Alias(alias) => {
            let plan = routing.plan(alias, &inbound.head.headers).await?;
            let (first, pinned) = (plan.first(), plan.pinned.is_some());
            let order = plan.order();
            let candidates: Vec<_> = order.map(|place| plan.candidate(place)).collect();
            let told = decision(
                Some(&alias.name),
                plan.candidate(first),
                &candidates,
                pinned,
            );
            plan.record(first, RouteKind::Routing, false);
            Ok(told)
        }
    }
}

fn decision(
    route: Option<&str>,
    chosen: &Candidate,
    candidates: &[&Candidate],
    pinned: bool,
) -> Value {
    json!({
        "route": route,
        "provider": *chosen.destination.name,
        "model": chosen.selected(),
        "candidates": candidates.iter().map(|c| c.full_name()).collect::<Vec<_>>(),
        "pinned": pinned,
    })
}
