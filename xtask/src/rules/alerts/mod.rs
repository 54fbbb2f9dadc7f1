//! The alerts, each with what it means and what to do about it.

mod budgets;
mod gateway;
mod providers;

use super::{Group, Rule, runbooks::Runbook};
use crate::{links, promql::Expr};

pub(crate) use self::{
    budgets::{HTTP_BUDGET, UPSTREAM_BUDGET},
    providers::SLOW_FIRST_TOKEN_SECONDS,
};

pub(crate) const HTTP_FAST_BURN: &str = "BrightstaffHttpErrorBudgetFastBurn";
pub(crate) const HTTP_SLOW_BURN: &str = "BrightstaffHttpErrorBudgetSlowBurn";
pub(crate) const UPSTREAM_FAST_BURN: &str = "BrightstaffUpstreamErrorBudgetFastBurn";
pub(crate) const UPSTREAM_SLOW_BURN: &str = "BrightstaffUpstreamErrorBudgetSlowBurn";
pub(crate) const SLOW_FIRST_TOKEN: &str = "BrightstaffSlowFirstToken";
pub(crate) const RATE_LIMITED: &str = "BrightstaffRateLimited";
pub(crate) const REFUSED: &str = "BrightstaffCallsRefused";
pub(crate) const ALL_REFUSED: &str = "BrightstaffProviderRefusesAll";
pub(crate) const SESSION_STORE: &str = "BrightstaffSessionStoreFailing";
pub(crate) const CANDIDATES_EXHAUSTED: &str = "BrightstaffCandidatesExhausted";
pub(crate) const USAGE_MISSING_ALERT: &str = "BrightstaffUsageMissing";
pub(crate) const OVERFLOW: &str = "BrightstaffLabelOverflow";
pub(crate) const TARGET_DOWN: &str = "BrightstaffTargetDown";

/// One alert.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) name: &'static str,
    pub(crate) expr: Expr,
    pub(crate) holds: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: String,
    pub(crate) runbook: &'static Runbook,
}

impl Alert {
    /// Its annotations, in order.
    pub(super) fn annotations(&self) -> [(&'static str, String); 4] {
        [
            ("summary", self.summary.to_owned()),
            ("description", self.description.clone()),
            ("runbook", self.runbook.annotation()),
            ("runbook_url", links::monitoring(&links::anchor(self.name))),
        ]
    }
}

/// Every group of alerts.
pub(crate) fn groups() -> Vec<Group> {
    let group = |name, about, alerts: Vec<Alert>| Group {
        name,
        about,
        interval: None,
        rules: alerts.into_iter().map(Rule::Alert).collect(),
    };
    vec![
        group(
            "brightstaff_error_budgets",
            "Each burns on two windows at once: the long one says that it matters, the short one that it is\nstill going on. A share of fewer than 30 requests says nothing, and wakes nobody.",
            budgets::alerts(),
        ),
        group(
            "brightstaff_providers",
            "What providers do to the gateway's clients.",
            providers::alerts(),
        ),
        group(
            "brightstaff_sessions",
            "What keeps conversations with their model.",
            gateway::sessions(),
        ),
        group(
            "brightstaff_measurement",
            "Whether the numbers can be believed.",
            gateway::measurement(),
        ),
    ]
}

/// Every alert.
pub(crate) fn all() -> Vec<Alert> {
    let all = [
        budgets::alerts(),
        providers::alerts(),
        gateway::sessions(),
        gateway::measurement(),
    ];
    all.into_iter().flatten().collect()
}
