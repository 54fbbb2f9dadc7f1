//! A collector that is not ours, and families of it.

use std::collections::HashMap;

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::{Counter, LabelPair, Metric, MetricFamily, MetricType},
};

/// Gives what it was given.
#[derive(Clone)]
pub struct Fixed {
    families: Vec<MetricFamily>,
    descs: Vec<Desc>,
}

impl Fixed {
    /// Tells what to unregister.
    pub fn register(families: Vec<MetricFamily>, registry: &Registry) -> Box<dyn Collector> {
        let desc = |family: &MetricFamily| {
            // Not the truth: a registry would refuse a family that it has, and only asks here.
            let (name, help) = (format!("fixed_{}", family.name()), "Fixed.".to_owned());
            Desc::new(name, help, Vec::new(), HashMap::new()).unwrap()
        };
        let descs = families.iter().map(desc).collect();
        let fixed = Box::new(Self { families, descs });
        registry.register(fixed.clone()).unwrap();
        fixed
    }
}

impl Collector for Fixed {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.families.clone()
    }
}

pub fn family(name: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(format!(
        "A {kind:?}, \"quoted\" \\ and\nbroken. # TYPE {name} gauge"
    ));
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

pub fn labelled(labels: &[(&str, &str)]) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}

pub fn counter(mut metric: Metric, value: f64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value);
    metric.set_counter(counter);
    metric
}
