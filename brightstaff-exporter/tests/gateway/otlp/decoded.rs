//! What was pushed, read by another library than wrote it: `opentelemetry/proto/metrics/v1/metrics.proto`, as far as
//! sums and gauges go.

use prost::Message;

use crate::support::Exchange;

#[derive(Message)]
pub(super) struct Pushed {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<ResourceMetrics>,
}

#[derive(Message)]
struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeMetrics>,
}

#[derive(Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct ScopeMetrics {
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
}

#[derive(Message)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "5")]
    gauge: Option<Numbers>,
    #[prost(message, optional, tag = "7")]
    sum: Option<Numbers>,
}

#[derive(Message)]
struct Numbers {
    #[prost(message, repeated, tag = "1")]
    points: Vec<Point>,
}

#[derive(Message)]
struct Point {
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
    #[prost(oneof = "Value", tags = "4, 6")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Value {
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(sfixed64, tag = "6")]
    Int(i64),
}

#[derive(Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Message)]
struct AnyValue {
    #[prost(string, tag = "1")]
    text: String,
}

impl KeyValue {
    fn text(&self) -> &str {
        self.value.as_ref().map_or("", |value| value.text.as_str())
    }
}

impl Pushed {
    pub(super) fn of(exchange: &Exchange) -> Self {
        Self::decode(exchange.body.clone()).unwrap()
    }

    /// The sum of the points of this metric that have all of these attributes; `None` without one.
    pub(super) fn sum(&self, name: &str, attributes: &[(&str, &str)]) -> Option<f64> {
        let scopes = self.resources.iter().flat_map(|resource| &resource.scopes);
        let metrics = scopes.flat_map(|scope| &scope.metrics);
        let metrics = metrics.filter(|metric| metric.name == name);
        let points = metrics.flat_map(|metric| {
            let numbers = metric.sum.as_ref().or(metric.gauge.as_ref());
            &numbers.unwrap().points
        });
        let points = points.filter(|point| {
            attributes.iter().all(|(key, value)| {
                let mut attributes = point.attributes.iter();
                attributes.any(|one| one.key == *key && one.text() == *value)
            })
        });
        let values = points.map(|point| match point.value {
            Some(Value::Double(value)) => value,
            #[expect(clippy::cast_precision_loss)]
            Some(Value::Int(value)) => value as f64,
            None => panic!("a point without a value"),
        });
        let values: Vec<_> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// An attribute of the resource.
    pub(super) fn resource(&self, key: &str) -> Option<&str> {
        let resources = self.resources.iter();
        let mut attributes =
            resources.flat_map(|resource| &resource.resource.as_ref().unwrap().attributes);
        let found = attributes.find(|one| one.key == key);
        found.map(KeyValue::text)
    }
}
