//! The same series of other libraries. Each has its own way to make them, and to write them to memory that is there.

use crate::Scrape;

/// Counters have these labels, in this order.
const LABELS: [&str; 3] = ["fallback", "route", "selected_model"];
const COUNTER: &str = "brightstaff_router_decisions_total";
const HISTOGRAM: &str = "brightstaff_llm_time_to_first_token_seconds";
const HELP: &str = "What a family is about, in one sentence as long as this one.";

/// Upper bounds of the buckets, in seconds.
const BOUNDS: [f64; 13] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];

/// What a child counted.
pub(crate) fn count_of(child: usize) -> u64 {
    1 + child as u64 * 7 % 150
}

/// A name of a model.
pub(crate) fn model(number: usize) -> String {
    format!("llama-3.1-{number:05}b-instruct")
}

/// The labels of a counter.
fn counter(child: usize) -> [String; 3] {
    let fallback = ["false", "true"][child % 2];
    let route = ["agent", "routing", "llm"][child % 3];
    [fallback.to_owned(), route.to_owned(), model(child / 6)]
}

/// The samples of a histogram, in seconds.
fn samples(child: usize) -> impl Iterator<Item = f64> {
    (0..count_of(child)).map(|sample| sample as f64 * 0.037)
}

/// Text that a library writes as a `String`, which it may have back.
fn text(write: impl Fn(&mut String) + 'static) -> Scrape {
    Box::new(move |out| {
        let mut text = String::from_utf8(std::mem::take(out)).unwrap();
        write(&mut text);
        *out = text.into_bytes();
    })
}

pub(crate) mod prometheus {
    use prometheus::{Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

    use super::{BOUNDS, COUNTER, HELP, HISTOGRAM, LABELS, count_of, counter, model, samples};
    use crate::Scrape;

    pub(crate) fn counters(children: usize) -> Scrape {
        let counters = IntCounterVec::new(Opts::new(COUNTER, HELP), &LABELS).unwrap();
        for child in 0..children {
            counters
                .with_label_values(&counter(child))
                .inc_by(count_of(child));
        }
        encode(Box::new(counters))
    }

    pub(crate) fn histograms(children: usize) -> Scrape {
        let opts = HistogramOpts::new(HISTOGRAM, HELP).buckets(BOUNDS.to_vec());
        let histograms = HistogramVec::new(opts, &["model", "provider"]).unwrap();
        for child in 0..children {
            let histogram = histograms.with_label_values(&[&*model(child), "openai"]);
            samples(child).for_each(|sample| histogram.observe(sample));
        }
        encode(Box::new(histograms))
    }

    fn encode(collector: Box<dyn prometheus::core::Collector>) -> Scrape {
        let registry = Registry::new();
        registry.register(collector).unwrap();
        Box::new(move |text| {
            let encoder = prometheus::TextEncoder::new();
            encoder.encode(&registry.gather(), text).unwrap();
        })
    }
}

pub(crate) mod prometheus_client {
    use prometheus_client::{
        encoding::text::encode,
        metrics::{counter::Counter, family::Family, histogram::Histogram},
        registry::Registry,
    };

    use super::{
        BOUNDS, COUNTER, HELP, HISTOGRAM, LABELS, count_of, counter, model, samples, text,
    };
    use crate::Scrape;

    type Labels = Vec<(&'static str, String)>;

    pub(crate) fn counters(children: usize) -> Scrape {
        let counters = Family::<Labels, Counter>::default();
        for child in 0..children {
            let labels = LABELS.into_iter().zip(counter(child)).collect();
            counters.get_or_create(&labels).inc_by(count_of(child));
        }
        let mut registry = Registry::default();
        registry.register(COUNTER.trim_end_matches("_total"), HELP, counters);
        text(move |out| encode(out, &registry).unwrap())
    }

    pub(crate) fn histograms(children: usize) -> Scrape {
        let make: fn() -> Histogram = || Histogram::new(BOUNDS);
        let histograms = Family::<Labels, Histogram>::new_with_constructor(make);
        for child in 0..children {
            let labels = vec![("model", model(child)), ("provider", "openai".to_owned())];
            let histogram = histograms.get_or_create(&labels);
            samples(child).for_each(|sample| histogram.observe(sample));
        }
        let mut registry = Registry::default();
        registry.register(HISTOGRAM, HELP, histograms);
        text(move |out| encode(out, &registry).unwrap())
    }
}

pub(crate) mod measured {
    use std::cell::RefCell;

    use measured::{
        CounterVec, HistogramVec, LabelGroup, MetricGroup, metric::histogram::Thresholds,
        text::BufferedTextEncoder,
    };
    use paracord::ParaCord;

    use super::{BOUNDS, count_of, counter, model, samples};
    use crate::Scrape;

    #[derive(Clone, Copy, LabelGroup)]
    #[label(set = CounterSet)]
    struct CounterLabels<'a> {
        #[label(dynamic_with = ParaCord)]
        fallback: &'a str,
        #[label(dynamic_with = ParaCord)]
        route: &'a str,
        #[label(dynamic_with = ParaCord)]
        selected_model: &'a str,
    }

    #[derive(MetricGroup)]
    struct Counters {
        /// What a family is about, in one sentence as long as this one.
        brightstaff_router_decisions_total: CounterVec<CounterSet>,
    }

    pub(crate) fn counters(children: usize) -> Scrape {
        let counters = CounterVec::with_label_set(CounterSet {
            fallback: ParaCord::default(),
            route: ParaCord::default(),
            selected_model: ParaCord::default(),
        });
        for child in 0..children {
            let [fallback, route, selected_model] = &counter(child);
            let labels = CounterLabels {
                fallback,
                route,
                selected_model,
            };
            counters.inc_by(labels, count_of(child));
        }
        encode(Counters {
            brightstaff_router_decisions_total: counters,
        })
    }

