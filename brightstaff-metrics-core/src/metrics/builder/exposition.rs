//! The buckets, and what is told of the series beside their values.

use super::Builder;
use crate::buckets::BucketSet;

impl Builder {
    /// Replaces a set of buckets by these upper bounds; `+Inf` is implied.
    pub fn buckets(mut self, set: BucketSet, bounds: impl AsRef<[f64]>) -> Self {
        self.buckets.set(set, bounds.as_ref());
        self
    }

    /// Whether histograms count their samples in native buckets, too; off unless told otherwise.
    ///
    /// A quantile is then off by no more than its bucket is wide, 9 %, and mostly by less than half of that, whatever
    /// the classic buckets are: the native ones are the powers of the eighth root of 2 (schema 3), from 1 µs to 4,096 s,
    /// and from 1 to 2^32 tokens. Each histogram takes 2 KiB more from its first sample on. They are told
    /// in protobuf only, to a Prometheus with `scrape_native_histograms: true` or its like; the text formats, and what a registry gathers, have the classic buckets as ever.
    ///
    /// ```
    /// use brightstaff_metrics_core::Metrics;
    ///
    /// let registry = prometheus::Registry::new();
    /// let metrics = Metrics::builder()
    ///     .native_histograms(true)
    ///     .classic(false) // for no older scraper, nor a dashboard that asks for `_bucket`
    ///     .register(&registry)?;
    /// # let _ = metrics;
    /// # Ok::<_, brightstaff_metrics_core::RegisterError>(())
    /// ```
    pub fn native_histograms(mut self, native: bool) -> Self {
        self.native_histograms = native;
        self
    }

    /// Whether protobuf tells the classic buckets beside the native ones; it does unless told otherwise. Without
    /// [`native_histograms`](Self::native_histograms) they are all that there is, and told in any case; the text
    /// formats tell them always.
    pub fn classic(mut self, classic: bool) -> Self {
        self.classic = classic;
        self
    }

    /// Whether OpenMetrics has a `_created` sample for each counter and histogram, which says when it began; off unless
    /// told otherwise. That is a series more for each, and Prometheus takes it for an ordinary one unless its feature
    /// `created-timestamp-zero-ingestion` is on. Protobuf says it in any case, and text 0.0.4 cannot.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Metrics, exposition::{Exposition, Format}};
    ///
    /// let registry = prometheus::Registry::new();
    /// Metrics::builder().created_samples(true).register(&registry)?;
    /// let mut text = Vec::new();
    /// Exposition::of(&registry).write(Format::OpenMetrics, &mut text)?;
    /// let text = String::from_utf8(text)?;
    /// assert!(text.contains(r#"brightstaff_metrics_label_overflow_created{label="handler"} 1"#));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn created_samples(mut self, wanted: bool) -> Self {
        self.created_samples = wanted;
        self
    }

    /// Whether pairs keep what OpenTelemetry's view of generative AI is made of, which an
    /// [`Encoder`](crate::otlp::Encoder) can tell beside the own families ([`Encoder::gen_ai`](crate::otlp::Encoder::gen_ai)):
    /// off unless told otherwise.
    ///
    /// Each call is then counted once more at its end, by what it was for ([`labels::Operation`](crate::labels::Operation)) and by how it failed, in
    /// native buckets: up to 15 KiB for each pair and operation, and 2.5 KiB for each kind of failure that it met. The clock is
    /// read at each chunk of a response, and a stream holds 1 KiB more. Scrapes show none of it.
    ///
    /// ```
    /// use brightstaff_metrics_core::{Metrics, otlp::{Encoder, GenAi, Resource}};
    ///
    /// let registry = prometheus::Registry::new();
    /// let metrics = Metrics::builder().gen_ai_view(true).register(&registry)?;
    /// let mut encoder = Encoder::new(Resource::new([("service.name", "gateway")])).gen_ai(GenAi::Latest);
    /// let export = encoder.encode(&registry);
    /// # let _ = (metrics, export);
    /// # Ok::<_, brightstaff_metrics_core::RegisterError>(())
    /// ```
    #[cfg(feature = "otlp")]
    pub fn gen_ai_view(mut self, wanted: bool) -> Self {
        self.gen_ai = wanted;
        self
    }
}
