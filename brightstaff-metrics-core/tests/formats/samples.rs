//! What an exposition says, whatever its format.

use std::{collections::BTreeMap, fmt};

use crate::model::{self, Metric, MetricFamily, MetricType};

/// What an exposition says.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    pub samples: BTreeMap<Series, Value>,
    pub exemplars: BTreeMap<Series, Exemplar>,
    /// The help and the type of each family, by its name.
    pub families: BTreeMap<String, (String, String)>,
}

/// The name of a sample, its labels sorted by name, and its timestamp in milliseconds, if it has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub timestamp_ms: Option<i64>,
}

/// A number that is itself, even where it is none.
#[derive(Clone, Copy, PartialEq)]
pub struct Value(u64);

#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    pub labels: Vec<(String, String)>,
    pub value: Value,
    /// In milliseconds.
    pub timestamp: Option<i64>,
}

impl Value {
    pub fn new(value: f64) -> Self {
        let value = if value.is_nan() { f64::NAN } else { value };
        Self(value.to_bits())
    }

    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl Told {
    pub fn add(&mut self, series: Series, value: f64, exemplar: Option<Exemplar>) {
        let is_new = !self.samples.contains_key(&series);
        assert!(is_new, "{series:?} stands twice");
        if let Some(exemplar) = exemplar {
            self.exemplars.insert(series.clone(), exemplar);
        }
        self.samples.insert(series, Value::new(value));
    }

    fn family(&mut self, name: &str) -> &mut (String, String) {
        self.families.entry(name.to_owned()).or_default()
    }

    /// Of a text in either of the two formats. Times are in milliseconds, or in seconds, as the format has them.
    pub fn of_text(text: &str, open: bool) -> Self {
        let mut told = Self::default();
        for line in text.split_terminator('\n') {
            let mut words = line.splitn(4, ' ');
            match [words.next(), words.next(), words.next(), words.next()] {
                [Some("#"), Some("HELP"), Some(name), help] => {
                    let help = unescaped(help.unwrap_or_default(), open);
                    told.family(name).0 = help;
                }
                [Some("#"), Some("TYPE"), Some(name), Some(kind)] => {
                    let about = told.family(name);
                    assert!(about.1.is_empty(), "{name} stands twice");
                    kind.clone_into(&mut about.1);
                }
                [Some("#"), ..] => {}
                _ => told.line(line, open),
            }
        }
        told
    }

    fn line(&mut self, line: &str, open: bool) {
        let millis = |time: &str| {
            let time: f64 = time.parse().unwrap();
            #[expect(clippy::cast_possible_truncation)]
            let millis = if open { time * 1000.0 } else { time }.round() as i64;
            millis
        };
        let (name, mut rest) = line.split_at(line.find(['{', ' ']).unwrap());
        let mut labels = label_set(&mut rest);
        labels.sort();
        let mut words = rest.split_ascii_whitespace();
        let value = words.next().unwrap().parse().unwrap();
        let mut next = words.next();
        let timestamp_ms = match next {
            Some(time) if time != "#" => {
                next = words.next();
                Some(millis(time))
            }
            _ => None,
        };
        let exemplar = next.map(|hash| {
            assert_eq!((hash, open), ("#", true), "{line}");
            let (_, mut rest) = rest.split_once("# ").unwrap();
            let labels = label_set(&mut rest);
            let mut words = rest.split_ascii_whitespace();
            Exemplar {
                labels,
                value: Value::new(words.next().unwrap().parse().unwrap()),
                timestamp: words.next().map(millis),
            }
        });
        let series = Series {
            name: name.to_owned(),
            labels: labels.into_iter().map(normal).collect(),
            timestamp_ms,
        };
        self.add(series, value, exemplar);
    }

    /// Of messages: as Prometheus makes series of them.
    pub fn of_protobuf(stream: &[u8]) -> Self {
        let mut told = Self::default();
        for family in model::decode(stream) {
            let about = (family.help().to_owned(), type_of(&family).to_owned());
            let before = told.families.insert(family.name().to_owned(), about);
            assert!(before.is_none(), "{} stands twice", family.name());
            assert!(!family.metric.is_empty(), "{} is empty", family.name());
            for metric in &family.metric {
                told.metric(family.name(), metric);
            }
        }
        told
    }

    fn metric(&mut self, name: &str, metric: &Metric) {
        let labels = pairs(&metric.label);
        let mut add = |suffix: &str, more: Option<(&str, f64)>, value, exemplar: Option<&_>| {
            let more = more.map(|(name, value)| (name.to_owned(), value.to_string()));
            let mut labels: Vec<_> = labels.iter().cloned().chain(more).collect();
            labels.sort();
            let series = Series {
                name: format!("{name}{suffix}"),
                labels,
                timestamp_ms: metric.timestamp_ms,
            };
            self.add(series, value, exemplar.map(exemplar_of));
        };
        if let Some(counter) = &metric.counter {
            add("", None, counter.value(), counter.exemplar.as_ref());
        }
        if let Some(gauge) = &metric.gauge {
            add("", None, gauge.value(), None);
        }
        if let Some(untyped) = &metric.untyped {
            add("", None, untyped.value(), None);
        }
        if let Some(summary) = &metric.summary {
            for quantile in &summary.quantile {
                add(
                    "",
                    Some(("quantile", quantile.quantile())),
                    quantile.value(),
                    None,
                );
            }
            add("_sum", None, summary.sample_sum(), None);
            add("_count", None, count(summary.sample_count()), None);
        }
        if let Some(histogram) = &metric.histogram {
            let mut infinite = false;
            for bucket in &histogram.bucket {
                infinite |= bucket.upper_bound() == f64::INFINITY;
                let le = Some(("le", bucket.upper_bound()));
                let exemplar = bucket.exemplar.as_ref();
                add("_bucket", le, count(bucket.cumulative_count()), exemplar);
            }
            let all = count(histogram.sample_count());
            if !infinite {
                add("_bucket", Some(("le", f64::INFINITY)), all, None);
            }
            add("_sum", None, histogram.sample_sum(), None);
            add("_count", None, all, None);
        }
    }
}

fn type_of(family: &MetricFamily) -> &'static str {
    match family.r#type() {
        MetricType::Counter => "counter",
        MetricType::Gauge => "gauge",
        MetricType::Summary => "summary",
        MetricType::Untyped => "untyped",
        MetricType::Histogram => "histogram",
        MetricType::GaugeHistogram => "gaugehistogram",
    }
}

