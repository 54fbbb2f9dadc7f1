//! From a slow bucket to the trace of a slow call.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::catalogue::{Family, Kind};
use serde_json::Value;

use super::{
    items,
    quantiles::FAMILY,
    told::{Streamed, Told, text},
};
use crate::api;

/// What the provider and the client saw may be this much off, in seconds: each is read a moment before or after what it
/// stands for.
const OFF: f64 = 0.005;

/// Every exemplar of the time to first token leads to a call that took as long, and the slowest to the slowest call, or
/// to one that came later in its bucket.
pub(in crate::proof) fn check(server: &str, jobs: &[&str], told: &Told) -> Result<String> {
    let calls = told.streamed();
    let by_trace: BTreeMap<_, Vec<_>> = calls.iter().fold(BTreeMap::new(), |mut by, call| {
        by.entry(call.trace_id.clone())
            .or_insert_with(Vec::new)
            .push(call);
        by
    });
    let longest = |one: &&Streamed, other: &&Streamed| one.least.total_cmp(&other.least);
    let slowest = calls.iter().max_by(longest).context("no calls")?;
    let (mut shown, mut found) = (0, false);
    for job in jobs {
        let mut top = (0.0, String::new());
        for exemplar in of_job(server, job)? {
            let value: f64 = text(&exemplar["value"]).parse()?;
            let trace_id = text(&exemplar["labels"]["trace_id"]);
            let calls = by_trace.get(&trace_id);
            let calls = calls.with_context(|| format!("{job}: nobody made trace {trace_id}"))?;
            let took = |call: &&Streamed| (call.least - OFF..=call.most + OFF).contains(&value);
            ensure!(
                calls.iter().any(took),
                "{job}: trace {trace_id} did not take {value} s"
            );
            shown += 1;
            if value > top.0 {
                top = (value, trace_id);
            }
        }
        let (value, trace_id) = top;
        found |= trace_id == slowest.trace_id;
        ensure!(
            bucket_of(value) == bucket_of(slowest.least)
                || bucket_of(value) == bucket_of(slowest.most),
            "{job}: the slowest exemplar took {value} s, and the slowest call {} s",
            slowest.least
        );
    }
    let slowest = if found {
        format!(
            "the slowest of all calls among them, trace {}",
            slowest.trace_id
        )
    } else {
        "one that came later in the bucket of the slowest call among them".to_owned()
    };
    Ok(format!(
        "{shown} exemplars in {jobs:?} lead to calls that took as long, {slowest}"
    ))
}

/// The exemplars of the family's buckets.
fn of_job(server: &str, job: &str) -> Result<Vec<Value>> {
    let query = format!("{}_bucket{{job=\"{job}\"}}", FAMILY.name);
    let now = api::epoch_seconds()?;
    let (start, end) = ((now - 600.0).to_string(), now.to_string());
    let range = [("query", &*query), ("start", &start), ("end", &end)];
    let told = api::get(server, "query_exemplars", &range)?;
    let exemplars: Vec<_> = items(&told)
        .flat_map(|series| items(&series["exemplars"]))
        .cloned()
        .collect();
    ensure!(!exemplars.is_empty(), "no exemplars: {query}");
    Ok(exemplars)
}

/// The number of a value's bucket.
fn bucket_of(value: f64) -> usize {
    let Family {
        kind: Kind::Histogram(set),
        ..
    } = FAMILY
    else {
        unreachable!("{} is a histogram", FAMILY.name)
    };
    set.default_bounds().partition_point(|bound| *bound < value)
}
