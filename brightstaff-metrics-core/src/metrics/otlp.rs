//! What a registry holds, in OpenTelemetry's protocol (OTLP): the bodies of requests that push it.
//!
//! An [`Encoder`] makes the body of an `ExportMetricsServiceRequest`, in protobuf; who sends it, where to and how often is
//! for its user, such as `brightstaff-exporter` with its feature `otlp`. Nothing else comes with it: no SDK, no
//! generated code, no client.
//!
//! ```
//! use brightstaff_metrics_core::{Metrics, otlp::{Encoder, Resource}};
//!
//! let registry = prometheus::Registry::new();
//! Metrics::builder().register(&registry)?;
//! let mut encoder = Encoder::new(Resource::new([
//!     ("service.name", "brightstaff"),
//!     ("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"),
//! ]));
//! // Each minute:
//! let export = encoder.encode(&registry);
//! assert!(export.points() > 0);
//! // POST `export.body()` as `application/x-protobuf`, and once it is accepted:
//! encoder.acknowledge(export);
//! # Ok::<_, brightstaff_metrics_core::RegisterError>(())
//! ```
//!
//! # What is told
//!
//! All that a scrape of the registry would, under the same names: receivers that make series of it have those of a scrape.
//!
//! | here | there |
//! | --- | --- |
//! | counter | `Sum`, monotonic; `as_int`, which receivers that keep integers have exactly past 2^53; of a collector that is not ours, and of CPU time, `as_double` |
//! | gauge, and what is untyped | `Gauge` |
//! | histogram | `Histogram`, or `ExponentialHistogram` ([`HistogramAggregation`]); its sum as a double of the exact one, no minimum and no maximum |
//! | summary | `Summary` |
//! | label | attribute, a string |
//! | help | `description` |
//! | the name's end | `unit`: `s` for `_seconds`, `By` for `_bytes`, else none. Receivers add no second one to the name |
//! | exemplar | `Exemplar` of the histogram's point, with `trace_id` and `span_id` |
//!
//! The scope is `brightstaff`, in this crate's version. Collectors of the same registry that are not ours, `process_*`, and
//! a registry's prefix and labels stand as in an [`Exposition`].
//!
//! Times are nanoseconds since the Unix epoch. A point tells of the moment of [`encode`](Encoder::encode), or of the
//! timestamp that its collector gave it. It starts when its series was made, a pair that came late when it came; what other
//! collectors count starts when the encoder was made, since nobody knows more; CPU time starts with the process.
//!
//! # Deltas
//!
//! Of each series the totals in the last export that was [acknowledged](Encoder::acknowledge) are kept, and the next tells
//! what came since: nothing, where that is 0. Its first point starts when the series began, each other one where the last
//! acknowledged export ended. An export that was lost takes nothing with it: the next tells of both.
//!
//! One doubt remains. Whether a receiver took an export that it did not answer in time, nobody can know: not acknowledged,
//! it is told twice; acknowledged, perhaps never. Cumulative points have no such doubt.
//!
//! Exports are made and sent one at a time: of two that tell of the same interval only one may arrive.
//!
//! # Cost
//!
//! A series takes less than twice what its text takes in a scrape. The attributes of all series are kept, about as long as
//! their labels, from the first export on; so is the memory of a body that was acknowledged. Deltas hold some 200 bytes
//! more a series, and eight for each bucket: 2 KiB for an exponential histogram.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use prometheus::Registry;

use super::exposition::Exposition;
use crate::{
    clock::Clock,
    conventions::Conventions,
    series::{GenAiView, Request, Settings, Totals, resource},
};

/// Since when counters and histograms count what a point says. Gauges say what is now, and summaries all there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Temporality {
    /// Since the series began.
    #[default]
    Cumulative,
    /// Since the last export that was acknowledged. Prometheus drops such points.
    Delta,
    /// The same, but for counters that are read when they are told (`process_*`), which stay cumulative: OpenTelemetry's
    /// `lowmemory`. It saves an SDK what it would have to remember; here it saves nothing.
    LowMemory,
}

