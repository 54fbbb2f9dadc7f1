//! Reads recorded responses of real providers, where a corpus of them lies beside the repository, and
//! compares what the meter says with what the recordings are known to hold.
//!
//! Without the harness, which has no word for a test that could not run: it would call this one passed.

#![allow(clippy::unwrap_used)]

mod meter_support;

use std::path::{Path, PathBuf};

use brightstaff_metrics_core::labels::UsageMissing;
use brightstaff_metrics_core::meter::{End, Facts};
use meter_support::{Random, decode_base64};
use serde_json::Value;

/// Record, field and reason, where the meter is right and the recording's notes are not.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("c6a584b98acb", "prompt_tokens", COMPACTION),
    ("c6a584b98acb", "completion_tokens", COMPACTION),
    ("d2e120a3f61c", "prompt_tokens", COMPACTION),
    ("d2e120a3f61c", "completion_tokens", COMPACTION),
];

const COMPACTION: &str = "the notes leave compaction out, which is billed beside the top level";

/// A file that stands beside the repository.
fn beside(name: &str) -> Option<PathBuf> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut places = start.ancestors().map(|up| up.join("shared").join(name));
    let found = places.find(|path| path.exists());
    if found.is_none() {
        println!("meter_corpus: SKIPPED, no shared/{name} above this crate");
    }
    found
}

fn main() {
    let mut wrong = Vec::new();
    for name in ["corpus/open.jsonl", "corpus/open2.jsonl"] {
        if let Some(path) = beside(name) {
            wrong.extend(corpus(&path));
        }
    }
    if let Some(path) = beside("cases/meter/cases.toml") {
        wrong.extend(cases(&path));
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Small inputs, each with what is known of it.
fn cases(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let cases = table["case"].as_array().unwrap();
    let mut random = Random(0x51_7CC1_B727);
    let mut wrong = Vec::new();
    for case in cases {
        let file = case["file"].as_str().unwrap();
        let content_type = case["content_type"].as_str().unwrap();
        let body = std::fs::read(path.with_file_name(file)).unwrap();
        let facts = at_any_split(file, &body, &mut random, &|chunks| {
            meter_support::read(content_type, None, chunks.iter().copied())
        });
        let mut found = serde_json::json!({
            "end": facts.end().as_str(),
            "model": facts.model.as_str(),
            "streaming": facts.streaming,
            "events": facts.events,
            "first_token_event": facts.first_token_event,
            "usage_missing_reason": facts.usage_missing(false).map_or("none", UsageMissing::as_str),
        });
        for (name, count) in tokens(&facts) {
            found[name] = count.into();
        }
        for (name, expected) in case.as_table().unwrap() {
            let differs = match name.as_str() {
                "file" | "content_type" | "now_wrong" => false,
                "null" => expected
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|name| !found[name.as_str().unwrap()].is_null()),
                name => found[name] != serde_json::to_value(expected).unwrap(),
            };
            if differs {
                wrong.push(format!("{file} {name}: {}, not {expected}", found[name]));
            }
        }
    }
    println!("meter_corpus: {} cases read, at any split", cases.len());
    wrong
}

/// What is read of a body, which no split may change.
fn at_any_split(
    name: &str,
    body: &[u8],
    random: &mut Random,
    read: &dyn Fn(&[&[u8]]) -> Facts,
) -> Facts {
    let whole = read(&[body]);
    let bytes = read(&body.chunks(1).collect::<Vec<_>>());
    assert_eq!(whole, bytes, "{name} depends on the split");
    for _ in 0..4 {
        assert_eq!(
            whole,
            read(&random.split(body)),
            "{name} depends on the split"
        );
    }
    whole
}

fn tokens(facts: &Facts) -> [(&'static str, Option<u64>); 5] {
    [
        ("prompt_tokens", facts.usage.prompt),
        ("completion_tokens", facts.usage.completion),
        ("cache_read_tokens", facts.usage.cache_read),
        ("cache_write_tokens", facts.usage.cache_write),
        ("reasoning_tokens", facts.usage.reasoning),
    ]
}

/// Recorded responses of real providers.
fn corpus(path: &Path) -> Vec<String> {
    let records = std::fs::read_to_string(path).unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut read, mut wrong) = (0, Vec::new());
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let body = decode_base64(record["body_b64"].as_str().unwrap().as_bytes());
        let id = record["id"].as_str().unwrap();
        let whole = at_any_split(id, &body, &mut random, &|chunks| meter(&record, chunks));
        wrong.extend(differences(&record, &whole));
        read += 1;
    }
    assert!(read > 0, "{} is empty", path.display());
    println!(
        "meter_corpus: {read} recorded answers of {} read, at any split",
        path.file_name().unwrap().to_string_lossy()
    );
    wrong
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
        ("first_token_event", facts.first_token_event.into()),
    ];
    if !expected["events"].is_null() {
        found.push(("events", facts.events.into()));
    }
    if !failed {
        found.push(("model", facts.model.as_str().into()));
    }
    let tokens = tokens(facts);
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
