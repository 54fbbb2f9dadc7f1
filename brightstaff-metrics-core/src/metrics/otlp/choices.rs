//! What an [`Encoder`](super::Encoder) may be told, and the words for it.

use std::{fmt, str::FromStr};

use crate::conventions::Conventions;

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
    pub(super) fn conventions(self) -> Option<&'static Conventions> {
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