/// In which buckets histograms are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HistogramAggregation {
    /// Those that a scrape tells.
    #[default]
    ExplicitBucket,
    /// The powers of the eighth root of 2 (scale 3), where histograms count their samples in such, which they do where
    /// [`Builder::native_histograms`](crate::Builder::native_histograms) is on. All others, those of collectors that are
    /// not ours among them, are told in explicit ones.
    Base2Exponential,
}

/// Which version of OpenTelemetry's conventions for generative AI is told beside the own families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GenAi {
    /// None.
    #[default]
    Off,
    /// The latest that is followed here: that of the repository
    /// [semantic-conventions-genai](https://github.com/open-telemetry/semantic-conventions-genai) once counters and
    /// histograms by modality and operation had taken the place of `gen_ai.client.token.usage`, in September 2026. What its
    /// release 0.1 renamed after that (`gen_ai.client.operation.duration` and the times of chunks, for inference
    /// and embeddings apart) has its old name.
    Latest,
    /// That of version 1.41 of the semantic conventions, the last in which those for generative AI were.
    V1_41,
}

impl GenAi {
    /// Those that are followed.
    fn conventions(self) -> Option<&'static Conventions> {
        match self {
            Self::Off => None,
            Self::Latest => Some(const { &Conventions::LATEST }),
            Self::V1_41 => Some(const { &Conventions::V1_41 }),
        }
    }
}

/// A text that is none of the values of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    given: String,
    known: String,
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, known } = self;
        write!(f, "{given:?} is none of {known}")
    }
}

impl std::error::Error for UnknownValue {}

/// By the values of `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`, in any case.
impl FromStr for Temporality {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let values = [
            ("cumulative", Self::Cumulative),
            ("delta", Self::Delta),
            ("lowmemory", Self::LowMemory),
        ];
        find(&values, text)
    }
}

/// By the values of `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`, in any case.
impl FromStr for HistogramAggregation {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let values = [
            ("explicit_bucket_histogram", Self::ExplicitBucket),
            ("base2_exponential_bucket_histogram", Self::Base2Exponential),
        ];
        find(&values, text)
    }
}

/// By `off`, `latest` or `1.41`.
impl FromStr for GenAi {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let values = [
            ("off", Self::Off),
            ("latest", Self::Latest),
            ("1.41", Self::V1_41),
        ];
        find(&values, text)
    }
}

fn find<T: Copy>(values: &[(&str, T)], text: &str) -> Result<T, UnknownValue> {
    let found = values
        .iter()
        .find(|(value, _)| value.eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = values.iter().map(|(value, _)| *value).collect();
        UnknownValue {
            given: text.to_owned(),
            known: known.join(", "),
        }
    })
}

/// Who the series are of: attributes such as `service.name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    fields: Vec<u8>,
    schema_url: Option<String>,
}

impl Resource {
    /// A resource with these attributes, whose values are all text.
    #[must_use]
    pub fn new<K: AsRef<str>, V: AsRef<str>>(attributes: impl IntoIterator<Item = (K, V)>) -> Self {
        let attributes: Vec<_> = attributes.into_iter().collect();
        let attributes = attributes
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()));
        Self {
            fields: resource(attributes),
            schema_url: None,
        }
    }

    /// Which version of the semantic conventions the attributes follow.
    #[must_use]
    pub fn schema_url(mut self, url: impl Into<String>) -> Self {
        self.schema_url = Some(url.into());
        self
    }
}

/// Makes the bodies of exports.
#[derive(Debug)]
pub struct Encoder {
    resource: Resource,
    temporality: Temporality,
    histograms: HistogramAggregation,
    exemplars: bool,
    gen_ai: GenAi,
    give_way: Option<fn()>,
    clock: Clock,
    /// When it was made.
    began: u64,
    /// Of the last export that was acknowledged.
    acknowledged: Totals,
    /// How long the last body was.
    bytes: usize,
    /// The memory of one that was acknowledged.
    spare: Vec<u8>,
}

impl Encoder {
    /// Cumulative, with explicit buckets and exemplars, without a view of `gen_ai`.
    ///
    /// Of what other collectors of the registry count, it is known from now on; so make it early.
    #[must_use]
    pub fn new(resource: Resource) -> Self {
        let clock = Clock::default();
        let began = clock.wall().as_nanos();
        Self {
            resource,
            temporality: Temporality::default(),
            histograms: HistogramAggregation::default(),
            exemplars: true,
            gen_ai: GenAi::default(),
            give_way: None,
            began,
            clock,
            acknowledged: Totals::default(),
            bytes: 0,
            spare: Vec::new(),
        }
    }

