//! What metering costs per chunk, beside a bare pass-through, beside keeping the body to read its end, and beside
//! parsing every event with `serde_json`: first a table of one run, then Criterion's own report.
//!
//! `ours` is a whole call, with its instants and counts; `meter` is the meter alone. For profilers,
//! `-- --times 10 sse_chat_210B/ours` does one row's work ten times and nothing else.

#[path = "meter/bodies.rs"]
mod bodies;

use std::hint::black_box;
use std::time::{Duration, Instant};

use bodies::{BULK, Case, cases};
use brightstaff_metrics_core::meter::{Facts, Meter};
use brightstaff_metrics_core::{Head, Metrics, Upstream};
use criterion::{Criterion, Throughput};

/// A way to pass a body on; what it learns is of no matter.
type Way = (&'static str, fn(&Case, &Upstream));

const WAYS: [Way; 6] = [
    ("bare", |case, _| {
        black_box(pass(case));
    }),
    ("floor", |case, _| {
        black_box(search(case));
    }),
    ("ours", ours),
    ("meter", |case, _| {
        black_box(meter(case));
    }),
    ("keep_and_parse", |case, _| {
        black_box(keep(case));
    }),
    ("serde_json_each", |case, _| {
        black_box(parse(case));
    }),
];

fn pass(case: &Case) -> usize {
    case.chunks().map(|chunk| black_box(chunk).len()).sum()
}

/// The least that sees usage pass: a search of each frame, which misses what two of them share.
fn search(case: &Case) -> usize {
    let usage = memchr::memmem::Finder::new("\"usage");
    let found = |chunk| usage.find_iter(black_box(chunk)).count();
    case.chunks().map(found).sum()
}

fn ours(case: &Case, upstream: &Upstream) {
    let mut call = upstream.start();
    call.head(&Head::new(200).content_type(case.content_type));
    for chunk in case.chunks() {
        call.data(black_box(chunk));
    }
    call.finish();
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

/// What careful gateways do: keep all that passes, and look for the usage from its end.
fn keep(case: &Case) -> Option<u64> {
    let mut body = Vec::new();
    for chunk in case.chunks() {
        body.extend_from_slice(black_box(chunk));
    }
    let lines = body.rsplit(|&byte| byte == b'\n');
    lines.map(completion_tokens).find_map(|tokens| tokens)
}

/// What most gateways do: collect lines, parse each.
fn parse(case: &Case) -> Option<u64> {
    let mut line = Vec::new();
    let mut tokens = None;
    for chunk in case.chunks() {
        let mut rest = black_box(chunk);
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            line.extend_from_slice(&rest[..end]);
            tokens = completion_tokens(&line).or(tokens);
            line.clear();
            rest = &rest[end + 1..];
        }
        line.extend_from_slice(rest);
    }
    completion_tokens(&line).or(tokens)
}

fn completion_tokens(line: &[u8]) -> Option<u64> {
    let json = line.strip_prefix(b"data: ").unwrap_or(line);
    let event: serde_json::Value = serde_json::from_slice(json).ok()?;
    ["completion_tokens", "output_tokens", "prompt_tokens"]
        .iter()
        .find_map(|name| event["usage"][name].as_u64())
        .or_else(|| event["response"]["usage"]["output_tokens"].as_u64())
        .or_else(|| event["usageMetadata"]["candidatesTokenCount"].as_u64())
        .or_else(|| event["eval_count"].as_u64())
}

fn main() {
    let metrics = Metrics::unregistered();
    let upstream = metrics.upstream("openai", "gpt-t");
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--times") {
        return repeat(&arguments[at + 1..], &upstream);
    }
    // `cargo xtask bench` asks for the estimates alone.
    if std::env::var_os("CRITERION_HOME").is_none() {
        table(&upstream);
    }
    let mut criterion = Criterion::default().configure_from_args();
    for case in cases() {
        let mut group = criterion.benchmark_group(case.name);
        group.throughput(if is_bulk(&case) {
            Throughput::Bytes(case.body.len() as u64)
        } else {
            Throughput::Elements(frames(&case))
        });
        for (name, way) in WAYS {
            group.bench_function(name, |bench| bench.iter(|| way(&case, &upstream)));
        }
        group.finish();
    }
    criterion.final_summary();
}

fn repeat(arguments: &[String], upstream: &Upstream) {
    let [times, row, ..] = arguments else {
        panic!("how many times, and which row?")
    };
    let times: u64 = times.parse().expect("a number of times");
    let (case, way) = row
        .split_once('/')
        .expect("a row, such as sse_chat_210B/ours");
    let cases = cases();
    let case = cases.iter().find(|known| known.name == case);
    let way = WAYS.iter().find(|known| known.0 == way);
    let (Some(case), Some((_, way))) = (case, way) else {
        panic!("no such row: {row}")
    };
    rounds(times, || way(case, upstream));
    println!("{} frames", times * frames(case));
}

/// A frame of its own, for `callgrind --toggle-collect='*rounds*'`: all else, such as the clock's calibration, is left
/// out.
#[inline(never)]
fn rounds(times: u64, work: impl Fn()) {
    for _ in 0..times {
        work();
    }
}

/// Nanoseconds per frame, and GB/s where bytes are meant; what the heap holds at most.
fn table(upstream: &Upstream) {
    print!("{:26}", "ns per frame, or GB/s");
    for (name, _) in WAYS {
        print!("{name:>18}");
    }
    println!("{:>10}{:>10}", "allocs", "held B");
    for case in cases() {
        print!("{:26}", case.name);
        for (_, way) in WAYS {
            let nanos = time(|| way(&case, upstream)).as_nanos() as f64;
            if is_bulk(&case) {
                print!("{:18.2}", case.body.len() as f64 / nanos);
            } else {
                print!("{:18.1}", nanos / frames(&case) as f64);
            }
        }
        let heap = allocation_counter::measure(|| ours(&case, upstream));
        println!("{:10}{:10}", heap.count_total, heap.bytes_max);
    }
}

/// The best of many runs: what the work costs where nothing disturbs it.
fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < Duration::from_millis(200) {
        let once = Instant::now();
        black_box(work());
        best = best.min(once.elapsed());
    }
    best
}

fn frames(case: &Case) -> u64 {
    case.body.len().div_ceil(case.chunk) as u64
}

/// Whether its cost is one of bytes rather than of frames.
fn is_bulk(case: &Case) -> bool {
    case.chunk >= BULK
}
