//! Reads recorded answers of real providers, where a corpus of them lies beside the repository, and
//! compares what the meter says with what the recordings are known to hold.
//!
//! Without the harness, which has no word for a test that could not run: it would call this one passed.

#![allow(clippy::unwrap_used)]

mod meter_support;

use std::path::PathBuf;

use brightstaff_metrics_core::meter::{End, Facts};
use meter_support::{Random, decode_base64};
use serde_json::Value;

/// Record, field and reason, where the meter is right and the recording's notes are not: none.
const DIFFERENT: &[(&str, &str, &str)] = &[];

fn corpus() -> Option<PathBuf> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    start
        .ancestors()
        .map(|up| up.join("shared/corpus/open.jsonl"))
        .find(|path| path.exists())
}

fn main() {
    let Some(path) = corpus() else {
        println!("meter_corpus: SKIPPED, no shared/corpus/open.jsonl above this crate");
        return;
    };
    let records = std::fs::read_to_string(path).unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut read, mut wrong) = (0, Vec::new());
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let body = decode_base64(record["body_b64"].as_str().unwrap().as_bytes());
        let whole = meter(&record, &[&body]);
        let bytes = meter(&record, &body.chunks(1).collect::<Vec<_>>());
        assert_eq!(whole, bytes, "{} depends on the split", record["id"]);
        for _ in 0..2 {
            let split = meter(&record, &random.split(&body));
            assert_eq!(whole, split, "{} depends on the split", record["id"]);
        }
        wrong.extend(differences(&record, &whole));
        read += 1;
    }
    println!(
        "meter_corpus: {read} recorded answers read, whole, byte by byte and at random splits"
    );
    assert!(
        read > 0 && wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn meter(record: &Value, chunks: &[&[u8]]) -> Facts {
    let content_type = record["content_type"].as_str().unwrap_or_default();
    meter_support::read(content_type, None, chunks.iter().copied())
}

fn differences(record: &Value, facts: &Facts) -> Vec<String> {
    let id = record["id"].as_str().unwrap();
    let expected = &record["expected"];
    let failed = record["status"]
        .as_u64()
        .is_some_and(|status| status >= 400);
    let end = if failed { End::Error } else { facts.end() };
    let mut found = vec![
        ("end", Value::from(end.as_str())),
        ("events", facts.events.into()),
        ("first_token_event", facts.first_token_event.into()),
    ];
    if !failed {
        found.push(("model", facts.model.as_str().into()));
    }
    let tokens = [
        ("prompt_tokens", facts.usage.prompt),
        ("completion_tokens", facts.usage.completion),
        ("cache_read_tokens", facts.usage.cache_read),
        ("cache_write_tokens", facts.usage.cache_write),
        ("reasoning_tokens", facts.usage.reasoning),
    ];
    // What the wire does not settle is not compared, unless nothing was counted at all.
    let owed = tokens
        .iter()
        .filter(|(field, _)| !expected[field].is_null() || expected["has_usage"] == false);
    found.extend(owed.map(|&(field, count)| (field, count.into())));
    found
        .into_iter()
        .filter(|(field, value)| expected[field] != *value)
        .filter(|(field, value)| {
            let also = expected["first_token_event_also_accepted"].as_array();
            *field != "first_token_event" || !also.is_some_and(|also| also.contains(value))
        })
        .filter(|(field, _)| {
            !DIFFERENT
                .iter()
                .any(|&(known, at, _)| (known, at) == (id, *field))
        })
        .map(|(field, value)| {
            let [provider, api, framing] = ["provider", "api", "framing"].map(|name| &record[name]);
            format!(
                "{id} {provider} {api} {framing} {field}: {value}, not {}",
                expected[field]
            )
        })
        .collect()
}
