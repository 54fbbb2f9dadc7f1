//! Cases as data.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use brightstaff_metrics_core::{
    Head, TraceContext, UpstreamCall,
    labels::{ErrorClass, Operation},
    meter::Usage,
    otlp::{Export, HistogramAggregation, Temporality},
};
use expect_test::expect_file;
use serde::Deserialize;

use super::Gateway;
use crate::{
    meter_support::fixtures,
    model::{self, Data, Exemplar, ExemplarValue},
    read::{Point, Value, points},
};

/// A file of `tests/otlp/gen_ai/cases`: some calls, and what is pushed after them. `NAME.txt` beside it is what the scope `gen_ai` of
/// that holds; `UPDATE_EXPECT=1` writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows.
    about: String,
    /// A version of the conventions.
    version: String,
    #[serde(default)]
    exponential: bool,
    #[serde(default)]
    delta: bool,
    #[serde(default, rename = "call")]
    calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    /// `provider/model`; without a model, the response names it.
    to: String,
    /// What the caller says that it is for; `none` for nothing that a model does.
    operation: Option<String>,
    status: Option<u16>,
    /// The body, from `tests/fixtures`.
    fixture: Option<String>,
    /// Or as it stands here.
    body: Option<String>,
    /// Tokens that are told by hand, where no body is.
    by_hand: Option<(u64, u64)>,
    /// In how many pieces the body comes, one every 0.125 s.
    #[serde(default = "one")]
    pieces: usize,
    /// How many of these come at all.
    come: Option<usize>,
    /// How it ends: by its end, `drop`, or a class of errors.
    #[serde(default)]
    end: String,
    #[serde(default)]
    traced: bool,
    /// Whether an export is made, and acknowledged, after it.
    #[serde(default)]
    export: bool,
}

fn one() -> usize {
    1
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/otlp/gen_ai/cases")
}

