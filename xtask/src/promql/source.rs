//! Where an expression reads from: the scraped series, or what the recording rules made of them.

use brightstaff_metrics_core::catalogue;

use super::{COVERED, Expr, INSTANCE, JOB, LE, MODEL, Metric, PROVIDER, Value, ratio};

/// Where an expression reads from, and what narrows it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A dashboard on the scraped series, narrowed by its variables.
    Scraped,
    /// The same, over all the time that is shown.
    Range,
    /// A dashboard on the recorded series, narrowed by its variables.
    Fleet,
    /// A rule on the scraped series, over this window, kept apart by job.
    Window(&'static str),
    /// A rule on the recorded series, kept apart by job.
    Recorded,
    /// A rule on all values of the recorded series within this window, added up: of use in shares.
    /// It costs the same whatever the number of replicas, and a series that was not there is 0.
    Since(&'static str),
}

/// What the recording rules call the sum of a family's rates over five minutes, or of its gauges.
pub(crate) fn recorded(metric: Metric, suffix: &str, gauge: bool) -> String {
    let operation = if gauge { "sum" } else { "rate5m" };
    format!("{JOB}:{}{suffix}:{operation}", metric.name())
}

impl Source {
    /// How fast a counter rises, each second.
    pub(crate) fn rate(self, metric: impl Into<Metric>) -> Selected {
        let metric = metric.into();
        assert!(!metric.histogram(), "{metric:?} has no plain series");
        Selected::new(self, metric, "", false)
    }

    /// How many samples of a histogram there are, each second.
    pub(crate) fn count(self, metric: impl Into<Metric>) -> Selected {
        Selected::histogram(self, metric.into(), "_count")
    }

    /// How fast the sum of the samples of a histogram rises, each second.
    pub(crate) fn sum(self, metric: impl Into<Metric>) -> Selected {
        Selected::histogram(self, metric.into(), "_sum")
    }

    /// How fast the buckets of a histogram fill.
    pub(crate) fn buckets(self, metric: impl Into<Metric>) -> Selected {
        Selected::histogram(self, metric.into(), "_bucket")
    }

    /// How fast a histogram fills, in one series: where Prometheus has it as a native one, and else nothing.
    pub(crate) fn native(self, metric: impl Into<Metric>) -> Selected {
        Selected::histogram(self, metric.into(), "")
    }

    /// A gauge.
    pub(crate) fn gauge(self, metric: impl Into<Metric>) -> Selected {
        Selected::new(self, metric.into(), "", true)
    }

    /// The label that tells processes apart, as far as this source does.
    pub(crate) fn process(self) -> &'static str {
        match self {
            Self::Scraped | Self::Range => INSTANCE,
            _ => JOB,
        }
    }

    fn is_rule(self) -> bool {
        matches!(self, Self::Window(_) | Self::Recorded | Self::Since(_))
    }

    fn window(self) -> &'static str {
        match self {
            Self::Window(window) => window,
            Self::Range => "$__range",
            _ => "$__rate_interval",
        }
    }
}

/// Series of one family, to be added up.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Selected {
    source: Source,
    metric: Metric,
    suffix: &'static str,
    gauge: bool,
    matchers: Vec<String>,
}

impl Selected {
    fn new(source: Source, metric: Metric, suffix: &'static str, gauge: bool) -> Self {
        let mut matchers = Vec::new();
        if let Metric::Ours(_) = metric {
            match source {
                Source::Scraped | Source::Range => {
                    matchers.push(format!("{JOB}=~\"$job\""));
                    matchers.push(format!("{INSTANCE}=~\"$instance\""));
                }
                Source::Fleet => matchers.push(format!("{JOB}=~\"$job\"")),
                Source::Window(_) | Source::Recorded | Source::Since(_) => {}
            }
            if !source.is_rule() && metric.has(PROVIDER) {
                matchers.push(format!("{PROVIDER}=~\"$provider\""));
            }
            if !source.is_rule() && metric.has(MODEL) {
                matchers.push(format!("{MODEL}=~\"$model\""));
            }
        }
        Self {
            source,
            metric,
            suffix,
            gauge,
            matchers,
        }
    }

    fn histogram(source: Source, metric: Metric, suffix: &'static str) -> Self {
        assert!(metric.histogram(), "{metric:?} is no histogram");
        Self::new(source, metric, suffix, false)
    }

    /// Only the series with this value.
    pub(crate) fn is(self, value: impl Into<Value>) -> Self {
        self.matching("=", &[value.into()])
    }

    /// Only the series with any other value.
    pub(crate) fn without(self, value: impl Into<Value>) -> Self {
        self.matching("!=", &[value.into()])
    }

