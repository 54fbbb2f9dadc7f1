//! The truth, as the demo tells it.

use anyhow::{Context, Result};
use brightstaff_metrics_core::catalogue::{
    self, Family, HTTP_REQUEST_DURATION, Kind, REQUEST_TOKENS, TIME_PER_OUTPUT_TOKEN,
    TIME_TO_FIRST_BYTE, TIME_TO_FIRST_TOKEN, UPSTREAM_DURATION,
};
use serde_json::Value;

use crate::{
    api::{self, Labels},
    proof::truth::Truth,
};

/// What the demo's truth says, from the first scrape of each series on: Prometheus cannot know what
/// a series rose by before it first saw it.
pub(super) fn truth(prometheus: &str, told: &Value, window: u64, now: f64) -> Result<Truth> {
    let mut truth = Truth::default();
    #[expect(clippy::cast_precision_loss)]
    let seconds = window as f64;
    truth.seconds = seconds;
    for family in catalogue::ALL.iter().copied() {
        let Some(lines) = told["families"][family.name].as_array() else {
            continue;
        };
        if family.kind == Kind::Gauge {
            continue;
        }
        let suffix = if family.kind == Kind::Counter {
            ""
        } else {
            "_count"
        };
        let first = format!("min_over_time({}{suffix}[{window}s])", family.name);
        let first = api::query_at(prometheus, &first, now)?;
        for line in lines {
            let labels = labels(&line["labels"]);
            let value = &line["truth"];
            let count = value
                .as_f64()
                .or(value["count"].as_f64())
                .unwrap_or_default();
            let seen = first.iter().find(|(series, _)| {
                labels
                    .iter()
                    .all(|(name, value)| series.get(name) == Some(value))
            });
            if let Some((_, seen)) = seen {
                truth.rise(family, labels, count - seen);
            }
        }
    }
    durations(&mut truth, told)?;
    Ok(truth)
}

/// The durations that clients and providers saw for themselves.
fn durations(truth: &mut Truth, told: &Value) -> Result<()> {
    let requests = told["requests"].as_array().context("no requests")?;
    for request in requests {
        let labels = [("handler", &request["handler"])];
        sample(
            truth,
            &HTTP_REQUEST_DURATION,
            &labels,
            &request["sent"],
            &request["ended"],
        );
    }
    let agent = Value::from("agent");
    let known = told["families"][catalogue::UPSTREAM_REQUESTS.name].as_array();
    let known = known.into_iter().flatten().map(|line| &line["labels"]);
    let agents: Vec<_> = known
        .filter(|labels| labels["model"] == agent)
        .map(|labels| &labels["provider"])
        .collect();
    for call in told["calls"].as_array().context("no calls")? {
        // What an agent calls its model is not a label value.
        let is_agent = agents.contains(&&call["upstream"]);
        let model = if is_agent { &agent } else { &call["model"] };
        let pair = [("provider", &call["upstream"]), ("model", model)];
        let arrived = &call["arrived"];
        sample(
            truth,
            &TIME_TO_FIRST_TOKEN,
            &pair,
            arrived,
            &call["first_token"],
        );
        if call["streamed"] == true && call["status"] == 200 {
            sample(
                truth,
                &TIME_TO_FIRST_BYTE,
                &pair,
                arrived,
                &call["first_byte"],
            );
        }
        let cut = call["streamed"] == true && call["terminal"].is_null();
        if call["status"] == 200 && call["finish"] == "end" && !cut {
            whole(truth, call, pair);
        }
    }
    Ok(())
}

/// What only a call has that ended well.
fn whole(truth: &mut Truth, call: &Value, pair: [(&str, &Value); 2]) {
    let outcome = Value::from("ok");
    let (arrived, ended) = (&call["arrived"], &call["ended"]);
    sample(
        truth,
        &UPSTREAM_DURATION,
        &[pair[0], pair[1], ("outcome", &outcome)],
        arrived,
        ended,
    );
    for kind in ["prompt", "completion"] {
        let tokens = &call[format!("{kind}_tokens")];
        let kind = Value::from(kind);
        sample(
            truth,
            &REQUEST_TOKENS,
            &[pair[0], pair[1], ("kind", &kind)],
            &Value::from(0),
            tokens,
        );
    }
    let hidden = call["reasoning_tokens"].as_f64().unwrap_or_default();
    let streamed = call["reasoning_streamed"] == true;
    let tokens = call["completion_tokens"].as_f64().unwrap_or_default()
        - if streamed { 0.0 } else { hidden };
    let (first, last) = (call["first_token"].as_f64(), call["terminal"].as_f64());
    if let (Some(first), Some(last), 2.0..) = (first, last, tokens) {
        let pace = Value::from((last - first) / (tokens - 1.0));
        sample(truth, &TIME_PER_OUTPUT_TOKEN, &pair, &Value::from(0), &pace);
    }
}

fn sample(
    truth: &mut Truth,
    family: &'static Family,
    labels: &[(&str, &Value)],
    from: &Value,
    to: &Value,
) {
    if let (Some(from), Some(to)) = (from.as_f64(), to.as_f64()) {
        let labels = labels.iter().map(|(name, value)| {
            (
                (*name).to_owned(),
                value.as_str().unwrap_or_default().to_owned(),
            )
        });
        truth.sample(family, labels.collect(), to - from);
    }
}

fn labels(told: &Value) -> Labels {
    let labels = told.as_object().into_iter().flatten();
    labels
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}
