//! The demo's truth, as it tells it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::items;
use crate::api::Labels;

/// The truth of one run.
pub(super) struct Told(pub(super) Value);

/// One series: what clients and providers know of it, and what a scrape said at the end.
pub(super) struct Series {
    pub(super) labels: Labels,
    /// The count, or the number of samples.
    pub(super) count: f64,
    /// The sum of a histogram's samples, which nobody but the gateway knows to the end.
    pub(super) sum: f64,
}

/// A call whose first token somebody saw.
pub(super) struct Streamed {
    pub(super) pair: (String, String),
    pub(super) trace_id: String,
    /// Between what its time to first token lies, in seconds: what the provider saw, and what the client saw.
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Told {
    pub(super) fn series(&self, family: &str) -> impl Iterator<Item = Series> {
        let lines = items(&self.0["families"][family]);
        // What never happened need not be there, however the truth knows of it.
        let lines = lines.filter(|line| line["truth"] != 0 && line["truth"]["count"] != 0);
        lines.map(|line| {
            let truth = &line["truth"];
            let count = truth.as_f64().or(truth["count"].as_f64());
            // Of what never happened there is no truth, and a series at 0.
            let measured = &line["measured"];
            Series {
                labels: labels(&line["labels"]),
                count: count.or(measured["count"].as_f64()).unwrap_or(f64::NAN),
                sum: measured["sum"].as_f64().unwrap_or(f64::NAN),
            }
        })
    }

    /// The calls that have a time to first token.
    pub(super) fn streamed(&self) -> Vec<Streamed> {
        let requests: BTreeMap<_, _> = items(&self.0["requests"])
            .filter_map(|request| Some((request["id"].as_u64()?, request)))
            .collect();
        let mut calls: Vec<_> = items(&self.0["calls"])
            .filter_map(|call| Some((call["request"].as_u64()?, call["attempt"].as_u64()?, call)))
            .collect();
        calls.sort_by_key(|(request, attempt, _)| (*request, *attempt));
        let mut before: Option<(u64, &Value)> = None;
        let mut streamed = Vec::new();
        for (id, _, call) in calls {
            let request = requests[&id];
            // An attempt starts after the one before it was refused.
            let refused = before.filter(|(before, _)| *before == id);
            let refused = refused.and_then(|(_, call)| call["head"].as_f64());
            before = Some((id, call));
            let succeeded = call["status"]
                .as_u64()
                .is_some_and(|status| status / 100 == 2);
            let seen = (call["arrived"].as_f64(), call["first_token"].as_f64());
            let (true, true, (Some(arrived), Some(token))) =
                (succeeded, call["streamed"] == true, seen)
            else {
                continue;
            };
            let sent = refused.or(request["sent"].as_f64()).unwrap_or(f64::NAN);
            let read = request["first_token"]
                .as_f64()
                .or(request["ended"].as_f64());
            streamed.push(Streamed {
                pair: (text(&call["upstream"]), text(&call["model"])),
                trace_id: text(&request["trace_id"]),
                least: token - arrived,
                most: read.unwrap_or(f64::NAN) - sent,
            });
        }
        streamed
    }
}

fn labels(told: &Value) -> Labels {
    let labels = told.as_object().into_iter().flatten();
    labels
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