fn exemplar_of(exemplar: &model::Exemplar) -> Exemplar {
    Exemplar {
        labels: pairs(&exemplar.label),
        value: Value::new(exemplar.value()),
        timestamp: exemplar
            .timestamp
            .map(|time| time.seconds() * 1000 + i64::from(time.nanos()) / 1_000_000),
    }
}

fn pairs(labels: &[model::LabelPair]) -> Vec<(String, String)> {
    let pair = |pair: &model::LabelPair| (pair.name().to_owned(), pair.value().to_owned());
    labels.iter().map(pair).collect()
}

#[expect(clippy::cast_precision_loss)]
fn count(count: u64) -> f64 {
    count as f64
}

/// Bounds and quantiles are numbers, however they are written.
fn normal((name, value): (String, String)) -> (String, String) {
    let value = match &*name {
        "le" | "quantile" => value
            .parse::<f64>()
            .map_or(value, |value| value.to_string()),
        _ => value,
    };
    (name, value)
}

/// Reads what stands between braces, if there are any, off the front of a text.
fn label_set(text: &mut &str) -> Vec<(String, String)> {
    let mut labels = Vec::new();
    let Some(mut rest) = text.strip_prefix('{') else {
        return labels;
    };
    while !rest.starts_with('}') {
        let (name, quoted) = rest.trim_start_matches(',').split_once("=\"").unwrap();
        let mut escaped = false;
        let closing = |byte| {
            let found = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            found
        };
        let end = quoted.bytes().position(closing).unwrap();
        labels.push((name.to_owned(), unescaped(&quoted[..end], true)));
        rest = &quoted[end + 1..];
    }
    *text = &rest[1..];
    labels
}

fn unescaped(text: &str, quotes: bool) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next().unwrap() {
                'n' => '\n',
                '\\' => '\\',
                '"' if quotes => '"',
                other => panic!("\\{other} in {text}"),
            },
            '"' if quotes => panic!("a bare quote in {text}"),
            _ => character,
        });
    }
    out
}