    /// Since when counters and histograms count what a point says.
    #[must_use]
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// In which buckets histograms are told.
    #[must_use]
    pub fn histograms(mut self, aggregation: HistogramAggregation) -> Self {
        self.histograms = aggregation;
        self
    }

    /// Whether histograms tell the traces that samples came from; they do unless told otherwise. There are exemplars of
    /// sampled traces alone, as `OTEL_METRICS_EXEMPLAR_FILTER` has it with `trace_based`.
    #[must_use]
    pub fn exemplars(mut self, wanted: bool) -> Self {
        self.exemplars = wanted;
        self
    }

    /// Which view of `gen_ai` is told beside, as a scope of its own: of metrics that keep what it is made of
    /// ([`Builder::gen_ai_view`](crate::Builder::gen_ai_view)).
    #[must_use]
    pub fn gen_ai(mut self, view: GenAi) -> Self {
        self.gen_ai = view;
        self
    }

    /// Calls this again and again while it encodes, so that a thread of lower priority can let others in: every 64 data
    /// points.
    #[must_use]
    pub fn giving_way(mut self, by: fn()) -> Self {
        self.give_way = Some(by);
        self
    }

    /// Takes the time from this clock, which a test turns by hand.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.began = clock.wall().as_nanos();
        self.clock = clock;
        self
    }

    /// Gathers a registry, and encodes what it holds now. Collectors that are not ours collect here, and may panic.
    #[must_use]
    pub fn encode(&mut self, registry: &Registry) -> Export {
        let exposition = Exposition::of(registry);
        let deltas = self.temporality != Temporality::Cumulative;
        let before = deltas.then_some(&self.acknowledged);
        // A wall that was set back shows no delta that ends before it begins.
        let time = self.clock.wall().as_nanos().max(self.acknowledged.at);
        let settings = Settings {
            time,
            known_since: self.began,
            process_began: exposition
                .process_began()
                .map_or(self.began, |at| at.min(self.began)),
            delta_readings: self.temporality == Temporality::Delta,
            exponential: self.histograms == HistogramAggregation::Base2Exponential,
            exemplars: self.exemplars,
            give_way: self.give_way,
        };
        let mut out = std::mem::take(&mut self.spare);
        // Most have as many points as the one before.
        out.reserve(self.bytes);
        let mut request = Request::new(out, &self.resource.fields, settings, before);
        request.begin_scope(SCOPE, env!("CARGO_PKG_VERSION"));
        exposition.tell(&mut request);
        request.end_scope(None);
        if let Some(conventions) = self.gen_ai.conventions() {
            let view = GenAiView::of(exposition.gen_ai());
            view.write(conventions, &mut request);
        }
        let written = request.finish(self.resource.schema_url.as_deref());
        self.bytes = written.body.len();
        Export {
            body: written.body.into(),
            points: written.points,
            totals: written.totals,
        }
    }

    /// The receiver took this export, so that the next deltas begin where it ends. What is not acknowledged is told again,
    /// with what came since; an export that is older than one acknowledged before changes nothing.
    ///
    /// Where nobody holds its body any more, the next one is made in the same memory.
    pub fn acknowledge(&mut self, export: Export) {
        if let Ok(body) = export.body.try_into_mut() {
            self.spare = body.into();
            self.spare.clear();
            self.spare.shrink_to(2 * self.bytes);
        }
        if let Some(totals) = export.totals
            && totals.at >= self.acknowledged.at
        {
            self.acknowledged = totals;
        }
    }
}

/// One request, ready to be sent.
#[derive(Debug)]
pub struct Export {
    body: Bytes,
    points: usize,
    totals: Option<Totals>,
}

impl Export {
    /// An `ExportMetricsServiceRequest` in protobuf. A copy of it is cheap.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How many data points there are in it. Deltas may leave none.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }
}

/// The scope of the own families.
const SCOPE: &str = "brightstaff";
