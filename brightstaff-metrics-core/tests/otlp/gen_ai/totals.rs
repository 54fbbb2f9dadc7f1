//! Totals: those of the view are those of our own families.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use brightstaff_metrics_core::{
    HandlerName, Head, TraceContext,
    adapter::{IncomingRequest, LayerMarks, RequestMetrics, ResponseObserver},
    labels::{ErrorClass, RequestMethod},
    meter::Usage,
    otlp::GenAi,
};
use proptest::prelude::*;

use super::Gateway;
use crate::{
    meter_support::{Fixture, fixtures},
    read::{Point, Value, points},
};

const DURATION: &str = "gen_ai.client.operation.duration";
const OWN_DURATION: &str = "brightstaff_llm_upstream_duration_seconds";

/// All points of an export.
struct Told(Vec<Point>);

impl Told {
    fn of(gateway: &Gateway, version: GenAi) -> Self {
        let mut encoder = gateway.encoder().gen_ai(version);
        Self(points(&encoder.encode(&gateway.registry)))
    }

    fn view(&self) -> impl Iterator<Item = &Point> {
        let all = self.0.iter();
        all.filter(|point| point.name.starts_with("gen_ai."))
    }

    /// Sum and count of all points of a metric that have these attributes.
    fn total(&self, name: &str, attributes: &[(&str, &str)]) -> (f64, u64) {
        self.total_where(name, |point| point.is(name, attributes))
    }

    fn total_where(&self, name: &str, is: impl Fn(&Point) -> bool) -> (f64, u64) {
        let points = self
            .0
            .iter()
            .filter(|point| point.name == name && is(point));
        points.fold((0.0, 0), |(sum, count), point| {
            let (of_point, samples) = sum_and_count(point);
            (sum + of_point, count + samples)
        })
    }
}

/// Of a number, the number and none.
fn sum_and_count(point: &Point) -> (f64, u64) {
    match &point.value {
        Value::Int(value) => (*value as f64, 0),
        Value::Explicit { counts, sum, .. } => (*sum, counts.iter().sum()),
        other => panic!("{other:?}"),
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
            let (tokens, _) = latest.total("brightstaff_llm_tokens_total", &[("kind", kind)]);
            let view = |name| latest.total(&format!("gen_ai.client.inference.{name}"), &[]);
            prop_assert_eq!(view(usage).0, tokens, "{}", usage);
            prop_assert_eq!(view(of_calls).0, tokens, "{}", of_calls);
        }
        for (usage, kind) in [
            ("cache_read.input_tokens", "cache_read"),
            ("cache_write.input_tokens", "cache_write"),
            ("reasoning.output_tokens", "reasoning"),
        ] {
            let (tokens, _) = latest.total("brightstaff_llm_token_details_total", &[("kind", kind)]);
            let view = latest.total(&format!("gen_ai.client.inference.usage.{usage}"), &[]);
            prop_assert_eq!(view.0, tokens, "{}", usage);
        }
        let (seconds, count) = latest.total(OWN_DURATION, &[]);
        prop_assert_eq!(count, calls.len() as u64);
        for name in ["client.operation.duration", "server.request.duration"] {
            let view = latest.total(&format!("gen_ai.{name}"), &[]);
            prop_assert!((view.0 - seconds).abs() < 1e-6 && view.1 == count, "{}", name);
        }
        let of_calls = latest.total("gen_ai.client.inference.operation.input_tokens", &[]);
        prop_assert_eq!(of_calls.1, count);
        let well = latest.total(OWN_DURATION, &[("outcome", "ok")]);
        let view = latest.total_where(DURATION, |point| {
            !point.attributes.contains_key("error.type")
        });
        prop_assert_eq!(view.1, well.1);
        let first_byte = latest.total("brightstaff_llm_time_to_first_byte_seconds", &[]);
        prop_assert_eq!(latest.total("gen_ai.client.operation.time_to_first_chunk", &[]).1, first_byte.1);
        let each_token = latest.total("brightstaff_llm_time_per_output_token_seconds", &[]);
        prop_assert_eq!(latest.total("gen_ai.server.time_per_output_token", &[]).1, each_token.1);
        let old = Told::of(&gateway, GenAi::V1_41);
        let (tokens, _) = old.total("brightstaff_llm_tokens_total", &[]);
        prop_assert_eq!(old.total("gen_ai.client.token.usage", &[]).0, tokens);
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
    // Nobody declared a pair, and none answered: the calls are folded, but their providers were not named.
    let others = [("gen_ai.provider.name", "other")];
    assert_eq!(told.total(DURATION, &others).1, 3);
    assert_eq!(told.total(DURATION, &[]).1, 3);

    let pairs = ["gemini", "google-gemini", "Gemini"].map(|provider| (provider, "g"));
    let gateway = Gateway::with(true, pairs);
    for (provider, model) in pairs {
        gateway.wait(1.0);
        let call = gateway.metrics.upstream(provider, model).start();
        call.fail(ErrorClass::Connect);
    }
    let told = Told::of(&gateway, GenAi::Latest);
    let view: Vec<_> = told.view().collect();
    assert_eq!(view.len(), 9, "one of each metric");
    for point in view {
        assert_eq!(point.attributes["gen_ai.provider.name"], "gcp.gemini");
        // The first began then.
        assert_eq!(point.start, crate::EPOCH + 1_000_000_000);
        let (sum, count) = sum_and_count(point);
        assert!(count == 3 || sum == 0.0, "{point:?}");
    }
}

#[test]
fn nothing_is_told_where_the_view_is_off() {
    let gateway = Gateway::with(false, []);
    gateway.start("p/m").fail(ErrorClass::Connect);
    assert_eq!(Told::of(&gateway, GenAi::Latest).view().count(), 0);
    let gateway = Gateway::new();
    gateway.start("p/m").fail(ErrorClass::Connect);
    assert_eq!(Told::of(&gateway, GenAi::Off).view().count(), 0);
    // And none of it is scraped.
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
        let (_, count) = told.total_where(DURATION, |point| {
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
                told[0].total("gen_ai.client.operation.duration", &[]),
                told[0].total("gen_ai.client.inference.usage.output_tokens", &[]),
                told[1].total("gen_ai.client.token.usage", &[]),
            ];
            for (before, now) in before.iter().zip(&now) {
                assert!(before.0 <= now.0 && before.1 <= now.1, "{before:?} {now:?}");
            }
            before = now;
        }
        stop.store(true, Ordering::Relaxed);
    });
    let told = Told::of(&gateway, GenAi::Latest);
    let (_, count) = told.total("gen_ai.client.operation.duration", &[]);
    assert_eq!(count, ended.load(Ordering::Relaxed));
}
