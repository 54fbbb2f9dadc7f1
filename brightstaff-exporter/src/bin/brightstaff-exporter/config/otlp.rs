use std::{collections::BTreeMap, env, path::PathBuf, time::Duration};

use brightstaff_exporter::otlp::{self, GenAi, HistogramAggregation, OtlpError, Push, Temporality};
use prometheus::Registry;
use serde::{Deserialize, Deserializer, de::Error};

use super::{ConfigError, check::check_variable, duration, shown};

/// Where metrics are pushed to, and how: what the environment does not say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Otlp {
    /// Used as it is; without one nothing is pushed.
    endpoint: Option<String>,
    /// Headers of each request that are no secrets.
    headers: BTreeMap<String, String>,
    /// The environment variable that holds others, as `OTEL_EXPORTER_OTLP_HEADERS` does.
    pub(super) headers_env: Option<String>,
    /// How long one try may take.
    #[serde(with = "duration")]
    timeout: Duration,
    compression: Compression,
    /// What the receiver's certificate is verified by, in place of what the system trusts.
    certificate: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_key: Option<PathBuf>,
    /// From the start of one export to that of the next.
    #[serde(with = "duration")]
    interval: Duration,
    /// How long an export may take, all its tries together.
    #[serde(with = "duration")]
    export_timeout: Duration,
    service_name: String,
    resource_attributes: BTreeMap<String, String>,
    #[serde(deserialize_with = "temporality")]
    temporality: Temporality,
    #[serde(deserialize_with = "histograms")]
    histograms: HistogramAggregation,
    exemplars: bool,
    #[serde(deserialize_with = "gen_ai")]
    gen_ai: GenAi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Compression {
    None,
    Gzip,
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: BTreeMap::new(),
            headers_env: None,
            timeout: Duration::from_secs(10),
            compression: Compression::None,
            certificate: None,
            client_certificate: None,
            client_key: None,
            interval: Duration::from_secs(60),
            export_timeout: Duration::from_secs(30),
            service_name: "brightstaff".to_owned(),
            resource_attributes: BTreeMap::new(),
            temporality: Temporality::default(),
            histograms: HistogramAggregation::default(),
            exemplars: true,
            gen_ai: GenAi::default(),
        }
    }
}

/// What a header's name holds that carries a secret.
const SECRET: [&str; 5] = ["auth", "cookie", "key", "secret", "token"];

impl Otlp {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.endpoint {
            check_url(url)?;
        }
        for (key, duration) in [
            ("otlp.timeout", self.timeout),
            ("otlp.export_timeout", self.export_timeout),
        ] {
            if duration.is_zero() {
                return Err(ConfigError::new(key, "must be longer than 0"));
            }
        }
        let secret = |name: &&String| {
            let name = name.to_ascii_lowercase();
            SECRET.iter().any(|word| name.contains(word))
        };
        if self.headers.keys().any(|name| secret(&name)) {
            let fix = "holds what may be a secret: put it into the variable of headers_env";
            return Err(ConfigError::new("otlp.headers", fix));
        }
        if let Some(variable) = &self.headers_env {
            check_variable("otlp.headers_env", variable, "headers")?;
        }
        match (&self.client_certificate, &self.client_key) {
            (Some(_), None) => Err(ConfigError::new(
                "otlp.client_key",
                "is missing: name the file of the key of client_certificate",
            )),
            (None, Some(_)) => Err(ConfigError::new(
                "otlp.client_certificate",
                "is missing: name the file of the certificate of client_key",
            )),
            _ => self
                .described()
                .fault()
                .map_or(Ok(()), |fault| Err(error(fault))),
        }
    }

    /// What is pushed, by these keys and by the environment, which wins.
    pub(crate) fn settings(&self) -> Result<otlp::Otlp, ConfigError> {
        let mut settings = self.described();
        if let Some(variable) = &self.headers_env {
            let headers = env::var(variable).map_err(|_| {
                let variable = shown::variable(variable);
                let fault = format!("{variable} is not set, or no text");
                ConfigError::new("otlp.headers_env", fault)
            })?;
            settings = settings.headers(&headers);
        }
        Ok(settings.env())
    }

    /// Without what stands elsewhere.
    fn described(&self) -> otlp::Otlp {
        let mut settings = otlp::Otlp::new()
            .timeout(self.timeout)
            .gzip(self.compression == Compression::Gzip)
            .interval(self.interval)
            .export_timeout(self.export_timeout)
            .temporality(self.temporality)
            .histograms(self.histograms)
            .exemplars(self.exemplars)
            .gen_ai(self.gen_ai);
        for (key, value) in &self.resource_attributes {
            settings = settings.resource_attribute(key, value);
        }
        settings = settings.service_name(&self.service_name);
        for (name, value) in &self.headers {
            settings = settings.header(name, value);
        }
        if let Some(endpoint) = &self.endpoint {
            settings = settings.endpoint(endpoint);
        }
        if let Some(path) = &self.certificate {
            settings = settings.certificate(path);
        }
        if let Some(path) = &self.client_certificate {
            settings = settings.client_certificate(path);
        }
        if let Some(path) = &self.client_key {
            settings = settings.client_key(path);
        }
        settings
    }
}

/// What pushes this registry, unless nothing says so.
pub(crate) fn push(settings: otlp::Otlp, registry: &Registry) -> Result<Option<Push>, ConfigError> {
    settings.push(registry).map_err(|fault| error(&fault))
}

