//! The `gen_ai` view: cases as data, each with what a decoder that is not ours reads; and that its totals are those of
//! our own families, whatever is called and however it ends.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use brightstaff_metrics_core::{
    Clock, HandlerName, Head, Metrics, TraceContext, UpstreamCall,
    adapter::{IncomingRequest, LayerMarks, RequestMetrics, ResponseObserver},
    labels::{ErrorClass, Operation, RequestMethod},
    meter::Usage,
    otlp::{Encoder, GenAi, HistogramAggregation, Resource, Temporality},
};
use expect_test::expect_file;
use prometheus::Registry;
use proptest::prelude::*;
use serde::Deserialize;

use crate::{
    meter_support::{Fixture, fixtures},
    model::{self, Any, Data, KeyValue, Metric, Number, ScopeMetrics},
};

/// A file of `tests/otlp/gen_ai`: some calls, and what is pushed after them. `NAME.txt` beside it is what the scope `gen_ai` of
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/otlp/gen_ai")
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
        let export = encoder.encode(&gateway.registry);
        let mut request = model::decode(export.body());
        let mut scopes = request.resource_metrics.remove(0).scope_metrics;
        let scope = scopes.pop().unwrap();
        assert_eq!(scope.scope.as_ref().unwrap().name, "gen_ai");
        told(&scope)
    }
}

/// A gateway whose clock is turned by hand.
struct Gateway {
    registry: Registry,
    metrics: Metrics,
    clock: Clock,
}

impl Gateway {
    fn new() -> Self {
        Self::with(true, [])
    }

    fn with<'a>(view: bool, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (registry, clock) = (Registry::new(), Clock::manual());
        let builder = Metrics::builder().clock(clock.clone()).process(false);
        let builder = builder.gen_ai_view(view).upstreams(pairs);
        let metrics = builder.register(&registry).unwrap();
        Self {
            registry,
            metrics,
            clock,
        }
    }

    fn encoder(&self) -> Encoder {
        let encoder = Encoder::new(Resource::default()).clock(self.clock.clone());
        encoder.gen_ai(GenAi::Latest)
    }

    fn start(&self, to: &str) -> UpstreamCall {
        match to.split_once('/') {
            Some((provider, model)) => self.metrics.upstream(provider, model).start(),
            None => self.metrics.provider(to).start(),
        }
    }

    fn wait(&self, seconds: f64) {
        self.clock.advance(Duration::from_secs_f64(seconds));
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

/// What a scope holds, for people.
fn told(scope: &ScopeMetrics) -> String {
    let mut out = format!("{}\n", scope.schema_url);
    for metric in &scope.metrics {
        let (unit, data) = (&metric.unit, metric.data.as_ref().unwrap());
        writeln!(out, "\n{} ({unit}, {})", metric.name, kind(data)).unwrap();
        assert!(metric.description.ends_with('.'), "{}", metric.name);
        for point in points(metric) {
            writeln!(out, "  {}", point.said).unwrap();
        }
    }
    out
}

fn kind(data: &Data) -> String {
    let (kind, temporality) = match data {
        Data::Sum(sum) => {
            assert!(sum.is_monotonic);
            ("sum", sum.aggregation_temporality)
        }
        Data::Histogram(histogram) => ("histogram", histogram.aggregation_temporality),
        Data::ExponentialHistogram(histogram) => ("exponential", histogram.aggregation_temporality),
        Data::Gauge(_) | Data::Summary(_) => panic!("there are none"),
    };
    let temporality = model::Temporality::try_from(temporality).unwrap();
    format!("{kind}, {temporality:?}").to_lowercase()
}

/// One point, as a case shows it, and for sums.
struct Point {
    attributes: BTreeMap<String, String>,
    /// Of a number its value.
    sum: f64,
    count: u64,
    said: String,
}

fn points(metric: &Metric) -> Vec<Point> {
    match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => sum.data_points.iter().map(number).collect(),
        Data::Histogram(histogram) => histogram.data_points.iter().map(histogram_point).collect(),
        Data::ExponentialHistogram(histogram) => histogram
            .data_points
            .iter()
            .map(exponential_point)
            .collect(),
        Data::Gauge(_) | Data::Summary(_) => Vec::new(),
    }
}

fn number(point: &model::NumberDataPoint) -> Point {
    let Some(Number::AsInt(value)) = point.value else {
        panic!("counters are whole")
    };
    let mut said = label(&point.attributes, point.start_time_unix_nano);
    write!(said, " {value}").unwrap();
    Point {
        attributes: attributes(&point.attributes),
        sum: value as f64,
        count: 0,
        said,
    }
}