    /// Only the series with one of these values.
    pub(crate) fn any_of<V: Into<Value>, const N: usize>(self, values: [V; N]) -> Self {
        self.matching("=~", &values.map(Into::into))
    }

    /// Only the series with none of these values.
    pub(crate) fn none_of<V: Into<Value>, const N: usize>(self, values: [V; N]) -> Self {
        self.matching("!~", &values.map(Into::into))
    }

    fn matching(mut self, operator: &str, values: &[Value]) -> Self {
        let label = values[0].label;
        self.expect_label(label);
        let values: Vec<_> = values.iter().map(|value| value.value).collect();
        let values = values.join("|");
        self.matchers.push(format!("{label}{operator}\"{values}\""));
        self
    }

    /// Adds up the series that agree in these labels. Rules keep jobs apart, too.
    pub(crate) fn by<const N: usize>(self, labels: [&'static str; N]) -> Expr {
        let mut kept = Vec::new();
        if self.source.is_rule() && !labels.contains(&JOB) {
            kept.push(JOB);
        }
        for label in labels {
            if label != self.source.process() {
                self.expect_label(label);
            }
            kept.push(label);
        }
        Expr::sum(&self.series(), kept)
    }

    /// Adds up the series that agree in all labels of the family: only what the scrape added goes.
    pub(crate) fn by_all(self) -> Expr {
        let mut kept = vec![JOB];
        if self.suffix == "_bucket" {
            kept.push(LE);
        }
        kept.extend(self.metric.labels());
        Expr::sum(&self.series(), kept)
    }

    /// The quantile of a histogram's samples, over the series that agree in these labels. Absent,
    /// and not NaN, where there were no samples.
    pub(crate) fn quantile<const N: usize>(self, q: f64, labels: [&'static str; N]) -> Expr {
        let (buckets, kept) = self.by_bucket(labels);
        Expr::quantile(q, &buckets, kept)
    }

    /// How fast each bucket fills, over all series.
    pub(crate) fn by_bound(self) -> Expr {
        self.by_bucket([]).0
    }

    /// The quantile where it was measured, which it is between the first and the last of the default bounds.
    pub(crate) fn measured<const N: usize>(self, q: f64, labels: [&'static str; N]) -> Expr {
        let bounds = self.metric.bounds();
        let (buckets, kept) = self.by_bucket(labels);
        Expr::measured(q, &buckets, kept, bounds)
    }

    /// The mean of a histogram's samples; absent where there were none.
    pub(crate) fn mean<const N: usize>(self, labels: [&'static str; N]) -> Expr {
        assert_eq!(self.suffix, "_bucket", "means are asked of buckets");
        let suffixed = |suffix| Self {
            suffix,
            ..self.clone()
        };
        ratio(&suffixed("_sum").by(labels), &suffixed("_count").by(labels))
    }

    fn by_bucket<const N: usize>(self, labels: [&'static str; N]) -> (Expr, Vec<&'static str>) {
        assert_eq!(self.suffix, "_bucket", "quantiles are of buckets");
        let series = self.series();
        let kept = self.by(labels).labels().to_vec();
        let buckets = [&[LE], &kept[..]].concat();
        (Expr::sum(&series, buckets), kept)
    }

    /// The series before they are added up.
    fn series(&self) -> String {
        let metric = self.metric;
        let name = metric.name();
        if let Metric::Ours(_) = metric {
            let name = recorded(metric, self.suffix, self.gauge);
            let series = format!("{name}{}", braces(&self.matchers));
            match self.source {
                // Of a share, a mean or a quantile it would cancel out; a rate by itself is right from its start.
                Source::Fleet if !self.gauge && self.suffix != "_bucket" => {
                    return format!(
                        "{series} / on ({JOB}) group_left () {COVERED}{{{JOB}=~\"$job\"}}"
                    );
                }
                Source::Fleet | Source::Recorded => return series,
                Source::Since(window) => return format!("sum_over_time({series}[{window}])"),
                Source::Scraped | Source::Range | Source::Window(_) => {}
            }
        }
        let series = format!("{name}{}{}", self.suffix, braces(&self.matchers));
        let series = if self.gauge {
            series
        } else {
            format!("rate({series}[{}])", self.source.window())
        };
        if !metric.shared() {
            return series;
        }
        let build_info = catalogue::BUILD_INFO.name;
        format!(
            "{series} and on ({JOB}, {INSTANCE}) {build_info}{}",
            braces(&self.matchers)
        )
    }

    fn expect_label(&self, label: &str) {
        assert!(
            self.metric.has(label),
            "{} has no label {label}",
            self.metric.name()
        );
    }
}

fn braces(matchers: &[String]) -> String {
    if matchers.is_empty() {
        return String::new();
    }
    format!("{{{}}}", matchers.join(","))
}
