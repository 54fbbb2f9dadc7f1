//! What a registry exposes, in the format that a scraper asks for.
//!
//! The series of [`Metrics`] are written from where they are counted, without a copy of any; those of other
//! collectors in the same registry are joined, each family once.

use std::{
    borrow::Cow,
    cell::RefCell,
    io::{self, Write},
};

use prometheus::{
    Encoder as _, Registry, TextEncoder,
    proto::{MetricFamily, MetricType},
};

use super::Metrics;
use crate::{
    catalogue as c,
    families::{ProcessFamily, Readings},
    series::{Dialect, ProtobufWriter, TextWriter, Visitor, for_library, header},
};
#[cfg(feature = "otlp")]
use crate::{
    clock::nanos,
    families::process_began,
    series::{GenAiOperations, OtlpWriter, Request},
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
    /// Prometheus' protobuf format: messages `io.prometheus.client.MetricFamily`, each behind its length. The one
    /// format that native histograms come in.
    Protobuf,
}

impl Format {
    /// The media type of this format.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
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
        // A registry may give names a prefix, and series labels; and of two collectors it makes one family where they
        // use one name: then it has the say over all.
        let probes = others.iter().filter(|family| is_probe(family)).count();
        let renames = probes != ours.iter().filter(|ours| ours.is_metrics()).count();
        others.retain(|family| !is_probe(family));
        if renames || others.iter().any(|other| is_named_by(&ours, other.name())) {
            return Self {
                ours: Vec::new(),
                others: registry.gather(),
            };
        }
        Self { ours, others }
    }

    /// Writes everything in this format: text in pieces of a kibibyte or some more, which the output may put together;
    /// protobuf family by family, each of which is held until its last child is known.
    ///
    /// In `OpenMetrics` a counter's family is named without `_total`. What another collector calls as one of our
    /// counters is called there (`process_cpu_seconds`) is left out; its own counter beside a family of that name, or
    /// without `_total`, is of unknown type.
    ///
    /// # Errors
    ///
    /// The output failed, or a collector that is not ours gave what no format can say.
    pub fn write(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        match format {
            Format::Text => self.write_text(Dialect::Plain, out),
            Format::OpenMetrics => self.write_text(Dialect::OpenMetrics, out),
            Format::Protobuf => {
                let mut writer = ProtobufWriter::new(out);
                self.walk(&mut writer);
                for family in &self.others {
                    writer.foreign(family);
                }
                writer.finish()
            }
        }
    }

    /// Writes everything as the points of a scope.
    #[cfg(feature = "otlp")]
    pub(super) fn tell(&self, request: &mut Request<'_>) {
        let mut writer = OtlpWriter::new(request);
        self.walk(&mut writer);
        for family in &self.others {
            writer.foreign(family);
        }
    }

    /// When the process was started, in nanoseconds since the Unix epoch, where its readings are told.
    #[cfg(feature = "otlp")]
    pub(super) fn process_began(&self) -> Option<u64> {
        let mut ours = self.ours.iter();
        let is_told = ours.any(|ours| matches!(ours, Ours::Process(_)));
        is_told.then(process_began).flatten().map(nanos)
    }

    fn write_text(&self, dialect: Dialect, out: &mut impl Write) -> io::Result<()> {
        let mut writer = TextWriter::new(dialect, out);
        self.walk(&mut writer);
        for family in &self.others {
            if dialect == Dialect::Plain || !self.is_taken(family) {
                self.write_other(dialect, family, &mut writer)?;
            }
        }
        writer.finish()
    }

    fn walk(&self, visitor: &mut dyn Visitor) {
        let readings = Readings::default();
        for ours in &self.ours {
            match ours {
                Ours::Metrics(metrics) => metrics.walk(visitor),
                Ours::Process(family) => family.walk(&readings, visitor),
            }
        }
    }
}

#[cfg(feature = "otlp")]
impl Exposition {
    /// What the `gen_ai` view tells of our collectors, by provider and model: nothing where the registry has the say over
    /// them, or the view is off.
    pub(super) fn gen_ai(&self) -> impl Iterator<Item = ([&str; 2], &GenAiOperations)> {
        self.ours.iter().flat_map(|ours| {
            let metrics = match ours {
                Ours::Metrics(metrics) => Some(metrics),
                Ours::Process(_) => None,
            };
            metrics.into_iter().flat_map(Metrics::gen_ai)
        })
    }
}

/// A sample whose timestamp, if there is one behind its value, is in seconds, as OpenMetrics counts them.
fn with_seconds(line: &str) -> Cow<'_, str> {
    // Quotes may hold anything, and what follows the labels has none.
    let labels_end = line.rfind('}').map_or(0, |end| end + 1);
    let mut rest = line[labels_end..].splitn(3, ' ');
    let millis = rest.nth(2).and_then(|millis| millis.parse::<i64>().ok());
    let Some(millis) = millis else {
        return line.into();
    };
    let before = line.rfind(' ').map_or(line, |end| &line[..end]);
    let (sign, size) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    format!("{before} {sign}{}.{:03}", size / 1000, size % 1000).into()
}

/// Whether one of these collectors of ours has a family of this name.
fn is_named_by(ours: &[Ours], name: &str) -> bool {
    let mut families = ours.iter().flat_map(Ours::families);
    families.any(|family| family.name == name)
}

fn is_probe(family: &MetricFamily) -> bool {
    // More than one: somebody else has such a family, too.
    let [metric] = family.get_metric() else {
        return false;
    };
    family.name() == PROBE.name && metric.get_label().len() == PROBE.labels.len()
}

impl Exposition {
    /// A family that is not ours, by the library's encoder: `OpenMetrics` differs in what stands before its samples.
    fn write_other(
        &self,
        dialect: Dialect,
        family: &MetricFamily,
        out: &mut TextWriter<'_>,
    ) -> io::Result<()> {
        let kind = family.get_field_type();
        let known = for_library(family);
        let known = std::slice::from_ref(&*known);
        let kind = match (dialect, kind) {
            (Dialect::Plain, MetricType::UNTYPED) => "untyped",
            (Dialect::Plain, _) => {
                return TextEncoder::new()
                    .encode(known, out)
                    .map_err(io::Error::other);
            }
            (_, MetricType::COUNTER) if self.has_own_stem(family.name()) => "counter",
            (_, MetricType::GAUGE) => "gauge",
            (_, MetricType::HISTOGRAM) => "histogram",
            (_, MetricType::SUMMARY) => "summary",
            // `OpenMetrics` would not take its samples for a counter's.
            _ => "unknown",
        };
        let text = TextEncoder::new()
            .encode_to_string(known)
            .map_err(io::Error::other)?;
        let mut head = Vec::new();
        header(&mut head, dialect, family.name(), family.help(), kind);
        out.write_all(&head)?;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let line = match dialect {
                Dialect::Plain => line.into(),
                Dialect::OpenMetrics => with_seconds(line),
            };
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")?;
        }
        Ok(())
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
