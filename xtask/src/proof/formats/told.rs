//! The demo's truth, as it tells it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::items;
use crate::api::Labels;

/// The truth of one run.
pub(in crate::proof) struct Told(pub(in crate::proof) Value);

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
            let Some(request) = requests.get(&id) else {
                continue;
            };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attempt_starts_after_the_refusal_before_it() {
        let call = |request, attempt, status, streamed, times: [Option<f64>; 3]| {
            json!({
                "request": request, "attempt": attempt, "upstream": "openai", "model": "m", "status": status,
                "streamed": streamed, "arrived": times[0], "head": times[1], "first_token": times[2],
            })
        };
        let told = Told(json!({
            "requests": [
                {"id": 1, "trace_id": "a", "sent": 10.0, "first_token": 13.5, "ended": 14.0},
                {"id": 2, "trace_id": "b", "sent": 20.0, "first_token": null, "ended": 21.0},
            ],
            "calls": [
                call(2, 0, 200, true, [Some(20.25), Some(20.5), Some(20.75)]),
                call(1, 1, 200, true, [Some(12.0), Some(12.5), Some(13.0)]),
                call(1, 0, 503, false, [Some(10.5), Some(11.0), None]),
                call(2, 1, 200, false, [Some(20.0), Some(20.0), Some(20.0)]),
            ],
        }));
        let streamed = told.streamed();
        let spans: Vec<_> = streamed
            .iter()
            .map(|call| (&*call.trace_id, call.least, call.most))
            .collect();
        assert_eq!(spans, [("a", 1.0, 2.5), ("b", 0.5, 1.0)]);
    }

    #[test]
    fn what_never_happened_need_not_be_there() {
        let told = Told(json!({"families": {"f": [
            {"labels": {"a": "1"}, "truth": 0, "measured": {"count": 0.0, "sum": 0.0}},
            {"labels": {"a": "2"}, "truth": {"count": 0, "least": 0.0, "most": 0.0}, "measured": {"count": 0.0, "sum": 0.0}},
            {"labels": {"a": "3"}, "truth": {"count": 2, "least": 1.0, "most": 2.0}, "measured": {"count": 2.0, "sum": 1.5}},
            {"labels": {"a": "4"}, "truth": null, "measured": {"count": 0.0, "sum": 0.0}},
        ]}}));
        let series: Vec<_> = told
            .series("f")
            .map(|series| (series.labels["a"].clone(), series.count, series.sum))
            .collect();
        assert_eq!(
            series,
            [("3".to_owned(), 2.0, 1.5), ("4".to_owned(), 0.0, 0.0)]
        );
    }
}
