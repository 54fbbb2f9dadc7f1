//! Things that happen to a gateway, and exactly the alerts that fire: a table in the docs, and a case for
//! `promtool` each.

use std::fmt::Write as _;

use super::alerts::{
    ALL_REFUSED, CANDIDATES_EXHAUSTED, HTTP_FAST_BURN, HTTP_SLOW_BURN, OVERFLOW, RATE_LIMITED,
    REFUSED, SESSION_STORE, SLOW_FIRST_TOKEN, TARGET_DOWN, UPSTREAM_FAST_BURN, UPSTREAM_SLOW_BURN,
    USAGE_MISSING_ALERT,
};

/// Where the cases are.
pub(super) const PATH: &str = "config/prometheus/rules/tests/incidents.yaml";

/// One of them.
#[derive(Debug)]
pub(crate) struct Incident {
    pub(crate) name: &'static str,
    /// What happens, and what the gateway makes of it.
    pub(crate) what: &'static str,
    /// Series, and by how much each rises in a minute.
    pub(crate) rises: &'static [(&'static str, u32)],
    /// Series that are no counters, as `promtool` writes them.
    values: &'static [(&'static str, &'static str)],
    /// What fires once it has lasted for two hours.
    pub(crate) fires: &'static [&'static str],
}

const CHAT: &str =
    "brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"2xx\"}";
const CHAT_4XX: &str =
    "brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"4xx\"}";
const CHAT_5XX: &str =
    "brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"5xx\"}";
const CHAT_ERROR: &str =
    "brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"error\"}";
const GONE: &str =
    "brightstaff_http_requests_cancelled_total{handler=\"llm_chat\",phase=\"headers\"}";
const BROKEN: &str =
    "brightstaff_http_requests_interrupted_total{handler=\"llm_chat\",reason=\"error\"}";
const WELL: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o\",status_class=\"2xx\",error_class=\"none\"}";
const CONNECT: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o\",status_class=\"error\",error_class=\"connect\"}";
const CONNECT_SECOND: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o-mini\",status_class=\"error\",error_class=\"connect\"}";
const EXHAUSTED: &str =
    "brightstaff_llm_failover_requests_total{route=\"llm\",outcome=\"exhausted\"}";
const FIRST_TRY: &str =
    "brightstaff_llm_failover_requests_total{route=\"llm\",outcome=\"first_try\"}";
const RECOVERED: &str =
    "brightstaff_llm_failover_requests_total{route=\"llm\",outcome=\"recovered\"}";
const WELL_SECOND: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o-mini\",status_class=\"2xx\",error_class=\"none\"}";
const HIT: &str = "brightstaff_session_cache_events_total{outcome=\"hit\"}";
const MISS: &str = "brightstaff_session_cache_events_total{outcome=\"miss\"}";
const STORE: &str = "brightstaff_session_cache_events_total{outcome=\"store\"}";
const LOOKUP_FAILED: &str = "brightstaff_session_cache_events_total{outcome=\"error\"}";
const STORE_FAILED: &str = "brightstaff_session_cache_events_total{outcome=\"store_error\"}";
const LIMITED: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o\",status_class=\"4xx\",error_class=\"rate_limit\"}";
const STATUS_4XX: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o\",status_class=\"4xx\",error_class=\"status\"}";
const UNKNOWN_4XX: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"other\",status_class=\"4xx\",error_class=\"status\"}";
const STREAM: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o\",status_class=\"2xx\",error_class=\"stream\"}";
const CANCELLED: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o\",status_class=\"error\",error_class=\"cancelled\"}";
const PANICKED: &str = "brightstaff_llm_upstream_requests_total{provider=\"openai\",model=\"gpt-4o\",status_class=\"2xx\",error_class=\"other\"}";
const INTERRUPTED: &str = "brightstaff_llm_tokens_usage_missing_total{provider=\"openai\",model=\"gpt-4o\",reason=\"interrupted\"}";
const NOT_REPORTED: &str = "brightstaff_llm_tokens_usage_missing_total{provider=\"openai\",model=\"gpt-4o\",reason=\"not_reported\"}";
const FOLDED: &str = "brightstaff_metrics_label_overflow_total{label=\"upstream\"}";
const UP: &str = "up{}";

