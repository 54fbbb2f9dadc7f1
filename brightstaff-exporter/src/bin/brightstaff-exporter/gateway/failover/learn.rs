//! What an attempt says of its candidate, for the requests after it.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, StatusCode};
use brightstaff_metrics_core::labels::SkipReason;

use super::{
    super::directory::{Alias, Candidate},
    Fault, retry_after,
};

impl Alias {
    /// An attempt at this candidate ended its search, or failed. `headers` are those of its response;
    /// `own_credentials`: whether the client sent some.
    pub(super) fn learn(
        &self,
        place: usize,
        fault: Option<Fault>,
        headers: Option<&HeaderMap>,
        own_credentials: impl FnOnce() -> bool,
    ) {
        let (candidate, health) = (&self.candidates[place], &self.failover.health[place]);
        let status = match fault {
            None => return health.succeeded(),
            Some(Fault::OurOwn) => return,
            Some(Fault::Status(status)) => Some(status),
            Some(Fault::NoResponse | Fault::FirstEvent) => None,
        };
        if status.is_some_and(|status| status.is_client_error())
            && candidate.passes_credentials()
            && own_credentials()
        {
            return;
        }
        let (rules, now) = (self.failover.rules, self.failover.clock.now());
        if let (Some(headers), Some(most)) = (headers, rules.max_retry_after)
            && status.is_some_and(asks_for_time)
            && let Some(wait) = retry_after::wait(headers, SystemTime::now())
            && health.asks(rules, wait, now)
        {
            left_alone(candidate, SkipReason::RetryAfter, wait.min(most));
        }
        if let Some(cool_down) = rules.cool_down
            && health.failed(rules, now)
        {
            left_alone(candidate, SkipReason::CoolingDown, cool_down.lasts);
        }
    }
}

fn left_alone(candidate: &Candidate, reason: SkipReason, lasts: Duration) {
    tracing::warn!(candidate = %candidate.full_name(), %reason, ?lasts, "is left alone");
}

/// The statuses whose `Retry-After` tells when the candidate can be asked again.
fn asks_for_time(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}