#[test]
fn the_cases_are_pushed_as_they_say() {
    let files = std::fs::read_dir(directory()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let of_cases = |path: &&PathBuf| path.extension().is_some_and(|end| end == "toml");
    assert!(files.iter().filter(of_cases).count() > 10);
    for path in files.iter().filter(of_cases) {
        let case: Case = toml::from_str(&std::fs::read_to_string(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let pushed = format!("{}\n\n{}", case.about, case.push());
        expect_file![path.with_extension("txt")].assert_eq(&pushed);
    }
}

impl Case {
    fn push(&self) -> String {
        let pairs = self.calls.iter().filter_map(|call| call.to.split_once('/'));
        let gateway = Gateway::with(true, pairs);
        let mut encoder = gateway.encoder().gen_ai(self.version.parse().unwrap());
        if self.exponential {
            encoder = encoder.histograms(HistogramAggregation::Base2Exponential);
        }
        if self.delta {
            encoder = encoder.temporality(Temporality::Delta);
        }
        for call in &self.calls {
            call.make(&gateway);
            if call.export {
                let export = encoder.encode(&gateway.registry);
                encoder.acknowledge(export);
            }
        }
        told(&encoder.encode(&gateway.registry))
    }
}

impl Call {
    fn make(&self, gateway: &Gateway) {
        let mut call = gateway.start(&self.to);
        if self.traced {
            call = call.in_trace(TraceContext::new([7; 16], [9; 8]));
        }
        if let Some(operation) = &self.operation {
            call = call.operation(self::operation(operation));
        }
        gateway.wait(0.25);
        if let Some(tokens) = self.by_hand {
            return by_hand(call, gateway, tokens);
        }
        if let Some(status) = self.status {
            let (content_type, body) = self.response();
            call.head(&Head::new(status).content_type(content_type));
            let size = body.len().div_ceil(self.pieces).max(1);
            for piece in body.chunks(size).take(self.come.unwrap_or(self.pieces)) {
                gateway.wait(0.125);
                call.data(piece);
            }
        }
        match &*self.end {
            "" => call.finish(),
            "drop" => drop(call),
            class => {
                let mut all = ErrorClass::ALL.iter();
                let class = all.find(|known| known.as_str() == class).unwrap();
                call.fail(*class);
            }
        }
    }

    fn response(&self) -> (&'static str, Vec<u8>) {
        let Some(name) = &self.fixture else {
            let body = self.body.clone().unwrap_or_default();
            return ("application/json", body.into_bytes());
        };
        let fixture = fixtures()
            .into_iter()
            .find(|fixture| fixture.name() == name);
        let fixture = fixture.unwrap_or_else(|| panic!("no fixture {name}"));
        (fixture.content_type, fixture.body)
    }
}

fn by_hand(mut call: UpstreamCall, gateway: &Gateway, (prompt, completion): (u64, u64)) {
    call.response(200);
    call.first_token();
    gateway.wait(1.0);
    call.usage(Usage::new(prompt, completion));
    call.finish();
}

fn operation(name: &str) -> Option<Operation> {
    let mut all = Operation::ALL.iter().copied();
    let found = all.find(|operation| operation.as_str() == name);
    assert!(found.is_some() || name == "none", "{name}");
    found
}

/// What the scope `gen_ai` of an export holds, for people.
fn told(export: &Export) -> String {
    let mut request = model::decode(export.body());
    let mut scopes = request.resource_metrics.remove(0).scope_metrics;
    let scope = scopes.pop().unwrap();
    assert_eq!(scope.scope.as_ref().unwrap().name, "gen_ai");
    let points = points(export);
    let mut out = format!("{}\n", scope.schema_url);
    for metric in &scope.metrics {
        let (name, unit) = (&metric.name, &metric.unit);
        assert!(metric.description.ends_with('.'), "{name}");
        let points: Vec<_> = points.iter().filter(|point| point.name == *name).collect();
        let temporality = points[0].temporality.unwrap();
        let temporality = format!("{temporality:?}").to_lowercase();
        let kind = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) if sum.is_monotonic => "sum",
            Data::Histogram(_) => "histogram",
            Data::ExponentialHistogram(_) => "exponential",
            other => panic!("{other:?}"),
        };
        writeln!(out, "\n{name} ({unit}, {kind}, {temporality})").unwrap();
        for point in points {
            writeln!(out, "  {}", said(point)).unwrap();
        }
    }
    out
}

/// A point on a line, its attributes without what all begin with.
fn said(point: &Point) -> String {
    let attributes = point.attributes.iter().map(|(name, value)| {
        let name = name.strip_prefix("gen_ai.").unwrap_or(name);
        format!("{name}={value}")
    });
    let attributes: Vec<_> = attributes.collect();
    let began = Duration::from_nanos(point.start - crate::EPOCH).as_secs_f64();
    let mut said = format!("[{}] from {began} s:", attributes.join(" "));
    match &point.value {
        Value::Int(value) => write!(said, " {value}").unwrap(),
        Value::Explicit {
            counts,
            bounds,
            sum,
        } => {
            write!(said, " {} of {sum}:", counts.iter().sum::<u64>()).unwrap();
            let bounds = bounds.iter().chain([&f64::INFINITY]);
            for (bound, count) in bounds.zip(counts).filter(|(_, count)| **count > 0) {
                write!(said, " {count} to {bound}").unwrap();
            }
        }
        Value::Exponential { zero, counts, sum } => {
            write!(said, " {} of {sum}:", count(zero, counts)).unwrap();
            if *zero > 0 {
                write!(said, " {zero} of 0").unwrap();
            }
            for (number, count) in counts {
                write!(said, " {count} above 2^({number}/8)").unwrap();
            }
        }
        Value::Double(_) | Value::Summary => panic!("{point:?}"),
    }
    for exemplar in &point.exemplars {
        write!(said, ", such as {} of a trace", seconds(exemplar)).unwrap();
    }
    said
}

fn count(zero: &u64, counts: &BTreeMap<i32, u64>) -> u64 {
    zero + counts.values().sum::<u64>()
}

fn seconds(exemplar: &Exemplar) -> f64 {
    assert_eq!(exemplar.trace_id, [7; 16]);
    match exemplar.value {
        Some(ExemplarValue::AsDouble(seconds)) => seconds,
        other => panic!("{other:?}"),
    }
}