fn histogram_point(point: &model::HistogramDataPoint) -> Point {
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    let mut said = label(&point.attributes, point.start_time_unix_nano);
    write!(said, " {} of {}:", point.count, point.sum.unwrap()).unwrap();
    let bounds = point.explicit_bounds.iter().chain([&f64::INFINITY]);
    for (bound, count) in bounds.zip(&point.bucket_counts) {
        if *count > 0 {
            write!(said, " {count} to {bound}").unwrap();
        }
    }
    exemplars(&mut said, &point.exemplars);
    Point {
        attributes: attributes(&point.attributes),
        sum: point.sum.unwrap(),
        count: point.count,
        said,
    }
}

fn exponential_point(point: &model::ExponentialHistogramDataPoint) -> Point {
    let buckets = point.positive.clone().unwrap_or_default();
    let positive = buckets.bucket_counts.iter().sum::<u64>();
    assert_eq!(point.zero_count + positive, point.count);
    assert_eq!(point.scale, 3);
    let mut said = label(&point.attributes, point.start_time_unix_nano);
    write!(said, " {} of {}:", point.count, point.sum.unwrap()).unwrap();
    if point.zero_count > 0 {
        write!(said, " {} of 0", point.zero_count).unwrap();
    }
    for (number, count) in (buckets.offset..).zip(&buckets.bucket_counts) {
        if *count > 0 {
            write!(said, " {count} above 2^({number}/8)").unwrap();
        }
    }
    exemplars(&mut said, &point.exemplars);
    Point {
        attributes: attributes(&point.attributes),
        sum: point.sum.unwrap(),
        count: point.count,
        said,
    }
}

fn exemplars(said: &mut String, exemplars: &[model::Exemplar]) {
    for exemplar in exemplars {
        assert_eq!(exemplar.trace_id, [7; 16]);
        let Some(model::ExemplarValue::AsDouble(value)) = exemplar.value else {
            panic!("exemplars are seconds")
        };
        write!(said, ", such as {value} of a trace").unwrap();
    }
}

/// Attributes without what all begin with, and when the series began.
fn label(attributes: &[KeyValue], began: u64) -> String {
    let all = self::attributes(attributes);
    let all = all.iter().map(|(name, value)| {
        let name = name.strip_prefix("gen_ai.").unwrap_or(name);
        format!("{name}={value}")
    });
    let seconds = Duration::from_nanos(began - crate::EPOCH).as_secs_f64();
    format!("[{}] from {seconds} s:", all.collect::<Vec<_>>().join(" "))
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let all: BTreeMap<_, _> = attributes
        .iter()
        .map(|pair| {
            let Some(Any::String(value)) = pair.value.clone().unwrap().value else {
                panic!("{} is a text", pair.key)
            };
            (pair.key.clone(), value)
        })
        .collect();
    assert_eq!(all.len(), attributes.len(), "each attribute once");
    all
}

/// What an export tells of both scopes.
struct Told {
    ours: ScopeMetrics,
    view: ScopeMetrics,
}

impl Told {
    fn of(gateway: &Gateway, version: GenAi) -> Self {
        let export = gateway.encoder().gen_ai(version).encode(&gateway.registry);
        let mut request = model::decode(export.body());
        let mut scopes = request.resource_metrics.remove(0).scope_metrics;
        let view = scopes.pop().unwrap();
        Self {
            ours: scopes.pop().unwrap(),
            view,
        }
    }

    /// Sum and count of all points of a metric for which this holds.
    fn total(scope: &ScopeMetrics, name: &str, is: impl Fn(&Point) -> bool) -> (f64, u64) {
        let metrics = scope.metrics.iter().filter(|metric| metric.name == name);
        let points = metrics.flat_map(points).filter(is);
        points.fold((0.0, 0), |(sum, count), point| {
            (sum + point.sum, count + point.count)
        })
    }

    fn ours(&self, name: &str, label: (&str, &str)) -> (f64, u64) {
        Self::total(&self.ours, name, |point| {
            let (name, value) = label;
            name.is_empty() || point.attributes.get(name).is_some_and(|is| is == value)
        })
    }

    fn view(&self, name: &str) -> (f64, u64) {
        Self::total(&self.view, name, |_| true)
    }
}

/// A call, as anything that may happen to one.
#[derive(Clone, Debug)]
struct Anything {
    fixture: usize,
    provider: usize,
    status: Option<u16>,
    pieces: usize,
    come: usize,
    end: u8,
}

fn calls() -> impl Strategy<Value = Vec<Anything>> {
    let status = prop_oneof![
        6 => Just(Some(200)),
        1 => Just(None),
        1 => prop::sample::select(vec![101, 204, 302, 400, 404, 429, 500, 503, 529, 599, 999]).prop_map(Some),
    ];
    let call = (
        0..10_000_usize,
        0..PROVIDERS.len(),
        status,
        1..6_usize,
        0..8_usize,
        0..5_u8,
    );
    let call = call.prop_map(|(fixture, provider, status, pieces, come, end)| Anything {
        fixture,
        provider,
        status,
        pieces,
        come,
        end,
    });
    prop::collection::vec(call, 1..24)
}

