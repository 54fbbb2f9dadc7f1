use brightstaff_metrics_core::{catalogue::OTLP_EXPORTS, labels::ExportOutcome};
use prometheus::{IntCounterVec, Opts, Registry};

use super::error::OtlpError;

/// What became of exports: `brightstaff_otlp_exports_total`.
#[derive(Clone, Debug)]
pub(super) struct Outcomes(IntCounterVec);

impl Outcomes {
    /// Every outcome at 0.
    pub(super) fn register(registry: &Registry) -> Result<Self, OtlpError> {
        let family = &OTLP_EXPORTS;
        let counter =
            IntCounterVec::new(Opts::new(family.name, family.help), &[ExportOutcome::NAME]);
        let counter = counter.expect("the catalogue holds valid names");
        for outcome in ExportOutcome::ALL {
            counter.with_label_values(&[outcome.as_str()]);
        }
        let registered = registry.register(Box::new(counter.clone()));
        registered.map_err(OtlpError::Registry)?;
        Ok(Self(counter))
    }

    pub(super) fn count(&self, outcome: ExportOutcome) {
        self.0.with_label_values(&[outcome.as_str()]).inc();
    }

    #[cfg(test)]
    pub(super) fn counted(&self, outcome: ExportOutcome) -> u64 {
        self.0.with_label_values(&[outcome.as_str()]).get()
    }
}
