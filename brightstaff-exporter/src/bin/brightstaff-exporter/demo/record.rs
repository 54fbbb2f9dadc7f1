//! The truth for machines: every series beside what was measured, every request, every call.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{
    Outcome,
    client::Ending,
    load::Load,
    report::{Compared, Line, Report},
    truth::Made,
};
use crate::sim::{Call, Finish};

/// One moment on two clocks, so that instants can be told as seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    instant: Instant,
    unix: f64,
}

impl Clocks {
    pub(super) fn read() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            instant: Instant::now(),
            unix: unix.map_or(0.0, |unix| unix.as_secs_f64()),
        }
    }

    fn unix(&self, at: Instant) -> f64 {
        self.unix + at.saturating_duration_since(self.instant).as_secs_f64()
    }
}

/// Times are seconds since 1970, and null where there was no such moment.
pub(super) fn json(load: Load, clocks: &Clocks, outcome: &Outcome, report: &Report) -> Value {
    let families = report.families.iter().map(|family| {
        let name = family.family.name.to_owned();
        (name, Value::from_iter(series(family)))
    });
    let requests = outcome.past.made.values().map(|made| request(made, clocks));
    let calls = outcome
        .past
        .calls
        .iter()
        .map(|call| call_made(call, clocks));
    json!({
        "seed": load.seed,
        "rate": load.rate,
        "duration_seconds": load.lasts.as_secs_f64(),
        "started": clocks.unix,
        "agrees": report.agrees(),
        "families": serde_json::Map::from_iter(families),
        "requests": Value::from_iter(requests),
        "calls": Value::from_iter(calls),
    })
}

fn series(compared: &Compared) -> impl Iterator<Item = Value> {
    compared.lines.iter().map(|line| {
        let Line {
            labels,
            truth,
            count,
            sum,
        } = line;
        let pairs = labels
            .iter()
            .map(|(name, value)| (name.to_owned(), value.into()));
        json!({
            "labels": serde_json::Map::from_iter(pairs),
            "truth": truth,
            "measured": {"count": count, "sum": sum},
            "agrees": line.agrees(),
        })
    })
}

fn request(made: &Made, clocks: &Clocks) -> Value {
    let Made { order, seen } = made;
    let at = |instant: Option<Instant>| instant.map(|at| clocks.unix(at));
    json!({
        "id": order.id,
        "trace_id": order.trace_id(),
        "handler": order.handler,
        "method": order.method.as_str(),
        "path": order.path,
        "status": seen.head.map(|(status, _)| status),
        "ending": match seen.ending {
            Ending::Whole => "whole",
            Ending::Broken => "broken",
            Ending::Unanswered => "unanswered",
            Ending::HungUp(hang_up) => hang_up.phase(),
        },
        "sent": clocks.unix(seen.sent),
        "head": at(seen.head.map(|(_, at)| at)),
        "first_byte": at(seen.first_byte),
        "first_token": at(seen.first_token),
        "terminal": at(seen.terminal),
        "ended": clocks.unix(seen.ended),
    })
}

fn call_made(call: &Call, clocks: &Clocks) -> Value {
    let at = |instant: Option<Instant>| instant.map(|at| clocks.unix(at));
    let usage = call.usage;
    json!({
        "request": call.plan,
        "attempt": call.attempt,
        "upstream": &*call.upstream,
        "model": call.model,
        "streamed": call.streamed,
        "status": call.answered.map(|(status, _)| status),
        "finish": match call.finish {
            Finish::End => "end",
            Finish::Error => "error",
            Finish::Cut => "cut",
            Finish::HungUp => "hung up",
        },
        "arrived": clocks.unix(call.arrived),
        "head": at(call.answered.map(|(_, at)| at)),
        "first_byte": at(call.first_byte),
        "first_token": at(call.first_token),
        "terminal": at(call.terminal),
        "ended": clocks.unix(call.ended),
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "reasoning_tokens": usage.reasoning,
        "reasoning_streamed": usage.reasoning_streamed,
        "usage_settled": call.settled,
    })
}
