use axum::http::{HeaderMap, Response};
use brightstaff_metrics_core::labels::{FailoverOutcome, FailoverRoute, RouteKind, SkipReason};

use super::{
    super::{
        directory::{Alias, Candidate},
        error::Refusal,
        forward::call,
        inbound::{Inbound, InboundHead},
        request_id::RequestId,
        routing::Plan,
    },
    Answer, Fault,
};

/// Tries one candidate after the other; the last one's response passes, whatever it is.
pub(in crate::gateway) async fn ask_in_turn(
    plan: Plan<'_>,
    inbound: &Inbound<'_>,
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
    inbound: &'a Inbound<'a>,
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
            self.plan.record_skip(place, reason);
        }
    }

    /// Asks a candidate; tells whether it is accepted.
    async fn attempt(&mut self, place: usize) -> bool {
        for (place, reason) in std::mem::take(&mut self.skipped) {
            self.plan.record_skip(place, reason);
        }
        // Ends its call before the next one starts.
        if let Some(last) = self.last.take() {
            let id = RequestId::of(&self.inbound.head.headers);
            last.passed_over(self.alias, id.as_ref().map(RequestId::as_str));
        }
        let candidate = &self.alias.candidates[place];
        let mut response = call(candidate, self.inbound).await;
        let fault = self.alias.failover.fault(&mut response).await;
        self.attempts += usize::from(!matches!(fault, Some(Fault::OurOwn)));
        let own_credentials = || self.inbound.head.has_credentials();
        self.alias
            .learn(place, fault, headers(&response), own_credentials);
        self.last = Some(Attempt {
            place,
            response,
            fault,
        });
        fault.is_none()
    }
}

impl Attempt {
    /// Another candidate is asked, and nobody will read this response.
    fn passed_over(self, alias: &Alias, request_id: Option<&str>) {
        let upstream = &alias.candidates[self.place].destination.name;
        match self.fault {
            Some(Fault::Status(status)) => {
                let status = status.as_u16();
                tracing::warn!(%upstream, status, request_id, "passed over");
            }
            Some(Fault::FirstEvent) => {
                tracing::warn!(%upstream, request_id, "passed over: its first event is an error");
            }
            Some(Fault::NoResponse | Fault::OurOwn) | None => {}
        }
    }
}

/// A request that can be sent only once, since it passes as it comes.
pub(in crate::gateway) struct OneTry<'a> {
    plan: Plan<'a>,
    place: usize,
    own_credentials: bool,
}

impl<'a> OneTry<'a> {
    /// Whom to ask: the first that is not left alone, or the first where all are.
    pub(in crate::gateway) fn of(plan: Plan<'a>, head: &InboundHead<'_>) -> Self {
        let mut skipped = Vec::new();
        let admitted = plan.order().find(|place| {
            let admitted = plan.alias().failover.admit(*place);
            skipped.extend(admitted.err().map(|reason| (*place, reason)));
            admitted.is_ok()
        });
        let place = match admitted {
            Some(place) => {
                for (place, reason) in skipped {
                    plan.record_skip(place, reason);
                }
                place
            }
            None => plan.first(),
        };
        Self {
            own_credentials: head.has_credentials(),
            plan,
            place,
        }
    }

    pub(in crate::gateway) fn candidate(&self) -> &'a Candidate {
        &self.plan.alias().candidates[self.place]
    }

    /// The search ends with this response.
    pub(in crate::gateway) fn conclude<B>(self, response: &Result<Response<B>, Refusal>) {
        let alias = self.plan.alias();
        let fault = alias.failover.fault_of(response);
        alias.learn(self.place, fault, headers(response), || {
            self.own_credentials
        });
        let attempts = usize::from(!matches!(fault, Some(Fault::OurOwn)));
        let accepted = fault.is_none().then_some(self.place);
        self.plan.conclude(accepted, attempts);
    }
}

fn headers<B>(response: &Result<Response<B>, Refusal>) -> Option<&HeaderMap> {
    response.as_ref().ok().map(Response::headers)
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

    fn record_skip(&self, place: usize, reason: SkipReason) {
        let candidate = &self.alias().candidates[place];
        tracing::debug!(candidate = %candidate.full_name(), %reason, "left alone");
        self.metrics().routing().skip(candidate.selected(), reason);
    }
}
