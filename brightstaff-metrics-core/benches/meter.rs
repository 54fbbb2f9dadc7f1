//! What metering costs per chunk, beside a bare pass-through and beside parsing every event with
//! `serde_json`: first a table of ratios and allocations from one run, then Criterion's own report.

use std::hint::black_box;
use std::time::{Duration, Instant};

use brightstaff_metrics_core::meter::{Facts, Meter};
use criterion::{Criterion, Throughput};

/// A body, cut as it would come.
struct Case {
    name: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
    chunk: usize,
}

impl Case {
    fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.body.chunks(self.chunk)
    }

    fn count(&self) -> u64 {
        self.body.len().div_ceil(self.chunk) as u64
    }
}

fn cases() -> Vec<Case> {
    let sse = "text/event-stream";
    let case = |name, content_type, body, chunk| Case {
        name,
        content_type,
        body,
        chunk,
    };
    vec![
        case("500 chat events of 200 B", sse, chat(500, ""), 200),
        case(
            "500 chat events, usage null",
            sse,
            chat(500, r#","usage":null"#),
            200,
        ),
        case("500 Messages events of 200 B", sse, messages(500), 200),
        case("500 Responses events of 200 B", sse, responses(500), 200),
        case("500 Gemini events of 200 B", sse, gemini(500), 200),
        case("64 KiB frames of events", sse, chat(5_000, ""), 64 << 10),
        case("one-byte frames", sse, chat(500, ""), 1),
        case(
            "100 KiB JSON, whole",
            "application/json",
            json(100 << 10),
            100 << 10,
        ),
        case(
            "100 KiB embeddings, whole",
            "application/json",
            embeddings(100 << 10),
            100 << 10,
        ),
    ]
}

/// Events of exactly 200 bytes: the text takes what the rest leaves.
fn events(count: usize, head: &str, tail: &str, last: &str) -> Vec<u8> {
    let text = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt.";
    let room = 200 - head.len() - tail.len();
    let mut body = String::new();
    for at in 0..count {
        let text = if at % 2 == 0 {
            &text[..room.min(text.len())]
        } else {
            &text[text.len() - room.min(text.len())..]
        };
        body.push_str(head);
        body.push_str(&format!("{text:room$}"));
        body.push_str(tail);
    }
    body.push_str(last);
    body.into_bytes()
}

fn chat(count: usize, usage: &str) -> Vec<u8> {
    events(
        count,
        r#"data: {"id":"chatcmpl-A1","object":"chat.completion.chunk","created":1790000000,"model":"gpt-t","choices":[{"index":0,"delta":{"content":""#,
        &format!("\"}},\"finish_reason\":null}}]{usage}}}\n\n"),
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":500}}\n\ndata: [DONE]\n\n",
    )
}

fn messages(count: usize) -> Vec<u8> {
    events(
        count,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"",
        "\"}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"input_tokens\":9,\"output_tokens\":500}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    )
}

fn responses(count: usize) -> Vec<u8> {
    events(
        count,
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":7,\"item_id\":\"msg_1\",\"delta\":\"",
        "\",\"obfuscation\":\"aB3\"}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":500}}}\n\n",
    )
}

/// Usage in every event: none can be skimmed.
fn gemini(count: usize) -> Vec<u8> {
    events(
        count,
        r#"data: {"candidates":[{"content":{"parts":[{"text":""#,
        "\"}],\"role\":\"model\"}}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":5,\"totalTokenCount\":14}}\n\n",
        "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n",
    )
}

fn json(bytes: usize) -> Vec<u8> {
    let text = "Lorem ipsum dolor sit \\\"amet\\\", consectetur\\n".repeat(bytes / 45);
    format!(
        r#"{{"object":"chat.completion","model":"gpt-t","choices":[{{"message":{{"content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":20000}}}}"#
    )
    .into_bytes()
}

fn embeddings(bytes: usize) -> Vec<u8> {
    let numbers = "-0.012345678,".repeat(bytes / 13);
    format!(
        r#"{{"object":"list","data":[{{"object":"embedding","embedding":[{numbers}0]}}],"model":"e","usage":{{"prompt_tokens":9}}}}"#
    )
    .into_bytes()
}

fn pass(case: &Case) -> usize {
    case.chunks().map(|chunk| black_box(chunk).len()).sum()
}

fn meter(case: &Case) -> Facts {
    let mut meter = Meter::new(Some(case.content_type), None);
    for chunk in case.chunks() {
        meter.push(black_box(chunk));
        black_box(meter.facts());
    }
    meter.finish();
    meter.facts().clone()
}

/// What most gateways do: collect lines, parse each.
fn parse(case: &Case) -> u64 {
    let mut line = Vec::new();
    let mut tokens = 0;
    let mut take = |line: &[u8]| {
        let json = line.strip_prefix(b"data: ").unwrap_or(line);
        if let Ok(event) = serde_json::from_slice::<serde_json::Value>(json) {
            tokens = event["usage"]["completion_tokens"]
                .as_u64()
                .unwrap_or(tokens);
        }
    };
    for chunk in case.chunks() {
        let mut rest = black_box(chunk);
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            line.extend_from_slice(&rest[..end]);
            take(&line);
            line.clear();
            rest = &rest[end + 1..];
        }
        line.extend_from_slice(rest);
    }
    take(&line);
    tokens
}

fn main() {
    println!(
        "{:32} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "ns per chunk", "pass", "meter", "serde", "ns/KiB", "allocs"
    );
    for case in cases() {
        let [pass, metered, parsed] = [
            time(|| pass(&case)),
            time(|| meter(&case)),
            time(|| parse(&case)),
        ]
        .map(|time| time.as_nanos() as f64 / case.count() as f64);
        let allocations = allocation_counter::measure(|| {
            black_box(meter(&case));
        })
        .count_total;
        println!(
            "{:32} {pass:9.1} {metered:9.1} {parsed:9.1} {:9.1} {allocations:8}   parsing costs {:.1} times as much",
            case.name,
            metered * case.count() as f64 / (case.body.len() as f64 / 1024.0),
            parsed / metered,
        );
    }
    let mut criterion = Criterion::default().configure_from_args();
    for case in cases() {
        let mut group = criterion.benchmark_group(case.name);
        group.throughput(Throughput::Elements(case.count()));
        group.bench_function("pass", |bench| bench.iter(|| pass(&case)));
        group.bench_function("meter", |bench| bench.iter(|| meter(&case)));
        group.bench_function("serde_json", |bench| bench.iter(|| parse(&case)));
        group.finish();
    }
    criterion.final_summary();
}

/// The best of many runs: what the work costs where nothing disturbs it.
fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < Duration::from_millis(300) {
        let once = Instant::now();
        black_box(work());
        best = best.min(once.elapsed());
    }
    best
}
