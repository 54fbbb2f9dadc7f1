//! What eats the month's error budgets, of the gateway and of each provider.

use brightstaff_metrics_core::{
    catalogue::{HTTP_REQUESTS, UPSTREAM_REQUESTS},
    labels::{ErrorClass, StatusClass},
};

use super::{Alert, HTTP_FAST_BURN, HTTP_SLOW_BURN, UPSTREAM_FAST_BURN, UPSTREAM_SLOW_BURN};
use crate::{
    promql::{Expr, JOB, PROBES, PROVIDER, Source},
    rules::{
        recording::{http_errors_name, upstream_errors_name},
        runbooks,
    },
};

/// The share of requests that may fail: 99.5 % of requests shall get a whole response that is not a 5xx.
pub(crate) const HTTP_BUDGET: f64 = 0.005;
/// The share of calls that may fail: 99 % of calls shall end well.
pub(crate) const UPSTREAM_BUDGET: f64 = 0.01;
/// How few requests a share says nothing about.
const ENOUGH: u32 = 30;

pub(super) fn alerts() -> Vec<Alert> {
    let http = |name, burn: &Burn, summary, runbook| Alert {
        name,
        expr: burn.http(),
        holds: burn.holds,
        severity: burn.severity,
        summary,
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the requests to {{{{ $labels.job }}}} got a 5xx, no response, or one that broke off, over the last {}; the objective allows {}.",
            burn.long, "0.5%"
        ),
        runbook,
    };
    let upstream = |name, burn: &Burn, summary, runbook| Alert {
        name,
        expr: burn.upstream(),
        holds: burn.holds,
        severity: burn.severity,
        summary,
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the calls to {{{{ $labels.provider }}}} failed over the last {}; the objective allows {}. Calls that our own side gave up are not in this, nor are 4xx.",
            burn.long, "1%"
        ),
        runbook,
    };
    vec![
        http(
            HTTP_FAST_BURN,
            &FAST,
            "The gateway's failures eat the month's error budget in two days",
            &runbooks::HTTP_FAST_BURN,
        ),
        http(
            HTTP_SLOW_BURN,
            &SLOW,
            "The gateway's failures eat the month's error budget in five days",
            &runbooks::HTTP_SLOW_BURN,
        ),
        upstream(
            UPSTREAM_FAST_BURN,
            &FAST,
            "Failed calls to a provider eat the month's error budget in two days",
            &runbooks::UPSTREAM_FAST_BURN,
        ),
        upstream(
            UPSTREAM_SLOW_BURN,
            &SLOW,
            "Failed calls to a provider eat the month's error budget in five days",
            &runbooks::UPSTREAM_SLOW_BURN,
        ),
    ]
}

/// How fast a budget burns, and over which windows that is looked at.
struct Burn {
    factor: f64,
    long: &'static str,
    hours: u32,
    short: &'static str,
    holds: &'static str,
    severity: &'static str,
}

/// 2 % of a month's budget within an hour.
const FAST: Burn = Burn {
    factor: 14.4,
    long: "1h",
    hours: 1,
    short: "5m",
    holds: "2m",
    severity: "critical",
};

/// 5 % of a month's budget within six hours.
const SLOW: Burn = Burn {
    factor: 6.0,
    long: "6h",
    hours: 6,
    short: "30m",
    holds: "15m",
    severity: "warning",
};

impl Burn {
    fn expr(
        &self,
        name: fn(&str) -> String,
        labels: &[&'static str],
        budget: f64,
        all: Expr,
    ) -> Expr {
        let bound = (self.factor * budget * 10_000.0).round() / 10_000.0;
        let above = |window| Expr::recorded(name(window), labels).above(bound);
        let enough = all.times(self.hours * 3600).at_least(ENOUGH);
        above(self.long).and(&above(self.short)).and(&enough)
    }

    fn http(&self) -> Expr {
        let requests = Source::Window(self.long).rate(&HTTP_REQUESTS);
        let all = requests.none_of(PROBES).by([]);
        self.expr(http_errors_name, &[JOB], HTTP_BUDGET, all)
    }

    fn upstream(&self) -> Expr {
        let calls = Source::Window(self.long).rate(&UPSTREAM_REQUESTS);
        let all = calls
            .without(StatusClass::ClientError)
            .without(ErrorClass::Cancelled)
            .by([PROVIDER]);
        self.expr(upstream_errors_name, &[JOB, PROVIDER], UPSTREAM_BUDGET, all)
    }
}
