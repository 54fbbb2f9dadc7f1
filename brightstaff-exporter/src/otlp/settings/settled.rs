//! What the settings come to.

use brightstaff_metrics_core::otlp::{Encoder, GenAi, HistogramAggregation};
use prometheus::Registry;

use super::{
    super::{
        client::{Client, Tls},
        content::give_way,
        error::OtlpError,
        outcomes::Outcomes,
        push::Push,
    },
    Otlp,
};

impl Otlp {
    /// What is wrong with what was said so far, as far as that shows without the files that it names.
    #[must_use]
    pub fn fault(&self) -> Option<&OtlpError> {
        let endpoint = self.endpoint.as_ref().and_then(|url| url.as_ref().err());
        let transport = self.transport.as_ref().err();
        endpoint.or(transport).or(self.faults.first())
    }

    /// Whether histograms should count in native buckets for what is pushed, which is for
    /// [`Builder::native_histograms`](brightstaff_metrics_core::Builder::native_histograms) to say.
    #[must_use]
    pub fn wants_native_histograms(&self) -> bool {
        self.is_on() && self.histograms == HistogramAggregation::Base2Exponential
    }

    /// Whether calls should be counted for the view of [`gen_ai`](Self::gen_ai) that is pushed, which is for
    /// [`Builder::gen_ai_view`](brightstaff_metrics_core::Builder::gen_ai_view) to say.
    #[must_use]
    pub fn wants_gen_ai_view(&self) -> bool {
        self.is_on() && self.gen_ai != GenAi::Off
    }

    /// Whether there is an endpoint, and nothing says otherwise.
    fn is_on(&self) -> bool {
        !self.off && self.endpoint.is_some()
    }

    /// What pushes this registry, once it is [started](Push::start), and counts what becomes of its exports there; `None`
    /// where no endpoint was named, or the environment switches pushing off.
    ///
    /// # Errors
    ///
    /// A setting cannot be used; a file that one names cannot be read; the system has no trusted certificates; or the
    /// registry is pushed already.
    pub fn push(self, registry: &Registry) -> Result<Option<Push>, OtlpError> {
        let Some(endpoint) = self.endpoint.filter(|_| !self.off) else {
            return Ok(None);
        };
        let endpoint = endpoint?;
        self.transport?;
        if let Some(fault) = self.faults.into_iter().next() {
            return Err(fault);
        }
        let secured = endpoint.is_https();
        let tls = Tls {
            certificate: self.certificate,
            client_certificate: self.client_certificate,
            client_key: self.client_key,
        };
        let mut warnings = self.warnings;
        warnings.extend(tls.unused(secured));
        let client = Client::new(endpoint, self.headers, &tls, self.timeout, self.interval)?;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        let encoder = Encoder::new(self.attributes.resource())
            .temporality(self.temporality)
            .histograms(self.histograms)
            .exemplars(self.exemplars)
            .gen_ai(self.gen_ai)
            .giving_way(give_way);
        Ok(Some(Push {
            interval: self.interval,
            export_timeout: self.export_timeout,
            gzip: self.gzip,
            encoder,
            client,
            outcomes: Outcomes::register(registry)?,
            registry: registry.clone(),
        }))
    }
}
