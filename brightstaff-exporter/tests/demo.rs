//! `demo`, run as a user would.

#![cfg(feature = "cli")]

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn demo(arguments: &[&str]) -> Output {
    let any = "127.0.0.1:0";
    Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
        .args(["demo", "--bind", any, "--metrics-bind", any])
        .args(arguments)
        .output()
        .expect("the binary runs")
}

#[test]
fn truth_and_metrics_agree() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("truth.json");
    let name = file.to_str().expect("a path in UTF-8");
    let load = ["--duration", "5s", "--rate", "20", "--seed", "7"];
    let output = demo(&[&load[..], &["--truth-json", name]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("100 requests"), "{text}");
    assert!(
        !text.contains(['\r', '\x1b', '✗']),
        "no terminal, no live line: {text}"
    );

    let told = std::fs::read_to_string(file).expect("it was written");
    let told: Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(told["agrees"], true);
    assert_eq!(told["requests"].as_array().map(Vec::len), Some(100));
    let requests = told["families"]["brightstaff_http_requests_total"].as_array();
    let counts = requests.expect("a list of series").iter();
    // Of what never happened there is a series at 0, and no truth.
    let counts: u64 = counts.filter_map(|series| series["truth"].as_u64()).sum();
    assert_eq!(counts, 100);
}

/// A second of load would have shown in the output.
#[test]
fn a_file_that_cannot_be_written_is_told_before_the_load() {
    let output = demo(&["--duration", "1s", "--truth-json", "/nonexistent/x"]);
    let error = String::from_utf8_lossy(&output.stderr);
    let start = "error: --truth-json /nonexistent/x: No such file or directory";
    assert!(error.starts_with(start), "{error}");
    assert!(
        error.ends_with(": name a file that can be written\n"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_cannot_be_is_told_in_one_line() {
    for (arguments, fault) in [
        (["--bind", "nowhere"], "--bind"),
        (["--metrics-bind", "nowhere"], "--metrics-bind"),
        (["--rate", "0"], "--rate"),
        (["--duration", "long"], "--duration"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
            .arg("demo")
            .args(arguments)
            .output()
            .expect("the binary runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(fault), "{error}");
        assert!(output.stdout.is_empty());
    }
}