/// Some of which the conventions call alike.
const PROVIDERS: [&str; 5] = [
    "gemini/g",
    "google-gemini/g",
    "openai",
    "p/unknown",
    "bedrock",
];

fn play(gateway: &Gateway, any: &Anything, fixture: &Fixture) {
    let mut call = gateway.start(PROVIDERS[any.provider]);
    gateway.wait(0.03);
    if let Some(status) = any.status {
        call.head(&Head::new(status).content_type(fixture.content_type));
        let size = fixture.body.len().div_ceil(any.pieces).max(1);
        for piece in fixture.body.chunks(size).take(any.come) {
            gateway.wait(0.01);
            call.data(piece);
        }
    }
    match any.end {
        0 => drop(call),
        1 => call.fail(ErrorClass::Timeout),
        2 => call.fail(ErrorClass::Parse),
        _ => call.finish(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is called and however it ends: tokens, counts and durations of the view are those of the own families.
    #[test]
    fn the_totals_are_those_of_the_own_families(calls in calls()) {
        let gateway = Gateway::new();
        // What is no call to a model is in our families alone.
        let of_models = |fixture: &Fixture| {
            let facts = fixture.read([fixture.body.as_slice()]);
            facts.api.is_none_or(|api| api.operation().is_some())
        };
        let all: Vec<_> = fixtures().into_iter().filter(of_models).collect();
        for any in &calls {
            play(&gateway, any, &all[any.fixture % all.len()]);
        }
        let latest = Told::of(&gateway, GenAi::Latest);
        for (usage, of_calls, kind) in [
            ("usage.input_tokens", "operation.input_tokens", "prompt"),
            ("usage.output_tokens", "operation.output_tokens", "completion"),
        ] {
            let (tokens, _) = latest.ours("brightstaff_llm_tokens_total", ("kind", kind));
            let view = |name| latest.view(&format!("gen_ai.client.inference.{name}"));
            prop_assert_eq!(view(usage).0, tokens, "{}", usage);
            prop_assert_eq!(view(of_calls).0, tokens, "{}", of_calls);
        }
        for (usage, kind) in [
            ("cache_read.input_tokens", "cache_read"),
            ("cache_write.input_tokens", "cache_write"),
            ("reasoning.output_tokens", "reasoning"),
        ] {
            let (tokens, _) = latest.ours("brightstaff_llm_token_details_total", ("kind", kind));
            let view = latest.view(&format!("gen_ai.client.inference.usage.{usage}"));
            prop_assert_eq!(view.0, tokens, "{}", usage);
        }
        let (seconds, count) = latest.ours("brightstaff_llm_upstream_duration_seconds", ("", ""));
        prop_assert_eq!(count, calls.len() as u64);
        for name in ["client.operation.duration", "server.request.duration"] {
            let view = latest.view(&format!("gen_ai.{name}"));
            prop_assert!((view.0 - seconds).abs() < 1e-6 && view.1 == count, "{}", name);
        }
        let of_calls = latest.view("gen_ai.client.inference.operation.input_tokens");
        prop_assert_eq!(of_calls.1, count);
        let well = latest.ours("brightstaff_llm_upstream_duration_seconds", ("outcome", "ok"));
        let view = Told::total(&latest.view, "gen_ai.client.operation.duration", |point| {
            !point.attributes.contains_key("error.type")
        });
        prop_assert_eq!(view.1, well.1);
        let first_byte = latest.ours("brightstaff_llm_time_to_first_byte_seconds", ("", ""));
        prop_assert_eq!(latest.view("gen_ai.client.operation.time_to_first_chunk").1, first_byte.1);
        let each_token = latest.ours("brightstaff_llm_time_per_output_token_seconds", ("", ""));
        prop_assert_eq!(latest.view("gen_ai.server.time_per_output_token").1, each_token.1);
        let old = Told::of(&gateway, GenAi::V1_41);
        let (tokens, _) = old.ours("brightstaff_llm_tokens_total", ("", ""));
        prop_assert_eq!(old.view("gen_ai.client.token.usage").0, tokens);
    }
}

/// No two points of a metric have the same attributes, whatever providers are called.
#[test]
fn providers_that_are_called_alike_are_told_together() {
    let gateway = Gateway::new();
    for provider in ["gemini", "google-gemini", "Gemini"] {
        gateway
            .start(&format!("{provider}/g"))
            .fail(ErrorClass::Connect);
    }
    let told = Told::of(&gateway, GenAi::Latest);
    let duration = told.view.metrics.iter();
    let mut duration = duration.filter(|metric| metric.name == "gen_ai.client.operation.duration");
    let of_duration = points(duration.next().unwrap());
    // Nobody declared a pair, and none answered: the calls are folded, but their providers were not named.
    let providers = of_duration
        .iter()
        .map(|point| &*point.attributes["gen_ai.provider.name"]);
    assert_eq!(providers.collect::<Vec<_>>(), ["other"]);

    let pairs = ["gemini", "google-gemini", "Gemini"].map(|provider| (provider, "g"));
    let gateway = Gateway::with(true, pairs);
    for (provider, model) in pairs {
        gateway.wait(1.0);
        let call = gateway.metrics.upstream(provider, model).start();
        call.fail(ErrorClass::Connect);
    }
    let told = Told::of(&gateway, GenAi::Latest);
    for metric in &told.view.metrics {
        let all = points(metric);
        let [point] = &all[..] else {
            panic!("one, of {}", metric.name)
        };
        assert_eq!(point.attributes["gen_ai.provider.name"], "gcp.gemini");
        assert!(
            point.said.contains("from 1 s"),
            "the first began then: {}",
            point.said
        );
        assert!(point.count == 3 || point.sum == 0.0, "{}", point.said);
    }
}

#[test]
fn nothing_is_told_where_the_view_is_off() {
    let gateway = Gateway::with(false, []);
    gateway.start("p/m").fail(ErrorClass::Connect);
    let told = Told::of(&gateway, GenAi::Latest);
    assert_eq!(told.view.metrics.len(), 0);
    let export = gateway
        .encoder()
        .gen_ai(GenAi::Off)
        .encode(&gateway.registry);
    let request = model::decode(export.body());
    assert_eq!(request.resource_metrics[0].scope_metrics.len(), 1);
    // And none of it is scraped.
    let gateway = Gateway::new();
    gateway.start("p/m").fail(ErrorClass::Connect);
    assert!(!gateway.metrics.render().contains("gen_ai"));
}

/// What a layer measures by itself is told by its endpoint, where the response does not tell it.
#[test]
fn implicit_calls_that_fail_are_for_what_their_endpoint_is() {
    let gateway = Gateway::with(true, []);
    let mut layer = RequestMetrics::from(&gateway.metrics);
    layer.implicit("openai");
    for (path, operation) in [
        ("/v1/embeddings", "embeddings"),
        ("/v1/completions", "text_completion"),
        ("/v1/chat/completions", "chat"),
    ] {
        let begun = layer.begin(&Arriving(path), &LayerMarks::default());
        let mut observer = ResponseObserver::from(begun.request);
        observer.head(&Head::new(503).content_length(0), begun.call);
        drop(observer);
        let told = Told::of(&gateway, GenAi::Latest);
        let (_, count) = Told::total(&told.view, "gen_ai.client.operation.duration", |point| {
            let attributes = &point.attributes;
            attributes["gen_ai.operation.name"] == operation && attributes["error.type"] == "503"
        });
        assert_eq!(count, 1, "{path}");
    }
}

struct Arriving(&'static str);

impl IncomingRequest for Arriving {
    fn method(&self) -> RequestMethod {
        RequestMethod::Post
    }

    fn path(&self) -> &str {
        self.0
    }

    fn template(&self) -> Option<&str> {
        None
    }

    fn given_name(&self) -> Option<HandlerName> {
        None
    }

    fn has_header(&self, _: &str) -> bool {
        false
    }

    fn trace(&self) -> Option<TraceContext> {
        None
    }
}

/// Recording goes on while the view is told: no total ever falls, and each histogram agrees with itself.
#[test]
fn the_view_is_told_while_calls_end() {
    let gateway = Gateway::with(true, [("openai", "gpt-4o")]);
    let upstream = gateway.metrics.upstream("openai", "gpt-4o");
    let stop = AtomicBool::new(false);
    let ended = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (upstream, stop, ended) = (&upstream, &stop, &ended);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut call = upstream.start();
                    call.response(200);
                    call.usage(Usage::new(thread, 7));
                    call.finish();
                    upstream.start().fail(ErrorClass::Connect);
                    ended.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        let mut before = [(0.0, 0); 3];
        while ended.load(Ordering::Relaxed) < 20_000 {
            let told = [GenAi::Latest, GenAi::V1_41].map(|version| Told::of(&gateway, version));
            let now = [
                told[0].view("gen_ai.client.operation.duration"),
                told[0].view("gen_ai.client.inference.usage.output_tokens"),
                told[1].view("gen_ai.client.token.usage"),
            ];
            for (before, now) in before.iter().zip(&now) {
                assert!(before.0 <= now.0 && before.1 <= now.1, "{before:?} {now:?}");
            }
            before = now;
        }
        stop.store(true, Ordering::Relaxed);
    });
    let told = Told::of(&gateway, GenAi::Latest);
    let (_, count) = told.view("gen_ai.client.operation.duration");
    assert_eq!(count, ended.load(Ordering::Relaxed));
}