/// All of them, each beside sound traffic of the same gateway.
pub(crate) const ALL: &[Incident] = &[
    Incident {
        name: "Provider down",
        what: "No call to it connects, no other candidate is there, and clients get 502",
        rises: &[(CHAT_5XX, 60), (CONNECT, 60)],
        values: &[(UP, "1x120")],
        fires: &[
            HTTP_FAST_BURN,
            HTTP_SLOW_BURN,
            UPSTREAM_FAST_BURN,
            UPSTREAM_SLOW_BURN,
        ],
    },
    Incident {
        name: "All candidates down",
        what: "The same to requests that name several candidates: each is tried, and none connects",
        rises: &[
            (CHAT_5XX, 60),
            (CONNECT, 60),
            (CONNECT_SECOND, 60),
            (EXHAUSTED, 60),
        ],
        values: &[(UP, "1x120")],
        fires: &[
            HTTP_FAST_BURN,
            HTTP_SLOW_BURN,
            UPSTREAM_FAST_BURN,
            UPSTREAM_SLOW_BURN,
            CANDIDATES_EXHAUSTED,
        ],
    },
    Incident {
        name: "429 storm",
        what: "It refuses every second call for its rate, and clients get the 429",
        rises: &[(CHAT, 30), (CHAT_4XX, 30), (WELL, 30), (LIMITED, 30)],
        values: &[(UP, "1x120")],
        fires: &[RATE_LIMITED],
    },
    Incident {
        name: "Client sends bad JSON",
        what: "Every second request is one that the provider refuses with 400: 4 good ones beside 4 bad ones a minute. What the gateway refuses by itself makes no call, and fires nothing",
        rises: &[(CHAT, 4), (CHAT_4XX, 4), (WELL, 4), (STATUS_4XX, 4)],
        values: &[(UP, "1x120")],
        fires: &[REFUSED],
    },
    Incident {
        name: "Wrong operator key",
        what: "The provider refuses every call with 401",
        rises: &[(CHAT_4XX, 60), (WELL, 0), (STATUS_4XX, 60)],
        values: &[(UP, "1x120")],
        fires: &[ALL_REFUSED],
    },
    Incident {
        name: "Stream cuts",
        what: "One stream in five breaks off, and with it the gateway's response",
        rises: &[
            (CHAT, 60),
            (BROKEN, 12),
            (WELL, 48),
            (STREAM, 12),
            (INTERRUPTED, 12),
        ],
        values: &[(UP, "1x120")],
        fires: &[
            HTTP_FAST_BURN,
            HTTP_SLOW_BURN,
            UPSTREAM_FAST_BURN,
            UPSTREAM_SLOW_BURN,
        ],
    },
    Incident {
        name: "Slow first token",
        what: "One stream in five shows its first token only after 30 s",
        rises: &[
            (CHAT, 60),
            (WELL, 60),
            (
                "brightstaff_llm_time_to_first_token_seconds_bucket{provider=\"openai\",model=\"gpt-4o\",le=\"1\"}",
                48,
            ),
            (
                "brightstaff_llm_time_to_first_token_seconds_bucket{provider=\"openai\",model=\"gpt-4o\",le=\"10\"}",
                48,
            ),
            (
                "brightstaff_llm_time_to_first_token_seconds_bucket{provider=\"openai\",model=\"gpt-4o\",le=\"30\"}",
                60,
            ),
            (
                "brightstaff_llm_time_to_first_token_seconds_bucket{provider=\"openai\",model=\"gpt-4o\",le=\"+Inf\"}",
                60,
            ),
        ],
        values: &[(UP, "1x120")],
        fires: &[SLOW_FIRST_TOKEN],
    },
    Incident {
        name: "Gateway panics",
        what: "One request in ten ends in a panic of its handler, without a status, while its call is under way. Where the provider had not responded yet, its call counts as a connection that broke, and the upstream alerts fire, too",
        rises: &[
            (CHAT, 54),
            (CHAT_ERROR, 6),
            (WELL, 54),
            (PANICKED, 6),
            (INTERRUPTED, 6),
        ],
        values: &[(UP, "1x120")],
        fires: &[HTTP_FAST_BURN, HTTP_SLOW_BURN],
    },
    Incident {
        name: "Scrape down",
        what: "Prometheus does not reach the gateway any more",
        rises: &[],
        values: &[(UP, "1x60 0x60")],
        fires: &[TARGET_DOWN],
    },
    Incident {
        name: "Usage missing",
        what: "One successful call in ten does not say what it cost",
        rises: &[(CHAT, 60), (WELL, 60), (NOT_REPORTED, 6)],
        values: &[(UP, "1x120")],
        fires: &[USAGE_MISSING_ALERT],
    },
    Incident {
        name: "Label flood",
        what: "A client makes up names of models, in 3 of 60 calls, which the provider refuses with 404. A flood that is more than a tenth of the calls fires BrightstaffCallsRefused, too",
        rises: &[
            (CHAT, 57),
            (CHAT_4XX, 3),
            (WELL, 57),
            (UNKNOWN_4XX, 3),
            (FOLDED, 3),
        ],
        values: &[(UP, "1x120")],
        fires: &[OVERFLOW],
    },
    Incident {
        name: "Redis down",
        what: "Every lookup and every store of a session fails; requests are answered as if their sessions were new",
        rises: &[
            (CHAT, 60),
            (WELL, 60),
            (FIRST_TRY, 60),
            (HIT, 0),
            (LOOKUP_FAILED, 60),
            (STORE_FAILED, 60),
        ],
        values: &[(UP, "1x120")],
        fires: &[SESSION_STORE],
    },
    Incident {
        name: "Nothing wrong",
        what: "Sound traffic with what belongs to it: some clients hang up, some make mistakes, and a provider refuses 2 % of the calls for their rate",
        rises: &[
            (CHAT, 1140),
            (CHAT_4XX, 50),
            (CHAT_ERROR, 10),
            (GONE, 10),
            (WELL, 1140),
            (LIMITED, 24),
            (STATUS_4XX, 26),
            (CANCELLED, 10),
            (WELL_SECOND, 12),
            (FIRST_TRY, 588),
            (RECOVERED, 12),
            (HIT, 540),
            (MISS, 60),
            (STORE, 600),
        ],
        values: &[(UP, "1x120")],
        fires: &[],
    },
];

