//! The search among the candidates of an alias: who is asked, when the next one is, and who is left alone.
//!
//! - Candidates are asked one after the other, the session's first, until one is accepted. The next one is tried where
//!   there is no response, after a 429, a 5xx and what `retry_on` names; the last response passes, whatever it is. Each
//!   attempt is a call of its own.
//! - A candidate that asked for time (`Retry-After`), or failed too often in a row, is left alone for a while: where
//!   its turn comes, it is passed over, which is a skip and no attempt. So is the session's own. Where all of them are
//!   left alone they are asked all the same, in their order, and none is a skip: the gateway itself refuses nobody.
//! - What the search comes to is recorded where an alias has several candidates, when its last attempt ends it:
//!   `first_try`, `recovered` or `exhausted`. Where the client goes away before, it comes to nothing.
//! - A 4xx to a request with the client's own credentials speaks of that client, and is no reason to leave a candidate
//!   alone.

mod health;
mod learn;
mod peek;
mod retry_after;
mod search;

use std::{collections::HashMap, sync::Arc};

use axum::http::{Response, StatusCode};
use brightstaff_metrics_core::{Opening, labels::SkipReason};

use self::{
    health::{Clock, CoolDown, Health, Rules},
    peek::FirstEvent,
};
pub(super) use self::{
    peek::Peeked,
    search::{OneTry, ask_in_turn},
};
use super::{directory::Candidate, entrance::Passed, error::Refusal};
use crate::config::RouteAlias;

type Answer = Response<Passed>;

/// When an alias goes on to its next candidate, and what is known of them.
#[derive(Debug)]
pub(super) struct Failover {
    retry_on: Box<[u16]>,
    /// How far the responses are looked into, if at all.
    first_event: Option<FirstEvent>,
    rules: Rules,
    /// One for each candidate, in the same order.
    health: Box<[Arc<Health>]>,
    clock: Clock,
}

/// What is known of all candidates, by their full names: aliases share it.
#[derive(Debug)]
pub(super) struct HealthBook {
    known: HashMap<String, Arc<Health>>,
    clock: Clock,
}

impl HealthBook {
    /// `before` is the one whose place it takes.
    pub(super) fn new(before: Option<&Self>) -> Self {
        Self {
            known: HashMap::new(),
            clock: before.map_or_else(Clock::start, |before| before.clock),
        }
    }

    /// What is known of this candidate, and of `before` where nothing is yet.
    fn of(&mut self, candidate: &Candidate, before: Option<&Self>) -> Arc<Health> {
        let name = candidate.full_name();
        let before = before.and_then(|before| before.known.get(&name)).cloned();
        let known = self.known.entry(name);
        Arc::clone(known.or_insert_with(|| before.unwrap_or_default()))
    }
}

impl Failover {
    /// `before` says where more is known of a candidate.
    pub(super) fn new<'b>(
        route: &RouteAlias,
        candidates: &[Candidate],
        book: &mut HealthBook,
        before: impl Fn(&Candidate) -> Option<&'b HealthBook>,
    ) -> Self {
        let first_event = FirstEvent {
            timeout: route.first_event_timeout,
            max_bytes: route.first_event_max_bytes,
        };
        let cool_down = CoolDown {
            after: route.cool_down_after,
            lasts: route.cool_down,
        };
        let health = candidates.iter();
        let health = health.map(|candidate| book.of(candidate, before(candidate)));
        let health = health.collect();
        // Where there is no other candidate, nothing is to be known of the one.
        let several = candidates.len() > 1;
        Self {
            retry_on: route.retry_on.statuses.as_slice().into(),
            first_event: (several && route.retry_on.first_event_error).then_some(first_event),
            rules: Rules {
                max_retry_after: route.respect_retry_after.then_some(route.max_retry_after),
                cool_down: (cool_down.after > 0).then_some(cool_down),
            },
            health,
            clock: book.clock,
        }
    }

    /// Whether a candidate may be asked now.
    fn admit(&self, place: usize) -> Result<(), SkipReason> {
        if self.rules.are_none() {
            // Nobody needs to know what time it is.
            return Ok(());
        }
        self.health[place].admit(self.rules, self.clock.now())
    }
}

/// Why a candidate is not accepted.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// There is no response, and the log says why.
    NoResponse,
    Status(StatusCode),
    FirstEvent,
    /// The gateway could not even ask.
    OurOwn,
}

impl Failover {
    /// Why this response does not end the search, if it does not.
    async fn fault(&self, response: &mut Result<Answer, Refusal>) -> Option<Fault> {
        if let Some(fault) = self.fault_of(response) {
            return Some(fault);
        }
        let response = response.as_mut().ok()?;
        let is_success = response.status().is_success();
        let bounds = self.first_event.filter(|_| is_success)?;
        let opening = response.body_mut().peeked().opening(bounds).await;
        (opening == Opening::Failed).then_some(Fault::FirstEvent)
    }

    /// The same of its head alone.
    fn fault_of<B>(&self, response: &Result<Response<B>, Refusal>) -> Option<Fault> {
        match response {
            Ok(response) => {
                let status = response.status();
                self.fails(status).then_some(Fault::Status(status))
            }
            Err(refusal) if refusal.is_upstream() => Some(Fault::NoResponse),
            Err(_) => Some(Fault::OurOwn),
        }
    }

    fn fails(&self, status: StatusCode) -> bool {
        status == StatusCode::TOO_MANY_REQUESTS
            || status.is_server_error()
            || self.retry_on.contains(&status.as_u16())
    }
}