/// By the key, where it is one and no environment variable.
fn error(fault: &OtlpError) -> ConfigError {
    match fault {
        OtlpError::Setting { name, fault, .. } if !name.starts_with("OTEL_") => {
            // The library's methods have the names of the keys, but for the one that is given headers one by one.
            let name = if name == "header" { "headers" } else { name };
            ConfigError::new(format_args!("otlp.{name}"), fault)
        }
        OtlpError::Setting { name, fault, .. } => ConfigError::new(name, fault),
        other => ConfigError::new("otlp", other),
    }
}

/// What a URL in a file may not be, beside what none may be.
fn check_url(url: &str) -> Result<(), ConfigError> {
    let fault = if url.contains('?') {
        "holds a query, and with it perhaps a key, which OTEL_EXPORTER_OTLP_METRICS_ENDPOINT may hold"
    } else if (url.split_once("://"))
        .is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'))
    {
        "has no path, and is used as it is: write for example http://localhost:4318/v1/metrics"
    } else {
        return Ok(());
    };
    Err(ConfigError::new("otlp.endpoint", fault))
}

fn temporality<'de, D: Deserializer<'de>>(from: D) -> Result<Temporality, D::Error> {
    let text = String::deserialize(from)?;
    let fix = "is none: write \"cumulative\", \"delta\" or \"lowmemory\"";
    text.parse().map_err(|_| D::Error::custom(fix))
}

fn histograms<'de, D: Deserializer<'de>>(from: D) -> Result<HistogramAggregation, D::Error> {
    let text = String::deserialize(from)?;
    let fix =
        "is none: write \"explicit_bucket_histogram\" or \"base2_exponential_bucket_histogram\"";
    text.parse().map_err(|_| D::Error::custom(fix))
}

fn gen_ai<'de, D: Deserializer<'de>>(from: D) -> Result<GenAi, D::Error> {
    let text = String::deserialize(from)?;
    let fix = "is none: write \"off\", \"latest\" or \"1.41\"";
    text.parse().map_err(|_| D::Error::custom(fix))
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn check(otlp: &str) -> Result<(), String> {
        let text = format!("[providers.p]\nurl = 'http://p'\n[otlp]\n{otlp}");
        let config = Config::from_toml(&text);
        config.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn sound_tables_are_taken() {
        for sound in [
            "",
            "endpoint = 'http://localhost:4318/v1/metrics'",
            "endpoint = 'https://h/x'\ncompression = 'gzip'\nheaders = { X-Scope-OrgID = 'a' }",
            "headers_env = 'OTLP_HEADERS'\ntemporality = 'delta'\ngen_ai = '1.41'",
            "histograms = 'base2_exponential_bucket_histogram'\nexemplars = false",
            "client_certificate = 'a'\nclient_key = 'b'\ncertificate = 'c'",
            "resource_attributes = { 'deployment.environment.name' = 'a b' }",
        ] {
            assert_eq!(check(sound), Ok(()), "{sound}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_key_and_not_repeated() {
        for (wrong, key, fix) in [
            ("endpoint = 'hunter2'", "endpoint", "http://localhost:4318"),
            (
                "endpoint = 'hunter2:4318/v1/metrics'",
                "endpoint",
                "http://localhost:4318",
            ),
            ("endpoint = 'http://me:hunter2@h/x'", "endpoint", "header"),
            (
                "endpoint = 'http://h/x?key=hunter2'",
                "endpoint",
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            ),
            (
                "endpoint = 'http://hunter2:4318'",
                "endpoint",
                "has no path",
            ),
            (
                "endpoint = 'http://hunter2:4318/'",
                "endpoint",
                "has no path",
            ),
            (
                "headers = { authorization = 'hunter2' }",
                "headers",
                "headers_env",
            ),
            (
                "headers = { x-api-key = 'hunter2' }",
                "headers",
                "headers_env",
            ),
            ("headers = { Host = 'hunter2' }", "headers", "remove"),
            (
                "headers = { 'a b' = 'hunter2' }",
                "headers",
                "names no header",
            ),
            (
                "headers_env = 'a=hunter2'",
                "headers_env",
                "environment variable",
            ),
            ("timeout = '0s'", "timeout", "longer than 0"),
            ("export_timeout = '0s'", "export_timeout", "longer than 0"),
            ("interval = '99ms'", "interval", "100 ms"),
            ("client_key = 'hunter2'", "client_certificate", "is missing"),
            ("client_certificate = 'hunter2'", "client_key", "is missing"),
        ] {
            let error = check(wrong).unwrap_err();
            assert!(
                error.starts_with(&format!("otlp.{key}: ")) && error.contains(fix),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
        for (wrong, key, fix) in [
            ("compression = 'hunter2'", "compression", "gzip"),
            ("temporality = 'hunter2'", "temporality", "lowmemory"),
            ("histograms = 'hunter2'", "histograms", "base2_exponential"),
            ("gen_ai = 'hunter2'", "gen_ai", "latest"),
            ("exemplars = 'hunter2'", "exemplars", "write for example"),
            ("timeout = 10", "timeout", "write for example"),
        ] {
            let error = check(wrong).unwrap_err();
            assert!(
                error.contains(&format!(" otlp.{key}: ")) && error.contains(fix),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