/// The cases for `promtool`.
pub(super) fn render() -> String {
    let mut out = "\
# Generated by `cargo xtask generate`: edit xtask/src/rules/incidents.rs, not this file.
rule_files:
  - ../brightstaff_recording.yaml
  - ../brightstaff_alerts.yaml

evaluation_interval: 1m

tests:
"
    .to_owned();
    for incident in ALL {
        let _ = writeln!(out, "  - name: {}", incident.name);
        out.push_str("    interval: 1m\n    input_series:\n");
        for (series, rise) in incident.rises {
            input(&mut out, series, &format!("0+{rise}x120"));
        }
        for (series, values) in incident.values {
            input(&mut out, series, values);
        }
        let _ = writeln!(
            out,
            "    promql_expr_test:\n      - expr: count by (alertname) (ALERTS{{alertstate=\"firing\"}})\n        eval_time: 2h"
        );
        if incident.fires.is_empty() {
            out.push_str("        exp_samples: []\n");
            continue;
        }
        out.push_str("        exp_samples:\n");
        for alert in incident.fires {
            let _ = writeln!(
                out,
                "          - labels: '{{alertname=\"{alert}\"}}'\n            value: 1"
            );
        }
    }
    out
}

fn input(out: &mut String, series: &str, values: &str) {
    let place = "job=\"brightstaff\",instance=\"a\"";
    let series = series.replacen('{', &format!("{{{place},"), 1);
    let series = series.replace(",}", "}");
    let _ = writeln!(out, "      - series: {series}\n        values: {values}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::alerts;

    #[test]
    fn every_alert_belongs_to_an_incident() {
        for alert in alerts::all() {
            let mut all = ALL.iter();
            assert!(
                all.any(|incident| incident.fires.contains(&alert.name)),
                "{}",
                alert.name
            );
        }
    }
}
