//! The table of providers and models.

use brightstaff_metrics_core::{
    catalogue::{
        TIME_PER_OUTPUT_TOKEN, TIME_TO_FIRST_TOKEN, TOKENS, UPSTREAM_REQUESTS, USAGE_MISSING,
    },
    labels::{ErrorClass, StatusClass, TokenKind, UsageMissing},
};
use serde_json::{Value, json};

use super::{ask, down, target};
use crate::{
    grafana::{panel::Unit, variables},
    promql::{MODEL, PROVIDER, Source, ratio, share},
};

const PAIR: [&str; 2] = [PROVIDER, MODEL];

/// Every pair that was called, with what it does now.
pub(super) fn panel(now: Source) -> Value {
    let calls = || now.rate(&UPSTREAM_REQUESTS);
    let ended = || calls().without(ErrorClass::Cancelled);
    // As the alert and the live page have it.
    let missing = now
        .rate(&USAGE_MISSING)
        .without(UsageMissing::Interrupted)
        .by(PAIR);
    let pace = &TIME_PER_OUTPUT_TOKEN;
    let columns = [
        ("Calls/s", Unit::Number, calls().by(PAIR)),
        (
            "Success",
            Unit::Share,
            share(ended().is(ErrorClass::None).by(PAIR), &ended().by(PAIR)),
        ),
        (
            "First token p95",
            Unit::Seconds,
            now.buckets(&TIME_TO_FIRST_TOKEN).measured(0.95, PAIR),
        ),
        (
            "Tokens/s per stream",
            Unit::Number,
            ratio(&now.count(pace).by(PAIR), &now.sum(pace).by(PAIR)),
        ),
        (
            "Tokens in/s",
            Unit::Number,
            now.rate(&TOKENS).is(TokenKind::Prompt).by(PAIR),
        ),
        (
            "Tokens out/s",
            Unit::Number,
            now.rate(&TOKENS).is(TokenKind::Completion).by(PAIR),
        ),
        (
            "Usage missing",
            Unit::Share,
            share(missing, &calls().is(StatusClass::Success).by(PAIR)),
        ),
    ];
    let names = columns
        .iter()
        .zip('A'..)
        .map(|((name, ..), id)| (format!("Value #{id}"), json!(name)));
    let labels = [(PROVIDER, "Provider"), (MODEL, "Model")];
    let labels = labels.map(|(label, name)| (label.to_owned(), json!(name)));
    let names: serde_json::Map<_, _> = names.chain(labels).collect();
    let overrides = columns.iter().map(|(name, unit, _)| {
        let mut properties = vec![json!({ "id": "unit", "value": unit.id() })];
        // Of the others Grafana shows as many digits as tell something.
        if *unit == Unit::Share {
            properties.push(json!({ "id": "decimals", "value": 1 }));
        }
        json!({ "matcher": { "id": "byName", "options": name }, "properties": properties })
    });
    let overrides: Vec<_> = overrides.collect();
    let targets = columns.into_iter().zip('A'..);
    let targets = targets.map(|((name, _, expr), id)| target(ask(expr, name), id, "table"));
    json!({
        "id": 8, "type": "table", "title": "Providers and models",
        "description": "Every pair that was called, now. Tokens/s per stream is the inverse of the mean time per output token: the pace that a reader sees. Usage missing: of the successful calls; responses that were interrupted are not in it.",
        "datasource": variables::datasource(),
        "gridPos": { "h": 9, "w": 24, "x": 0, "y": 4 },
        "links": [down("Their durations", Some(6)), down("Their errors", Some(7))],
        "targets": targets.collect::<Vec<_>>(),
        "transformations": [
            { "id": "merge", "options": {} },
            { "id": "organize", "options": { "excludeByName": { "Time": true }, "indexByName": { PROVIDER: 0, MODEL: 1 }, "renameByName": names } },
        ],
        "fieldConfig": {
            "defaults": { "mappings": [], "noValue": "–", "thresholds": { "mode": "absolute", "steps": [{ "color": "green", "value": null }] }, "custom": { "align": "auto", "inspect": false } },
            "overrides": overrides,
        },
        "options": { "showHeader": true, "cellHeight": "sm", "sortBy": [{ "displayName": "Calls/s", "desc": true }] },
    })
}
