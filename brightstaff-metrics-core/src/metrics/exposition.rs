//! What a registry exposes, in the format that a scraper asks for.
//!
//! The series of [`Metrics`] are written from where they are counted, without a copy of any; those of other
//! collectors in the same registry are joined, each family once.

use std::{
    cell::RefCell,
    io::{self, Write},
};

use prometheus::{
    Registry, TextEncoder,
    proto::{MetricFamily, MetricType},
};

use super::Metrics;
use crate::{
    catalogue as c,
    families::ProcessFamily,
    series::{Dialect, TextWriter, header},
};

/// A format of exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus' text format, version 0.0.4: the bytes that the encoder of the `prometheus` crate writes for
    /// the same families.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// The media type of this format.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a registry held at one moment: collected once, to be written.
///
/// ```
/// use brightstaff_metrics_core::{Metrics, exposition::{Exposition, Format}};
///
/// let registry = prometheus::Registry::new();
/// Metrics::builder().register(&registry)?;
/// let mut text = Vec::new();
/// Exposition::of(&registry).write(Format::OpenMetrics, &mut text)?;
/// assert!(text.ends_with(b"# EOF\n"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Exposition {
    ours: Vec<Ours>,
    others: Vec<MetricFamily>,
}

/// What one of our collectors stands for.
#[derive(Clone, Debug)]
pub(super) enum Ours {
    Metrics(Metrics),
    Process(ProcessFamily),
}

thread_local! {
    /// While a registry is gathered for an exposition: which of our collectors it holds.
    static MET: RefCell<Option<Vec<Ours>>> = const { RefCell::new(None) };
}

/// Tells an exposition that is being gathered on this thread of one of our collectors. Whether there is one:
/// then the collector need not collect.
pub(super) fn meet(ours: impl FnOnce() -> Ours) -> bool {
    MET.with_borrow_mut(|met| met.as_mut().map(|met| met.push(ours())).is_some())
}

/// Families that only show what the registry adds to all of them.
const PROBE: &c::Family = &c::BUILD_INFO;

impl Exposition {
    /// Gathers a registry. Collectors that are not ours collect here, and may panic.
    #[must_use]
    pub fn of(registry: &Registry) -> Self {
        // Also where a collector panics, or exposes a registry of its own.
        let outer = Outer(MET.replace(Some(Vec::new())));
        let mut others = registry.gather();
        let mut ours = MET.take().unwrap_or_default();
        drop(outer);
        ours.sort_by_key(Ours::place);
        // A registry may give names a prefix, and series labels: then it has the say over all.
        let probes = others.iter().filter(|family| is_probe(family));
        if probes.count() != ours.iter().filter(|ours| ours.is_metrics()).count() {
            return Self {
                ours: Vec::new(),
                others: registry.gather(),
            };
        }
        others.retain(|family| !is_probe(family));
        Self { ours, others }
    }

    /// Writes everything in this format, in pieces of some 16 KiB.
    ///
    /// In `OpenMetrics` a counter's family is named without `_total`. What another collector calls as one of our
    /// counters is called there (`process_cpu_seconds`) is left out; its own counter beside a family of that name, or
    /// without `_total`, is of unknown type.
    ///
    /// # Errors
    ///
    /// The output failed, or a collector that is not ours gave what no format can say.
    pub fn write(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        let dialect = match format {
            Format::Text => Dialect::Plain,
            Format::OpenMetrics => Dialect::OpenMetrics,
        };
        let mut writer = TextWriter::new(dialect, out);
        for ours in &self.ours {
            match ours {
                Ours::Metrics(metrics) => metrics.walk(&mut writer),
                Ours::Process(family) => family.walk(&mut writer),
            }
        }
        for family in &self.others {
            if dialect == Dialect::Plain || !self.is_taken(family) {
                writer.write_all(self.other(dialect, family)?.as_bytes())?;
            }
        }
        writer.finish()
    }
}

/// A sample without the milliseconds that may stand behind its value: OpenMetrics counts seconds.
fn without_timestamp(line: &str) -> &str {
    let labels_end = line.rfind('}').map_or(0, |end| end + 1);
    let value_start = line[labels_end..]
        .find(' ')
        .map_or(labels_end, |at| labels_end + at + 1);
    match line[value_start..].find(' ') {
        Some(end) => &line[..value_start + end],
        None => line,
    }
}

fn is_probe(family: &MetricFamily) -> bool {
    let metrics = family.get_metric();
    family.name() == PROBE.name
        && metrics
            .iter()
            .all(|metric| metric.get_label().len() == PROBE.labels.len())
}

impl Exposition {
    /// A family that is not ours, by the library's encoder: `OpenMetrics` differs in what stands before its samples.
    fn other(&self, dialect: Dialect, family: &MetricFamily) -> io::Result<String> {
        let text = TextEncoder::new()
            .encode_to_string(std::slice::from_ref(family))
            .map_err(io::Error::other)?;
        if dialect == Dialect::Plain {
            return Ok(text);
        }
        let kind = match family.get_field_type() {
            MetricType::COUNTER if self.has_own_stem(family.name()) => "counter",
            MetricType::GAUGE => "gauge",
            MetricType::HISTOGRAM => "histogram",
            MetricType::SUMMARY => "summary",
            // `OpenMetrics` would not take its samples for a counter's.
            _ => "unknown",
        };
        let mut out = Vec::with_capacity(text.len());
        header(&mut out, dialect, family.name(), family.help(), kind);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        for line in samples {
            out.extend_from_slice(without_timestamp(line).as_bytes());
            out.push(b'\n');
        }
        String::from_utf8(out).map_err(io::Error::other)
    }

    /// Whether the name of a counter without its `_total` is that of no other family.
    fn has_own_stem(&self, counter: &str) -> bool {
        let stem = counter.strip_suffix("_total");
        stem.is_some_and(|stem| !self.others.iter().any(|other| other.name() == stem))
    }

    /// Whether one of our counters has the name of this family in `OpenMetrics`, where a family has to be left out
    /// then: no name may stand twice.
    fn is_taken(&self, family: &MetricFamily) -> bool {
        let mut ours = self.ours.iter().flat_map(Ours::families);
        ours.any(|ours| ours.name.strip_suffix("_total") == Some(family.name()))
    }
}

impl Ours {
    /// The families that it stands for.
    fn families(&self) -> Vec<&'static c::Family> {
        match self {
            Self::Metrics(_) => super::collector::families().collect(),
            Self::Process(process) => vec![process.family],
        }
    }

    const fn is_metrics(&self) -> bool {
        matches!(self, Self::Metrics(_))
    }

    /// Those of the process come behind, in the order of the catalogue: a registry has its own.
    fn place(&self) -> usize {
        match self {
            Self::Metrics(_) => 0,
            Self::Process(process) => {
                let mut all = c::ALL.iter();
                let at = all.position(|family| family.name == process.family.name);
                at.map_or(usize::MAX, |at| at + 1)
            }
        }
    }
}

/// Goes back to the exposition around this one, if there is one.
struct Outer(Option<Vec<Ours>>);

impl Drop for Outer {
    fn drop(&mut self) {
        MET.set(self.0.take());
    }
}
