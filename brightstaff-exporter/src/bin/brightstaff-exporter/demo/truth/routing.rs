//! Routing decisions, sessions, and candidates that nobody can reach.

use std::collections::HashMap;

use brightstaff_metrics_core::catalogue as c;

use super::{Between, Made, Span, Truth};
use crate::{
    demo::{
        order::Routing,
        setup::{Candidate, OFFLINE},
    },
    sim::Call,
};

/// Which candidate each session was led to last, as the contract has it, and by which order.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins(HashMap<(String, &'static str), (Candidate, u64)>);

/// From how many pins on those of sessions are dropped that are long over.
const PINS: usize = 4096;
/// How many orders a session may be silent: far more than lie between two turns of one.
const SILENT: u64 = 10_000;

impl Pins {
    fn get(&self, key: &(String, &'static str)) -> Option<Candidate> {
        self.0.get(key).map(|(candidate, _)| *candidate)
    }

    fn insert(&mut self, key: (String, &'static str), to: Candidate, order: u64) {
        if self.0.len() >= PINS {
            self.0
                .retain(|_, (_, last)| order.saturating_sub(*last) < SILENT);
        }
        self.0.insert(key, (to, order));
    }
}

pub(super) fn add(truth: &mut Truth, pins: &mut Pins, made: &Made, attempts: &[&Call]) {
    let decided = match made.order.routing {
        Routing::Nothing => return,
        Routing::Service(_) => "decision_served",
        Routing::ServiceUnknown => "no_candidates",
        Routing::ServiceGarbage => "policy_error",
        Routing::Alias(_) => "",
    };
    if !decided.is_empty() {
        let labels = [("outcome", decided)];
        truth.count(c::ROUTING_SERVICE_REQUESTS.name, labels, 1);
    }
    let (Routing::Alias(alias) | Routing::Service(alias)) = made.order.routing else {
        return;
    };
    let session = made.order.session.clone().map(|id| (id, alias.name));
    let pinned = session.as_ref().and_then(|key| pins.get(key));
    let first = pinned.unwrap_or(alias.candidates[0]);
    let service = matches!(made.order.routing, Routing::Service(_));
    let accepted = if service {
        Some(first)
    } else {
        accepted(alias.candidates, attempts)
    };
    if !service {
        search(truth, made, accepted.map(|accepted| accepted == first));
    }
    let mut event = |outcome| {
        let labels = [("outcome", outcome)];
        truth.count(c::SESSION_CACHE_EVENTS.name, labels, 1);
    };
    match (&session, pinned) {
        (None, _) => {}
        (Some(_), None) => event("miss"),
        (Some(_), Some(_)) => event("hit"),
    }
    let Some(accepted) = accepted else { return };
    if let Some(session) = session
        && pinned != Some(accepted)
    {
        event("store");
        pins.insert(session, accepted, made.order.id);
    }
    let route = match accepted.model {
        _ if service => "routing",
        Some(_) => "llm",
        None => "agent",
    };
    let fallback = if accepted == first { "false" } else { "true" };
    let labels = [
        ("route", route),
        ("selected_model", accepted.selected()),
        ("fallback", fallback),
    ];
    truth.count(c::ROUTER_DECISIONS.name, labels, 1);
    // The decision alone is a part of the time to the headers.
    let all = Between::new(made.seen.sent, made.seen.sent);
    let head = made.seen.head.map_or(made.seen.ended, |(_, at)| at);
    let took = Span {
        least: 0.0,
        ..Span::from(all, Between::new(made.seen.sent, head))
    };
    truth.time(c::ROUTER_DECISION_DURATION.name, [("route", route)], took);
}

/// The search among the candidates of an alias, each of which has several; `first`: whether the one that was accepted
/// was the first.
fn search(truth: &mut Truth, made: &Made, first: Option<bool>) {
    let outcome = match first {
        Some(true) => "first_try",
        Some(false) => "recovered",
        None if made.seen.head.is_some() => "exhausted",
        // The client did not wait for its end.
        None => return,
    };
    let route = match made.order.routing {
        Routing::Alias(alias) if alias.candidates[0].model.is_none() => "agent",
        _ => "llm",
    };
    let labels = [("route", route), ("outcome", outcome)];
    truth.count(c::FAILOVER_REQUESTS.name, labels, 1);
}

/// The candidate that answered, and neither with 429 nor with 5xx.
fn accepted(candidates: &[Candidate], attempts: &[&Call]) -> Option<Candidate> {
    let last = attempts.last()?;
    let (status, _) = last.answered?;
    let accepted = status != 429 && status < 500;
    let is_last = |candidate: &&Candidate| {
        let model = candidate.model.unwrap_or(&last.model);
        candidate.provider == &*last.upstream && model == last.model
    };
    candidates
        .iter()
        .find(is_last)
        .filter(|_| accepted)
        .copied()
}

/// The calls that reached nobody, and so stand in no provider's records.
pub(super) fn add_offline(truth: &mut Truth, made: &Made, attempts: &[&Call]) {
    let Routing::Alias(alias) = made.order.routing else {
        return;
    };
    // Nothing but the order of the alias decides: no session leads there.
    let offline = alias.candidates.iter().filter(|c| c.provider == OFFLINE);
    for candidate in offline {
        let [provider, model] = candidate.pair();
        let labels = [
            ("status_class", "error"),
            ("error_class", "connect"),
            provider,
            model,
        ];
        truth.count(c::UPSTREAM_REQUESTS.name, labels, 1);
        let next = attempts.first().map(|call| call.arrived);
        let failed = Between::new(made.seen.sent, next.unwrap_or(made.seen.ended));
        let start = Between::new(made.seen.sent, failed.latest);
        let labels = [("outcome", "error"), provider, model];
        truth.time(c::UPSTREAM_DURATION.name, labels, Span::from(start, failed));
    }
}
