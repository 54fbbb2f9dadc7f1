//! OpenTelemetry's environment variables, as its specification means them: what is empty is not set, and what cannot be
//! used is told and left out.

use std::{ffi::OsString, time::Duration};

use super::{
    super::{endpoint::Endpoint, error::OtlpError, pairs::pairs},
    MIN_INTERVAL, Named, Otlp, limit,
};

/// Reads one variable into the settings, or says what it should have been.
type Take = fn(&mut Otlp, &'static str, &str) -> Result<(), &'static str>;

const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// An option of metrics alone, before that of all signals.
macro_rules! option {
    ($name:literal) => {
        &[
            concat!("OTEL_EXPORTER_OTLP_METRICS_", $name),
            concat!("OTEL_EXPORTER_OTLP_", $name),
        ]
    };
}

/// Every variable that is read. Of several names the first counts that is set and can be used.
pub(in super::super) const VARIABLES: [(&[&str], Take); 17] = [
    (&["OTEL_SDK_DISABLED"], disabled),
    (&["OTEL_METRICS_EXPORTER"], exporter),
    (option!("ENDPOINT"), endpoint),
    (option!("PROTOCOL"), protocol),
    (option!("HEADERS"), headers),
    (option!("TIMEOUT"), |otlp, _, value| {
        otlp.timeout = limit(millis(value)?);
        Ok(())
    }),
    (option!("COMPRESSION"), compression),
    (option!("CERTIFICATE"), |otlp, name, value| {
        otlp.certificate = Some(Named::new(value, name));
        Ok(())
    }),
    (option!("CLIENT_CERTIFICATE"), |otlp, name, value| {
        otlp.client_certificate = Some(Named::new(value, name));
        Ok(())
    }),
    (option!("CLIENT_KEY"), |otlp, name, value| {
        otlp.client_key = Some(Named::new(value, name));
        Ok(())
    }),
    (&["OTEL_METRIC_EXPORT_INTERVAL"], interval),
    (&["OTEL_METRIC_EXPORT_TIMEOUT"], |otlp, _, value| {
        otlp.export_timeout = limit(millis(value)?);
        Ok(())
    }),
    (&["OTEL_RESOURCE_ATTRIBUTES"], attributes),
    // Behind the attributes, since it wins.
    (&["OTEL_SERVICE_NAME"], |otlp, _, value| {
        otlp.attributes
            .insert("service.name".to_owned(), value.to_owned());
        Ok(())
    }),
    (
        &["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"],
        |otlp, _, value| {
            let temporality = value.to_ascii_lowercase().parse();
            otlp.temporality = temporality.map_err(|_| "cumulative, delta or lowmemory")?;
            Ok(())
        },
    ),
    (
        &["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"],
        |otlp, _, value| {
            let histograms = value.to_ascii_lowercase().parse();
            otlp.histograms = histograms
                .map_err(|_| "explicit_bucket_histogram or base2_exponential_bucket_histogram")?;
            Ok(())
        },
    ),
    (&["OTEL_METRICS_EXEMPLAR_FILTER"], exemplars),
];

impl Otlp {
    /// What the variables of this environment say.
    pub(in super::super) fn variables(
        mut self,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Self {
        for (names, take) in VARIABLES {
            for name in names {
                let Some(value) = environment(name).filter(|value| !value.is_empty()) else {
                    continue;
                };
                let taken = match value.to_str().map(str::trim) {
                    Some("") => continue,
                    Some(value) => take(&mut self, name, value),
                    None => Err("text"),
                };
                match taken {
                    Ok(()) => break,
                    Err(fix) => {
                        let warning = format!("{name}: cannot be used, and is not: write {fix}");
                        self.warnings.push(warning);
                    }
                }
            }
        }
        self
    }
}

fn disabled(otlp: &mut Otlp, _: &str, value: &str) -> Result<(), &'static str> {
    if value.eq_ignore_ascii_case("true") {
        otlp.off = true;
    } else if !value.eq_ignore_ascii_case("false") {
        return Err("true or false");
    }
    Ok(())
}

/// A list, of which `otlp` has the say; what is none of the known is another component's.
fn exporter(otlp: &mut Otlp, _: &str, value: &str) -> Result<(), &'static str> {
    let value = value.to_ascii_lowercase();
    let has = |name: &str| value.split(',').any(|entry| entry.trim() == name);
    if !has("otlp") && !has("none") && !has("prometheus") {
        return Err("otlp, none or prometheus");
    }
    otlp.off |= !has("otlp");
    Ok(())
}

fn endpoint(otlp: &mut Otlp, name: &'static str, value: &str) -> Result<(), &'static str> {
    let read = if name == BASE {
        Endpoint::base(value)
    } else {
        Endpoint::whole(value)
    };
    // Another one in its place would get what is not meant for it.
    otlp.endpoint = Some(read.map_err(|fault| OtlpError::setting(name, fault)));
    Ok(())
}

fn protocol(otlp: &mut Otlp, name: &'static str, value: &str) -> Result<(), &'static str> {
    let value = value.to_ascii_lowercase();
    otlp.transport = match value.as_str() {
        "http/protobuf" => Ok(()),
        "grpc" | "http/json" => Err(OtlpError::setting(
            name,
            format_args!(
                "{value} is not spoken here: write http/protobuf, which receivers take on port 4318"
            ),
        )),
        _ => return Err("http/protobuf"),
    };
    Ok(())
}

fn headers(otlp: &mut Otlp, name: &'static str, value: &str) -> Result<(), &'static str> {
    let mut warnings = Vec::new();
    otlp.insert_all(value, |n, fault| {
        warnings.push(format!("{name}: entry {n} {fault}, and is not used"));
    });
    otlp.warnings.append(&mut warnings);
    Ok(())
}

fn compression(otlp: &mut Otlp, _: &str, value: &str) -> Result<(), &'static str> {
    otlp.gzip = match value.to_ascii_lowercase().as_str() {
        "gzip" => true,
        "none" => false,
        _ => return Err("gzip or none"),
    };
    Ok(())
}

fn interval(otlp: &mut Otlp, _: &str, value: &str) -> Result<(), &'static str> {
    otlp.interval = millis(value)
        .ok()
        .filter(|interval| *interval >= MIN_INTERVAL)
        .ok_or("milliseconds, 100 or more: for example 60000")?;
    Ok(())
}

/// All of them, or none: "in case of any error the entire environment variable value should be discarded".
fn attributes(otlp: &mut Otlp, _: &str, value: &str) -> Result<(), &'static str> {
    let pairs: Option<Vec<_>> = pairs(value).map(|(_, pair)| pair).collect();
    for (key, value) in pairs.ok_or("key=value,key=value, percent-encoded where needed")? {
        otlp.attributes.insert(key, value);
    }
    Ok(())
}

fn exemplars(otlp: &mut Otlp, _: &str, value: &str) -> Result<(), &'static str> {
    otlp.exemplars = match value.to_ascii_lowercase().as_str() {
        // There are none but those of sampled traces.
        "trace_based" | "always_on" => true,
        "always_off" => false,
        _ => return Err("trace_based, always_on or always_off"),
    };
    Ok(())
}

/// As far as a 32-bit number goes, as everywhere in the specification: 24 days.
fn millis(value: &str) -> Result<Duration, &'static str> {
    let millis = value.parse::<u32>().ok();
    let millis = millis.filter(|millis| i32::try_from(*millis).is_ok());
    millis
        .map(|millis| Duration::from_millis(millis.into()))
        .ok_or("milliseconds: for example 10000")
}
