//! Python's parsers, of which the one of OpenMetrics is strict: Datadog's agent reads with it.

#[path = "../support/python.rs"]
mod environment;

use std::{fs, path::Path, process::Command};

use brightstaff_metrics_core::{TraceContext, exposition::Format, labels::ErrorClass};
use prometheus::Registry;
use serde_json::Value;

use self::environment::{python, skip};
use super::{register, register_others, written};

const REQUIREMENTS: &str = include_str!("requirements.txt");

#[test]
fn pythons_parsers_read_the_same_in_both_text_formats() {
    let python = match python("formats-venv", REQUIREMENTS) {
        Ok(python) => python,
        Err(why) => return skip("Python's parser of OpenMetrics", &why),
    };
    let registry = Registry::new();
    let metrics = register(&registry);
    register_others(&registry);
    let trace = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let call = metrics.upstream("openai", "gpt \"4o\" \\").start();
    call.in_trace(trace).fail(ErrorClass::Timeout);

    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let files = [Format::Text, Format::OpenMetrics].map(|format| {
        let file = dir.join(format!("formats-{format:?}.txt"));
        fs::write(&file, written(&registry, format)).unwrap();
        file
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/compare.py");
    let output = Command::new(python)
        .arg(script)
        .args(files)
        .output()
        .unwrap();
    let faults = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{faults}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["samples"].as_u64().unwrap() > 150, "{told}");
    let [exemplar] = &told["exemplars"].as_array().unwrap()[..] else {
        panic!("{told}");
    };
    assert_eq!(
        exemplar["name"],
        "brightstaff_llm_upstream_duration_seconds_bucket"
    );
    let labels = &exemplar["labels"];
    assert_eq!(labels["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(labels["span_id"], "b7ad6b7169203331");
    assert!(exemplar["timestamp"].as_f64().unwrap() > 1.7e9);
}
