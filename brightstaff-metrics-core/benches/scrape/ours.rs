//! The series of this crate.

use std::{cell::RefCell, hint::black_box, time::Duration};

use brightstaff_metrics_core::{
    Clock, Metrics,
    exposition::{Exposition, Format},
    labels::{ErrorClass, Fallback, RouteKind},
    meter::Usage,
    otlp::{Encoder, Resource},
};
use prometheus::{Encoder as _, Registry, TextEncoder};

use crate::{
    Scrape,
    peers::{count_of, model},
};

pub(crate) fn counters(children: usize) -> Scrape {
    write(with_counters(Registry::new(), children), Format::Text)
}

pub(crate) fn counters_open(children: usize) -> Scrape {
    write(
        with_counters(Registry::new(), children),
        Format::OpenMetrics,
    )
}

pub(crate) fn histograms(children: usize) -> Scrape {
    write(with_histograms(children), Format::Text)
}

pub(crate) fn histograms_open(children: usize) -> Scrape {
    write(with_histograms(children), Format::OpenMetrics)
}

pub(crate) fn counters_pushed(children: usize) -> Scrape {
    push(with_counters(Registry::new(), children))
}

pub(crate) fn histograms_pushed(children: usize) -> Scrape {
    push(with_histograms(children))
}

pub(crate) fn labelled(children: usize) -> Scrape {
    write(with_counters(cluster(), children), Format::Text)
}

pub(crate) fn labelled_by_the_library(children: usize) -> Scrape {
    let (registry, metrics) = with_counters(cluster(), children);
    Box::new(move |text| {
        let _ = &metrics;
        let encoder = TextEncoder::new();
        encoder.encode(&registry.gather(), text).unwrap();
    })
}

fn cluster() -> Registry {
    let labels = [("cluster".to_owned(), "eu-1".to_owned())];
    Registry::new_custom(None, Some(labels.into())).unwrap()
}

fn write((registry, metrics): (Registry, Metrics), format: Format) -> Scrape {
    Box::new(move |text| {
        let _ = &metrics;
        Exposition::of(&registry).write(format, text).unwrap();
    })
}

/// Makes its body in memory of its own, that of the one before, so that what there is for text stays empty.
fn push((registry, metrics): (Registry, Metrics)) -> Scrape {
    let resource = Resource::new([("service.name", "gateway")]);
    let encoder = RefCell::new(Encoder::new(resource));
    Box::new(move |_| {
        let _ = &metrics;
        let mut encoder = encoder.borrow_mut();
        let export = encoder.encode(&registry);
        encoder.acknowledge(black_box(export));
    })
}

/// As many counters of one family; of all others a few.
fn with_counters(registry: Registry, children: usize) -> (Registry, Metrics) {
    let models = children.div_ceil(6);
    let builder = Metrics::builder().process(false).selected_model_cap(models);
    let metrics = builder.register(&registry).unwrap();
    for child in 0..children {
        let route = [RouteKind::Agent, RouteKind::Routing, RouteKind::Llm][child % 3];
        let fallback = [Fallback::No, Fallback::Yes][child % 2];
        for _ in 0..count_of(child) {
            let routing = metrics.routing();
            routing.decision(route, &model(child / 6), fallback, Duration::ZERO);
        }
    }
    (registry, metrics)
}

/// As many histograms, seven of them with the counters of a pair of provider and model.
fn with_histograms(children: usize) -> (Registry, Metrics) {
    let clock = Clock::manual();
    let pairs = children.div_ceil(7);
    let names: Vec<_> = (0..pairs).map(|pair| ("openai", model(pair))).collect();
    let builder = Metrics::builder().process(false).clock(clock.clone());
    let registry = Registry::new();
    let builder = builder.upstreams(names.iter().cloned());
    let metrics = builder.register(&registry).unwrap();
    for (at, (provider, model)) in names.iter().enumerate() {
        let upstream = metrics.upstream(provider, model);
        for call in 0..count_of(at) {
            let mut open = upstream.start();
            if call % 8 == 7 {
                open.fail(ErrorClass::Timeout);
                continue;
            }
            open.response(200);
            clock.advance(Duration::from_millis(call * 37));
            open.first_token();
            clock.advance(Duration::from_millis(call * 123));
            open.usage(Usage::new(call * 100, call * 10));
            open.finish();
        }
    }
    (registry, metrics)
}
