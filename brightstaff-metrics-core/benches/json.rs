//! What metering a whole JSON body of 100 KiB costs, beside parsing it with `serde_json`: first a table of
//! medians of one run, by turns, then Criterion's own report.

use std::hint::black_box;
use std::time::Instant;

use brightstaff_metrics_core::meter::Meter;
use criterion::{Criterion, Throughput};

const BYTES: usize = 100 << 10;

/// Bodies by what fills them, each with its usage behind that.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let chat = |text: &str| {
        let text = text.repeat(BYTES / text.len());
        format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"gpt-t","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":20000,"total_tokens":20009}}}}"#
        )
    };
    let list = |head: &str, each: &str, tail: &str| {
        let each = vec![each; BYTES / (each.len() + 1)].join(",");
        format!("{head}{each}{tail}")
    };
    let bodies = [
        // An escape each 15 bytes.
        (
            "json_100KiB",
            chat(r#"Lorem ipsum dolor sit \"amet\", consectetur\n"#),
        ),
        (
            "json_100KiB_plain",
            chat("Lorem ipsum dolor sit amet, consectetur adipiscing elit. "),
        ),
        // What a tool is called with: JSON in a string.
        (
            "json_100KiB_arguments",
            chat(r#"{\"path\": \"src/lib.rs\", \"line\": 12}, "#),
        ),
        (
            "json_100KiB_unicode",
            chat(r"\u4f60\u597d\uff0c\u4e16\u754c"),
        ),
        (
            "json_100KiB_logprobs",
            list(
                r#"{"object":"chat.completion","model":"gpt-t","choices":[{"index":0,"message":{"role":"assistant","content":"Lorem"},"logprobs":{"content":["#,
                r#"{"token":"Lorem","logprob":-0.31725305,"bytes":[76,111,114,101,109],"top_logprobs":[{"token":" ip","logprob":-1.3190403,"bytes":[32,105]}]}"#,
                r#"]},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":20000}}"#,
            ),
        ),
        (
            "json_100KiB_embedding",
            list(
                r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":["#,
                "-0.012345678",
                r#"]}],"model":"e","usage":{"prompt_tokens":9,"total_tokens":9}}"#,
            ),
        ),
        // Much that is looked into: each choice has members of interest.
        (
            "json_100KiB_choices",
            list(
                r#"{"object":"chat.completion","model":"gpt-t","choices":["#,
                r#"{"index":0,"message":{"role":"assistant","content":"Lorem ipsum","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}"#,
                r#"],"usage":{"prompt_tokens":9,"completion_tokens":20000}}"#,
            ),
        ),
        (
            "json_100KiB_indented",
            list(
                "{\n  \"object\": \"list\",\n  \"model\": \"e\",\n  \"data\": [\n    ",
                "{\n      \"object\": \"embedding\",\n      \"index\": 0,\n      \"embedding\": [\n        -0.012345678,\n        0.25\n      ]\n    }",
                "\n  ],\n  \"usage\": {\n    \"prompt_tokens\": 9,\n    \"total_tokens\": 9\n  }\n}\n",
            ),
        ),
    ];
    bodies
        .into_iter()
        .map(|(name, body)| (name, body.into_bytes()))
        .collect()
}

fn ours(body: &[u8]) -> Option<u64> {
    let mut meter = Meter::new(Some("application/json"), None);
    meter.push(black_box(body));
    meter.finish();
    meter.facts().usage.prompt
}

/// The least that knows strings from what is between them: a look at each byte.
fn bytes(body: &[u8]) -> usize {
    let (mut in_string, mut escaped, mut depth) = (false, false, 0);
    for byte in black_box(body) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            _ => {}
        }
    }
    depth
}

/// What gateways do that keep a body until it is whole.
fn serde_json(body: &[u8]) -> Option<u64> {
    let body: serde_json::Value = serde_json::from_slice(black_box(body)).ok()?;
    body["usage"]["prompt_tokens"].as_u64()
}

fn main() {
    let bodies = bodies();
    for (name, body) in &bodies {
        assert_eq!((ours(body), serde_json(body)), (Some(9), Some(9)), "{name}");
    }
    let mut criterion = Criterion::default().configure_from_args();
    for (name, body) in &bodies {
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("floor", |bench| bench.iter(|| bytes(body)));
        group.bench_function("ours", |bench| bench.iter(|| ours(body)));
        group.bench_function("serde_json", |bench| bench.iter(|| serde_json(body)));
        group.finish();
    }
    criterion.final_summary();
    // `cargo xtask bench` asks for the estimates alone.
    let asked = std::env::var_os("CRITERION_HOME").is_none();
    if asked && !std::env::args().any(|arg| arg == "--test") {
        compare(&bodies);
    }
}

/// Measures both by turns, so that what disturbs one disturbs the other, and prints the medians.
fn compare(bodies: &[(&str, Vec<u8>)]) {
    const ROUNDS: usize = 501;
    println!(
        "{:<24} {:>9} {:>12}",
        "µs a body, by turns", "ours", "serde_json"
    );
    for (name, body) in bodies {
        let mut times = [Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS)];
        for _ in 0..ROUNDS {
            for (parse, times) in [ours, serde_json].into_iter().zip(&mut times) {
                let start = Instant::now();
                black_box(parse(body));
                times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
        let [ours, theirs] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        println!("{name:<24} {ours:>9.1} {theirs:>12.1}");
    }
}
