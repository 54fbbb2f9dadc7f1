//! `inspect`, run as a user would.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.
#![cfg(feature = "cli")]

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const STREAM: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"type":"message","model":"claude-sonnet-4-5","#,
    r#""usage":{"input_tokens":7,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
    "\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
    "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

fn inspect(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
        .arg("inspect")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who reads files does not read this.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The only line of the output.
fn report(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

fn file(name: &str, content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn tells_what_an_answer_holds() {
    let expected = json!({
        "file": "-",
        "api": "anthropic-messages",
        "streaming": true,
        "complete": true,
        "end": "complete",
        "model": "claude-sonnet-4-5",
        "events": 5,
        "first_token_event": 2,
        "prompt_tokens": 12,
        "completion_tokens": 9,
        "cache_read_tokens": 5,
        "cache_write_tokens": null,
        "reasoning_tokens": null,
        "usage_missing_reason": null,
        "choices": null,
        "finish_reason": "end_turn",
        "tool_calls": 0,
        "service_tier": null,
        "cache_write_5m_tokens": null,
        "cache_write_1h_tokens": null,
        "prompt_audio_tokens": null,
        "prompt_image_tokens": null,
        "completion_audio_tokens": null,
        "completion_image_tokens": null,
        "cost_usd": null,
    });
    for arguments in [
        &[][..],
        &["-"],
        &["--content-type", "text/event-stream"],
        &["--chunk", "1"],
        &["--chunk", "7", "--json"],
    ] {
        assert_eq!(
            report(&inspect(arguments, STREAM)),
            expected,
            "{arguments:?}"
        );
    }
}

#[test]
fn tells_what_a_bill_is_made_of() {
    let report = report(&inspect(
        &[],
        r#"{"object":"chat.completion","service_tier":"default","choices":[{"finish_reason":"length"}],
        "usage":{"prompt_tokens":9,"completion_tokens":5,"cost":0.0007161,"prompt_tokens_details":{"audio_tokens":3}}}"#,
    ));
    assert_eq!(report["cost_usd"], 0.000_716_1);
    assert_eq!(report["service_tier"], "default");
    assert_eq!(report["finish_reason"], "length");
    assert_eq!(report["prompt_audio_tokens"], 3);
    assert_eq!(report["completion_audio_tokens"], Value::Null);
}

#[test]
fn tells_how_many_tools_were_called() {
    let call = r#"{"function":{"name":"f","arguments":"{}"}}"#;
    let chat = format!(
        r#"{{"object":"chat.completion","choices":[{{"message":{{"tool_calls":[{call},{call}]}}}}]}}"#
    );
    assert_eq!(report(&inspect(&[], &chat))["tool_calls"], 2);
    // No API that has them.
    let completion = r#"{"object":"text_completion","choices":[{"text":"x"}]}"#;
    let report = report(&inspect(&[], completion));
    assert_eq!(report["api"], "openai-completions");
    assert_eq!(report["tool_calls"], Value::Null);
}

#[test]
fn tells_where_an_answer_was_cut() {
    let (cut, _) = STREAM.split_once("event: message_delta").unwrap();
    let report = report(&inspect(&[], cut));
    assert_eq!(report["end"], "truncated");
    assert_eq!(report["complete"], false);
    assert_eq!(report["usage_missing_reason"], "interrupted");
}

#[test]
fn another_status_is_an_error_and_owes_no_usage() {
    let report = report(&inspect(&["--status", "429"], r#"{"error":{}}"#));
    assert_eq!(report["end"], "error");
    assert_eq!(report["usage_missing_reason"], Value::Null);
}

#[test]
fn reads_a_corpus() {
    let record = |id: &str, body: &str| {
        let body = STANDARD.encode(body);
        json!({"id": id, "status": 200, "content_type": null, "body_b64": body}).to_string()
    };
    let lines = [record("a", STREAM), String::new(), record("b", "{}")].join("\n");
    let corpus = file("corpus.jsonl", &lines);
    let output = inspect(&["--jsonl", corpus.to_str().unwrap()], "");
    assert!(output.status.success(), "{output:?}");
    let reports: Vec<Value> = std::str::from_utf8(&output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<_> = reports.iter().map(|report| &report["id"]).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(reports[0]["prompt_tokens"], 12);
    assert_eq!(reports[1]["usage_missing_reason"], "unparsable");
}

#[test]
fn what_cannot_be_read_is_named_and_does_not_stop_the_rest() {
    let good = file("answer.sse", STREAM);
    let output = inspect(&["no-such-file", good.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        output.stdout.iter().filter(|&&byte| byte == b'\n').count(),
        1
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("error: cannot read no-such-file: "), "{said}");

    let corpus = file("broken.jsonl", "{\"id\":\"a\",\"body_b64\":\"*\"}");
    let output = inspect(&["--jsonl", corpus.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("broken.jsonl, line 1: body_b64"), "{said}");
}
