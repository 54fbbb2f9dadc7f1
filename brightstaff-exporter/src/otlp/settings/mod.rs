//! What is pushed, where to, and how often.

mod env;
mod headers;
mod resource;
mod settled;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::http::HeaderMap;
use brightstaff_metrics_core::otlp::{GenAi, HistogramAggregation, Temporality};
use prometheus::Registry;

use self::{headers::insert, resource::Attributes};
use super::{endpoint::Endpoint, error::OtlpError, push::Push};

/// Describes how a registry is pushed: see the [module's documentation](super).
///
/// What is wrong with a setting shows when all are known, in [`push`](Self::push).
#[derive(Debug)]
#[must_use]
pub struct Otlp {
    off: bool,
    endpoint: Option<Result<Endpoint, OtlpError>>,
    /// Why the transport that was asked for is not spoken.
    transport: Result<(), OtlpError>,
    /// What else is wrong, in the order in which it was said.
    faults: Vec<OtlpError>,
    /// What was not used, for the log.
    warnings: Vec<String>,
    headers: HeaderMap,
    timeout: Duration,
    gzip: bool,
    certificate: Option<Named>,
    client_certificate: Option<Named>,
    client_key: Option<Named>,
    interval: Duration,
    export_timeout: Duration,
    attributes: Attributes,
    temporality: Temporality,
    histograms: HistogramAggregation,
    exemplars: bool,
    gen_ai: GenAi,
}

/// A file, and the setting that names it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) path: PathBuf,
    pub(super) from: String,
}

/// The shortest interval: a backend is not asked more often than ten times a second.
pub(super) const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// What stands for no limit of time.
const NO_LIMIT: Duration = Duration::from_secs(3600);

impl Default for Otlp {
    fn default() -> Self {
        Self {
            off: false,
            endpoint: None,
            transport: Ok(()),
            faults: Vec::new(),
            warnings: Vec::new(),
            headers: HeaderMap::new(),
            timeout: Duration::from_secs(10),
            gzip: false,
            certificate: None,
            client_certificate: None,
            client_key: None,
            interval: Duration::from_secs(60),
            export_timeout: Duration::from_secs(30),
            attributes: Attributes::default(),
            temporality: Temporality::default(),
            histograms: HistogramAggregation::default(),
            exemplars: true,
            gen_ai: GenAi::default(),
        }
    }
}

impl Otlp {
    /// The defaults, and no endpoint yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What pushes this registry as the environment says; `None` where that names no endpoint, or switches pushing off.
    /// It is `Otlp::new().env().push(registry)`.
    ///
    /// # Errors
    ///
    /// Those of [`push`](Self::push).
    pub fn from_env(registry: &Registry) -> Result<Option<Push>, OtlpError> {
        Self::new().env().push(registry)
    }

    /// The URL to push to, used as it is: `http://localhost:4318/v1/metrics`.
    pub fn endpoint(self, url: &str) -> Self {
        let endpoint = Endpoint::whole(url);
        let endpoint = endpoint.map_err(|fault| OtlpError::setting("endpoint", fault));
        Self {
            endpoint: Some(endpoint),
            ..self
        }
    }

    /// A header of each request, in place of one of this name. Its value shows nowhere.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Err(fault) = insert(&mut self.headers, name, value) {
            self.faults.push(OtlpError::setting("header", fault));
        }
        self
    }

    /// Headers as `OTEL_EXPORTER_OTLP_HEADERS` holds them: `key=value,key=value`, percent-encoded where that is needed.
    pub fn headers(mut self, list: &str) -> Self {
        let mut faults = Vec::new();
        self.insert_all(list, |n, fault| {
            faults.push(OtlpError::setting(
                "headers",
                format_args!("entry {n} {fault}"),
            ));
        });
        self.faults.append(&mut faults);
        self
    }

    /// How long one try may take, from the connection to the last byte of the response. 10 s unless told otherwise; 0 is
    /// an hour.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self {
            timeout: limit(timeout),
            ..self
        }
    }

    /// Whether exports are compressed with gzip; they are not unless told so.
    pub fn gzip(self, gzip: bool) -> Self {
        Self { gzip, ..self }
    }

    /// The file of the certificates, in PEM, that a server's is verified by, in place of those that the system trusts.
    pub fn certificate(self, path: impl AsRef<Path>) -> Self {
        let certificate = Some(Named::new(path, "certificate"));
        Self {
            certificate,
            ..self
        }
    }

    /// The file of the certificate, in PEM, that the client shows, with those that lead from it to one that the server
    /// trusts.
    pub fn client_certificate(self, path: impl AsRef<Path>) -> Self {
        let client_certificate = Some(Named::new(path, "client_certificate"));
        Self {
            client_certificate,
            ..self
        }
    }

    /// The file of its key, in PEM.
    pub fn client_key(self, path: impl AsRef<Path>) -> Self {
        let client_key = Some(Named::new(path, "client_key"));
        Self { client_key, ..self }
    }

    /// From the start of one export to that of the next: a minute unless told otherwise, 100 ms at least.
    pub fn interval(mut self, interval: Duration) -> Self {
        if interval < MIN_INTERVAL {
            let fault = "is too short: write 100 ms or more";
            self.faults.push(OtlpError::setting("interval", fault));
        }
        Self { interval, ..self }
    }

    /// How long an export may take, all its tries and the waits between them together. 30 s unless told otherwise; 0 is an
    /// hour.
    pub fn export_timeout(self, timeout: Duration) -> Self {
        Self {
            export_timeout: limit(timeout),
            ..self
        }
    }

    /// The name of what is measured, the resource attribute `service.name`: `brightstaff` unless told otherwise, as the
    /// job of a scrape by the shipped configuration. Prometheus makes its label `job` of it.
    pub fn service_name(self, name: &str) -> Self {
        self.resource_attribute("service.name", name)
    }

    /// An attribute of the resource, in place of one of this key. `service.instance.id` is made at random where it is not
    /// given; Prometheus makes its label `instance` of it.
    pub fn resource_attribute(mut self, key: &str, value: &str) -> Self {
        self.attributes.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Whether counters and histograms count from their start, or from the last export that was acknowledged.
    pub fn temporality(self, temporality: Temporality) -> Self {
        Self {
            temporality,
            ..self
        }
    }

    /// How histograms are told. Exponential buckets are told of those that count in native ones:
    /// [`wants_native_histograms`](Self::wants_native_histograms).
    pub fn histograms(self, histograms: HistogramAggregation) -> Self {
        Self { histograms, ..self }
    }

    /// Whether samples of sampled traces go along as exemplars; they do unless told otherwise.
    pub fn exemplars(self, exemplars: bool) -> Self {
        Self { exemplars, ..self }
    }

    /// Whether OpenTelemetry's own metrics of generative AI are told beside the families of this project, and in which
    /// version. Calls have to be counted for them: [`wants_gen_ai_view`](Self::wants_gen_ai_view).
    pub fn gen_ai(self, gen_ai: GenAi) -> Self {
        Self { gen_ai, ..self }
    }

    /// What the environment says, in place of what was said before: the table is in the
    /// [module's documentation](super#environment-variables). Headers and resource attributes are added, and win where
    /// both have one of a name.
    pub fn env(self) -> Self {
        self.variables(&|name| std::env::var_os(name))
    }
}

impl Named {
    fn new(path: impl AsRef<Path>, from: &str) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            from: from.to_owned(),
        }
    }
}

fn limit(timeout: Duration) -> Duration {
    if timeout.is_zero() { NO_LIMIT } else { timeout }
}

#[cfg(test)]
mod tests;