    #[derive(Clone, Copy, LabelGroup)]
    #[label(set = HistogramSet)]
    struct HistogramLabels<'a> {
        #[label(dynamic_with = ParaCord)]
        model: &'a str,
        #[label(dynamic_with = ParaCord)]
        provider: &'a str,
    }

    #[derive(MetricGroup)]
    struct Histograms {
        /// What a family is about, in one sentence as long as this one.
        brightstaff_llm_time_to_first_token_seconds: HistogramVec<HistogramSet, 13>,
    }

    pub(crate) fn histograms(children: usize) -> Scrape {
        let set = HistogramSet {
            model: ParaCord::default(),
            provider: ParaCord::default(),
        };
        let bounds = Thresholds::with_buckets(BOUNDS);
        let histograms = HistogramVec::with_label_set_and_metadata(set, bounds);
        for child in 0..children {
            let labels = HistogramLabels {
                model: &model(child),
                provider: "openai",
            };
            samples(child).for_each(|sample| histograms.observe(labels, sample));
        }
        encode(Histograms {
            brightstaff_llm_time_to_first_token_seconds: histograms,
        })
    }

    /// Its encoder has a buffer of its own.
    fn encode(group: impl MetricGroup<BufferedTextEncoder> + 'static) -> Scrape {
        let encoder = RefCell::new(BufferedTextEncoder::new());
        Box::new(move |out| {
            let mut encoder = encoder.borrow_mut();
            let Ok(()) = group.collect_group_into(&mut *encoder);
            out.extend_from_slice(&encoder.finish());
        })
    }
}

pub(crate) mod fastmetrics {
    use fastmetrics::{
        encoder::{EncodeLabelSet, LabelSetEncoder},
        error::Result,
        format::text::{TextProfile, encode},
        metrics::{counter::Counter, family::Family, histogram::Histogram},
        raw::LabelSetSchema,
        registry::Registry,
    };

    use super::{
        BOUNDS, COUNTER, HELP, HISTOGRAM, LABELS, count_of, counter, model, samples, text,
    };
    use crate::Scrape;

    #[derive(Clone, PartialEq, Eq, Hash)]
    struct CounterLabels([String; 3]);

    impl LabelSetSchema for CounterLabels {
        fn names() -> Option<&'static [&'static str]> {
            Some(&LABELS)
        }
    }

    impl EncodeLabelSet for CounterLabels {
        fn encode(&self, encoder: &mut dyn LabelSetEncoder) -> Result<()> {
            let mut labels = LABELS.into_iter().zip(&self.0);
            labels.try_for_each(|(name, value)| encoder.encode(&(name, &**value)))
        }
    }

    pub(crate) fn counters(children: usize) -> Scrape {
        let counters = Family::<CounterLabels, Counter>::default();
        for child in 0..children {
            let labels = CounterLabels(counter(child));
            counters.with_or_new(&labels, |counter| counter.inc_by(count_of(child)));
        }
        let mut registry = Registry::default();
        let name = COUNTER.trim_end_matches("_total");
        registry.register(name, HELP, counters).unwrap();
        write(registry)
    }

    #[derive(Clone, PartialEq, Eq, Hash)]
    struct HistogramLabels(String);

    impl LabelSetSchema for HistogramLabels {
        fn names() -> Option<&'static [&'static str]> {
            Some(&["model", "provider"])
        }
    }

    impl EncodeLabelSet for HistogramLabels {
        fn encode(&self, encoder: &mut dyn LabelSetEncoder) -> Result<()> {
            encoder.encode(&("model", &*self.0))?;
            encoder.encode(&("provider", "openai"))
        }
    }

    pub(crate) fn histograms(children: usize) -> Scrape {
        let histograms = Family::<HistogramLabels, Histogram>::new(|| Histogram::new(BOUNDS));
        for child in 0..children {
            histograms.with_or_new(&HistogramLabels(model(child)), |histogram| {
                samples(child).for_each(|sample| histogram.observe(sample));
            });
        }
        let mut registry = Registry::default();
        registry.register(HISTOGRAM, HELP, histograms).unwrap();
        write(registry)
    }

    fn write(registry: Registry) -> Scrape {
        text(move |out| encode(out, &registry, TextProfile::PrometheusV0_0_4).unwrap())
    }
}

pub(crate) mod metrics {
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

    use super::{BOUNDS, COUNTER, HELP, HISTOGRAM, LABELS, count_of, counter, model, samples};
    use crate::Scrape;

    pub(crate) fn counters(children: usize) -> Scrape {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::describe_counter!(COUNTER, HELP);
            for child in 0..children {
                let labels: Vec<_> = LABELS.into_iter().zip(counter(child)).collect();
                metrics::counter!(COUNTER, &labels).increment(count_of(child));
            }
        });
        render(&recorder)
    }

    pub(crate) fn histograms(children: usize) -> Scrape {
        let matcher = Matcher::Full(HISTOGRAM.to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(matcher, &BOUNDS);
        let recorder = builder.unwrap().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::describe_histogram!(HISTOGRAM, HELP);
            for child in 0..children {
                let labels = [("model", model(child)), ("provider", "openai".to_owned())];
                let histogram = metrics::histogram!(HISTOGRAM, &labels);
                samples(child).for_each(|sample| histogram.record(sample));
            }
        });
        render(&recorder)
    }

    fn render(recorder: &PrometheusRecorder) -> Scrape {
        let handle = recorder.handle();
        Box::new(move |text| handle.render_to_write(text).unwrap())
    }
}
