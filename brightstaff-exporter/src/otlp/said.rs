use super::endpoint::Endpoint;

/// What the log was told of exports: it is told what changes, and not the same in every interval.
#[derive(Debug)]
pub(super) struct Said {
    endpoint: String,
    fault: Option<String>,
}

impl Said {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        Self {
            endpoint: endpoint.to_string(),
            fault: None,
        }
    }

    pub(super) fn fault(&mut self, fault: &str) {
        let endpoint = &self.endpoint;
        if self.fault.as_deref() == Some(fault) {
            tracing::debug!("metrics pushed to {endpoint}: {fault}");
            return;
        }
        tracing::warn!("metrics pushed to {endpoint}: {fault}");
        self.fault = Some(fault.to_owned());
    }

    pub(super) fn well(&mut self) {
        if self.fault.take().is_some() {
            tracing::info!("metrics pushed to {}: taken again", self.endpoint);
        }
    }
}
