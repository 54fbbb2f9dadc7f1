use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use brightstaff_metrics_core::labels::{FailoverOutcome, FailoverRoute, RouteKind, SkipReason};

use super::{
    super::{
        directory::{Alias, Candidate},
        error::Refusal,
        forward::call,
        inbound::Inbound,
        routing::Plan,
    },
    Answer, Failover, Fault, Passing, is_our_own, retry_after,
};

/// Tries one candidate after the other; the last one's response passes, whatever it is.
pub(in crate::gateway) async fn ask_in_turn(
    plan: Plan<'_>,
    inbound: &Inbound,
) -> Result<Answer, Refusal> {
    let mut search = Search {
        alias: plan.alias(),
        plan: &plan,
        inbound,
        last: None,
        skipped: Vec::new(),
        attempts: 0,
    };
    let accepted = search.run().await;
    let (last, attempts) = (search.last, search.attempts);
    plan.conclude(accepted, attempts);
    last.expect("an alias has a candidate, and all are asked where none may be")
        .response
}

/// One request on its way through the candidates.
struct Search<'a> {
    alias: &'a Alias,
    plan: &'a Plan<'a>,
    inbound: &'a Inbound,
    last: Option<Attempt>,
    /// Whose turn came before the first attempt.
    skipped: Vec<(usize, SkipReason)>,
    /// How many calls were made.
    attempts: usize,
}

struct Attempt {
    place: usize,
    response: Result<Answer, Refusal>,
    fault: Option<Fault>,
}

impl Search<'_> {
    /// The place of the candidate that was accepted.
    async fn run(&mut self) -> Option<usize> {
        for place in self.plan.order() {
            match self.alias.failover.admit(place) {
                Err(reason) => self.skip(place, reason),
                Ok(()) if self.attempt(place).await => return Some(place),
                Ok(()) => {}
            }
        }
        if self.last.is_some() {
            return None;
        }
        // All are left alone, so that leaving them alone helps nobody.
        self.skipped.clear();
        for place in self.plan.order() {
            if self.attempt(place).await {
                return Some(place);
            }
        }
        None
    }

    /// Its turn came, and it is passed over; unless nobody else can be asked.
    fn skip(&mut self, place: usize, reason: SkipReason) {
        if self.last.is_none() {
            self.skipped.push((place, reason));
        } else {
            self.record_skip(place, reason);
        }
    }

    fn record_skip(&self, place: usize, reason: SkipReason) {
        let candidate = &self.alias.candidates[place];
        tracing::debug!(candidate = %candidate.full_name(), %reason, "left alone");
        self.plan.record_skip(candidate, reason);
    }

    /// Asks a candidate; tells whether it is accepted.
    async fn attempt(&mut self, place: usize) -> bool {
        for (place, reason) in std::mem::take(&mut self.skipped) {
            self.record_skip(place, reason);
        }
        // Ends its call before the next one starts.
        if let Some(last) = self.last.take() {
            last.passed_over(self.alias);
        }
        let candidate = &self.alias.candidates[place];
        let response = call(candidate, self.inbound).await;
        let mut response = response.map(|response| response.map(Passing::from));
        self.attempts += usize::from(!is_our_own(&response));
        let fault = self.alias.failover.fault(&mut response).await;
        self.learn(place, fault, &response);
        self.last = Some(Attempt {
            place,
            response,
            fault,
        });
        fault.is_none()
    }

    /// What an attempt says of its candidate is known to the requests after this one.
    fn learn(&self, place: usize, fault: Option<Fault>, response: &Result<Answer, Refusal>) {
        let Failover {
            rules,
            health,
            clock,
            ..
        } = &self.alias.failover;
        let (candidate, health) = (&self.alias.candidates[place], &health[place]);
        let status = match fault {
            None => return health.succeeded(),
            Some(Fault::OurOwn) => return,
            Some(Fault::Status(status)) => Some(status),
            Some(Fault::NoResponse | Fault::FirstEvent) => None,
        };
        if status.is_some_and(|status| status.is_client_error())
            && candidate.passes_credentials()
            && self.inbound.has_credentials()
        {
            return;
        }
        let now = clock.now();
        if let (Ok(response), Some(status)) = (response, status)
            && asks_for_time(status)
            && let Some(wait) = retry_after::wait(response.headers(), SystemTime::now())
            && health.asks(*rules, wait, now)
        {
            left_alone(
                candidate,
                SkipReason::RetryAfter,
                rules.max_retry_after.map(|most| wait.min(most)),
            );
        }
        if health.failed(*rules, now) {
            let lasts = rules.cool_down.map(|cool_down| cool_down.lasts);
            left_alone(candidate, SkipReason::CoolingDown, lasts);
        }
    }
}

impl Attempt {
    /// Another candidate is asked, and nobody will read this response.
    fn passed_over(self, alias: &Alias) {
        let upstream = &alias.candidates[self.place].destination.name;
        match self.fault {
            Some(Fault::Status(status)) => {
                tracing::warn!(%upstream, status = status.as_u16(), "passed over");
            }
            Some(Fault::FirstEvent) => {
                tracing::warn!(%upstream, "passed over: its first event is an error");
            }
            Some(Fault::NoResponse | Fault::OurOwn) | None => {}
        }
    }
}

fn left_alone(candidate: &Candidate, reason: SkipReason, lasts: Option<Duration>) {
    let lasts = lasts.unwrap_or_default();
    tracing::warn!(candidate = %candidate.full_name(), %reason, ?lasts, "is left alone");
}

/// The statuses whose `Retry-After` tells when the candidate can be asked again.
fn asks_for_time(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

impl Plan<'_> {
    /// The search ended, after so many calls, with this candidate or with none.
    fn conclude(self, accepted: Option<usize>, attempts: usize) {
        let alias = self.alias();
        if alias.candidates.len() > 1 && attempts > 0 {
            let route = match alias.route {
                RouteKind::Agent => FailoverRoute::Agent,
                _ => FailoverRoute::Llm,
            };
            let outcome = match accepted {
                None => FailoverOutcome::Exhausted,
                Some(_) if attempts > 1 => FailoverOutcome::Recovered,
                Some(_) => FailoverOutcome::FirstTry,
            };
            self.metrics().routing().failover(route, outcome);
        }
        if let Some(place) = accepted {
            self.accept(place, attempts > 1);
        }
    }

    fn record_skip(&self, candidate: &Candidate, reason: SkipReason) {
        self.metrics().routing().skip(candidate.selected(), reason);
    }
}
