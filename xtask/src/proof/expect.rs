//! What each query of each panel has to return, said without PromQL: from the truth alone.

use std::collections::BTreeMap;

use brightstaff_metrics_core::catalogue::{
    Family, HTTP_CANCELLED, HTTP_INTERRUPTED, HTTP_REQUEST_DURATION, HTTP_REQUESTS, LABEL_OVERFLOW,
    REQUEST_TOKENS, ROUTER_DECISION_DURATION, ROUTER_DECISIONS, ROUTING_SERVICE_REQUESTS,
    SESSION_CACHE_EVENTS, TIME_PER_OUTPUT_TOKEN, TIME_TO_FIRST_BYTE, TIME_TO_FIRST_TOKEN,
    TOKEN_DETAILS, TOKENS, UPSTREAM_DURATION, UPSTREAM_REQUESTS, USAGE_MISSING,
};

use super::truth::{Only, Table, Truth, parts, share, total};

/// What a query has to return.
#[derive(Debug)]
pub(super) enum Expected {
    /// These values, and where they are not listed, nothing or 0.
    Values(Table),
    /// This quantile of these samples, by the values of the labels, where it is not in the first or the last bucket.
    Quantile(f64, &'static Family, Samples),
    /// The mean of these samples: of all, or where this quantile is in the first or the last bucket.
    Mean(Option<f64>, &'static Family, Samples),
    /// These values, each of the bucket up to this bound.
    Buckets(Vec<(f64, f64)>),
    /// 0, since everything is at rest.
    Rest,
    /// How many alerts fire.
    Firing,
    /// Something: only the process itself knows how much.
    Something,
    /// What only an Envoy would tell.
    Foreign(&'static str),
}

/// Samples by the values of some labels.
pub(super) type Samples = BTreeMap<Vec<String>, Vec<f64>>;

impl Expected {
    /// Whether nothing at all may be right.
    pub(super) fn may_be_nothing(&self) -> bool {
        match self {
            Self::Mean(quantile, ..) => quantile.is_some(),
            // Of each whether it is there is known.
            Self::Quantile(_, _, samples) => !samples.is_empty(),
            _ => false,
        }
    }
}

const FAILED: Only<'static> = ("status_class", &["5xx"]);
const REFUSED: Only<'static> = ("status_class", &["4xx"]);
const SUCCEEDED: Only<'static> = ("status_class", &["2xx"]);
const PAIR: [&str; 2] = ["provider", "model"];

/// The queries of a panel, in order.
pub(super) fn of(panel: u32, truth: &Truth) -> Vec<Expected> {
    match panel {
        1..=5 => http(panel, truth),
        6..=12 => upstream(panel, truth),
        13..=17 => routing(panel, truth),
        _ => link_and_process(panel, truth),
    }
}

/// Those of the requests.
fn http(panel: u32, truth: &Truth) -> Vec<Expected> {
    use Expected::{Rest, Values};
    match panel {
        1 => vec![Values(truth.rate(&HTTP_REQUESTS, &[], &["handler"]))],
        2 => vec![
            shares(
                truth,
                (&HTTP_REQUESTS, &[FAILED]),
                (&HTTP_REQUESTS, &[]),
                &["handler"],
            ),
            shares(
                truth,
                (&HTTP_REQUESTS, &[FAILED]),
                (&HTTP_REQUESTS, &[]),
                &[],
            ),
            Values(share(
                &unanswered(truth),
                &truth.rate(&HTTP_REQUESTS, &[], &[]),
            )),
            Values(parts(
                &truth.rate(&HTTP_INTERRUPTED, &[], &["reason"]),
                total(&truth.rate(&HTTP_REQUESTS, &[], &[])),
            )),
        ],
        3 => vec![
            shares(
                truth,
                (&HTTP_CANCELLED, &[]),
                (&HTTP_REQUESTS, &[]),
                &["handler"],
            ),
            shares(
                truth,
                (&HTTP_CANCELLED, &[("phase", &["headers"])]),
                (&HTTP_REQUESTS, &[]),
                &[],
            ),
            shares(
                truth,
                (&HTTP_CANCELLED, &[("phase", &["body"])]),
                (&HTTP_REQUESTS, &[]),
                &[],
            ),
        ],
        4 => {
            let handler = ["handler"];
            let mut all: Vec<_> = [0.5, 0.95, 0.99]
                .map(|q| quantile(truth, q, &HTTP_REQUEST_DURATION, &[], &handler))
                .into();
            all.push(mean(
                truth,
                Some(0.5),
                &HTTP_REQUEST_DURATION,
                &[],
                &handler,
            ));
            all
        }
        5 => vec![Rest, Rest],
        other => unknown(other),
    }
}

/// Those of the calls to providers.
fn upstream(panel: u32, truth: &Truth) -> Vec<Expected> {
    use Expected::Values;
    match panel {
        6 => {
            let well: Only<'_> = ("outcome", &["ok"]);
            vec![
                quantile(truth, 0.95, &UPSTREAM_DURATION, &[well], &PAIR),
                mean(truth, Some(0.95), &UPSTREAM_DURATION, &[well], &PAIR),
            ]
        }
        7 => {
            let mut classes = truth.rate(&UPSTREAM_REQUESTS, &[], &["error_class"]);
            classes.remove(&vec!["none".to_owned()]);
            let failed: Only<'_> = ("outcome", &["error"]);
            vec![
                Values(classes),
                Values(or_zero(
                    truth.rate(
                        &UPSTREAM_REQUESTS,
                        &[REFUSED, ("error_class", &["status"])],
                        &[],
                    ),
                    &truth.rate(&UPSTREAM_REQUESTS, &[], &[]),
                )),
                Values(truth.rate(&UPSTREAM_DURATION, &[failed], &[])),
                shares(
                    truth,
                    (&UPSTREAM_DURATION, &[failed]),
                    (&UPSTREAM_DURATION, &[]),
                    &[],
                ),
            ]
        }
        8 => vec![
            quantile(truth, 0.95, &TIME_TO_FIRST_TOKEN, &[], &PAIR),
            quantile(truth, 0.95, &TIME_TO_FIRST_BYTE, &[], &[]),
            mean(truth, Some(0.95), &TIME_TO_FIRST_TOKEN, &[], &PAIR),
        ],
        9 => vec![
            Values(truth.rate(&TOKENS, &[], &["kind"])),
            Values(truth.rate(&TOKEN_DETAILS, &[], &["kind"])),
        ],
        10 => vec![
            quantile(truth, 0.5, &TIME_PER_OUTPUT_TOKEN, &[], &PAIR),
            quantile(truth, 0.95, &TIME_PER_OUTPUT_TOKEN, &[], &PAIR),
            mean(truth, Some(0.5), &TIME_PER_OUTPUT_TOKEN, &[], &PAIR),
        ],
        11 => vec![
            quantile(truth, 0.5, &REQUEST_TOKENS, &[], &["kind"]),
            Values(truth.rate(&REQUEST_TOKENS, &[("kind", &["prompt"])], &[])),
            mean(truth, Some(0.5), &REQUEST_TOKENS, &[], &["kind"]),
        ],
        12 => {
            let missing = truth.rate(&USAGE_MISSING, &[], &["reason"]);
            let successes = truth.rate(&UPSTREAM_REQUESTS, &[SUCCEEDED], &[]);
            vec![
                Values(parts(&missing, total(&successes))),
                shares(
                    truth,
                    (&USAGE_MISSING, &[]),
                    (&UPSTREAM_REQUESTS, &[SUCCEEDED]),
                    &[],
                ),
                Values(truth.rate(&LABEL_OVERFLOW, &[], &["label"])),
            ]
        }
        other => unknown(other),
    }
}

/// Those of routing and sessions.
fn routing(panel: u32, truth: &Truth) -> Vec<Expected> {
    use Expected::Values;
    match panel {
        13 => {
            let fallback: Only<'_> = ("fallback", &["true"]);
            vec![
                shares(
                    truth,
                    (&ROUTER_DECISIONS, &[fallback]),
                    (&ROUTER_DECISIONS, &[]),
                    &["route"],
                ),
                shares(
                    truth,
                    (&ROUTER_DECISIONS, &[fallback]),
                    (&ROUTER_DECISIONS, &[]),
                    &[],
                ),
            ]
        }
        14 => {
            let decisions = truth.rate(&ROUTER_DECISIONS, &[], &["selected_model"]);
            vec![Values(parts(&decisions, total(&decisions)))]
        }
        15 => vec![
            quantile(truth, 0.95, &ROUTER_DECISION_DURATION, &[], &["route"]),
            mean(truth, None, &ROUTER_DECISION_DURATION, &[], &["route"]),
        ],
        16 => {
            let lookups: Only<'_> = ("outcome", &["hit", "miss", "error"]);
            let failed: Only<'_> = ("outcome", &["error", "store_error"]);
            let cache = &SESSION_CACHE_EVENTS;
            vec![
                shares(
                    truth,
                    (cache, &[("outcome", &["hit"])]),
                    (cache, &[lookups]),
                    &[],
                ),
                Values(truth.rate(cache, &[failed], &["outcome"])),
            ]
        }
        17 => vec![Values(truth.rate(
            &ROUTING_SERVICE_REQUESTS,
            &[],
            &["outcome"],
        ))],
        other => unknown(other),
    }
}

/// Those of Envoy's link to the gateway, and of the process.
fn link_and_process(panel: u32, truth: &Truth) -> Vec<Expected> {
    use Expected::{Foreign, Something, Values};
    match panel {
        18 => vec![
            Foreign("sent"),
            Values(truth.rate(&HTTP_REQUESTS, &[], &[])),
            Foreign("5xx"),
            Foreign("unconnected"),
        ],
        19 => vec![Something, Something],
        other => unknown(other),
    }
}

fn unknown(panel: u32) -> ! {
    unreachable!("panel {panel} is new: say what it has to show")
}

/// The share that a part has in its whole, by the values of these labels.
fn shares(
    truth: &Truth,
    (part, of_part): (&Family, &[Only<'_>]),
    (whole, of_whole): (&Family, &[Only<'_>]),
    by: &[&str],
) -> Expected {
    let whole = truth.rate(whole, of_whole, by);
    Expected::Values(share(&truth.rate(part, of_part, by), &whole))
}

fn quantile(
    truth: &Truth,
    q: f64,
    family: &'static Family,
    only: &[Only<'_>],
    by: &[&str],
) -> Expected {
    Expected::Quantile(q, family, truth.samples(family, only, by))
}

fn mean(
    truth: &Truth,
    q: Option<f64>,
    family: &'static Family,
    only: &[Only<'_>],
    by: &[&str],
) -> Expected {
    Expected::Mean(q, family, truth.samples(family, only, by))
}

/// 0 where there is a whole and no part.
fn or_zero(mut part: Table, whole: &Table) -> Table {
    for key in whole.keys() {
        part.entry(key.clone()).or_default();
    }
    part
}

/// What failed without a status: not what was abandoned before it had one.
fn unanswered(truth: &Truth) -> Table {
    let mut statusless = truth.rate(&HTTP_REQUESTS, &[("status_class", &["error"])], &[]);
    let abandoned = truth.rate(&HTTP_CANCELLED, &[("phase", &["headers"])], &[]);
    for rate in statusless.values_mut() {
        *rate -= total(&abandoned);
    }
    statusless
}
