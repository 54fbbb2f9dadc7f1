//! Each variable by itself.

use super::{super::env::VARIABLES, ALL, SIGNAL, settings, told};
use crate::otlp::Otlp;

/// A variable, a value that can be used, and what it changes; then one that cannot, and what to write instead.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// `ENDPOINT` aside, what both variables of an option mean.
const BOTH: &[Row] = &[
    (
        "PROTOCOL",
        "grpc",
        "transport=NAME: grpc is not spoken here: write http/protobuf, which receivers take on port 4318",
        "http",
        "http/protobuf",
    ),
    (
        "PROTOCOL",
        "http/json",
        "transport=NAME: http/json is not spoken here: write http/protobuf, which receivers take on port 4318",
        "thrift",
        "http/protobuf",
    ),
    (
        "HEADERS",
        "X-A=b%2Cc, authorization = Bearer%20t",
        " x-a=b,c authorization=Bearer t",
        "",
        "",
    ),
    ("TIMEOUT", "250", " timeout=250ms", "10s", "milliseconds"),
    ("TIMEOUT", "0", " timeout=3600s", "-1", "milliseconds"),
    (
        "TIMEOUT",
        "2147483647",
        " timeout=2147483.647s",
        "2147483648",
        "milliseconds",
    ),
    ("COMPRESSION", "GZIP", " gzip=true", "zstd", "gzip or none"),
    (
        "CERTIFICATE",
        "/tls/ca.pem",
        " certificate=Some(\"/tls/ca.pem of NAME\")",
        "",
        "",
    ),
    (
        "CLIENT_CERTIFICATE",
        "/tls/me.pem",
        " client=Some(\"/tls/me.pem of NAME\")+None",
        "",
        "",
    ),
    (
        "CLIENT_KEY",
        "/tls/me.key",
        " client=None+Some(\"/tls/me.key of NAME\")",
        "",
        "",
    ),
];

const ONE: &[Row] = &[
    (
        "OTEL_SDK_DISABLED",
        "True",
        "off=true",
        "yes",
        "true or false",
    ),
    (
        "OTEL_METRICS_EXPORTER",
        "none",
        "off=true",
        "console",
        "otlp, none or prometheus",
    ),
    (
        "OTEL_METRICS_EXPORTER",
        "Prometheus",
        "off=true",
        "console,logging",
        "otlp, none or prometheus",
    ),
    (
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "http://h:4318/api/v1/otlp",
        "endpoint=http://h:4318/api/v1/otlp ",
        "",
        "",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "https://h/otlp",
        "endpoint=https://h/otlp/v1/metrics ",
        "",
        "",
    ),
    (
        "OTEL_METRIC_EXPORT_INTERVAL",
        "1000",
        " interval=1s/30s",
        "99",
        "100 or more",
    ),
    (
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "5000",
        " interval=60s/5s",
        "5 s",
        "milliseconds",
    ),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "deployment.environment.name=a%20b,service.name=c",
        r#"Attributes({"deployment.environment.name": "a b", "service.name": "c"})"#,
        "a=b,c",
        "key=value",
    ),
    (
        "OTEL_SERVICE_NAME",
        "gateway",
        r#"Attributes({"service.name": "gateway"})"#,
        "",
        "",
    ),
    (
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "Delta",
        " Delta ",
        "both",
        "cumulative, delta or lowmemory",
    ),
    (
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "LOWMEMORY",
        " LowMemory ",
        "none",
        "cumulative, delta or lowmemory",
    ),
    (
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2_exponential_bucket_histogram",
        " Base2Exponential ",
        "native",
        "explicit_bucket_histogram or base2_exponential_bucket_histogram",
    ),
    (
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "always_off",
        " exemplars=false",
        "on",
        "trace_based",
    ),
];

/// Each variable by itself: what it means, that empty is not set, and what becomes of a value that is none.
#[test]
fn every_variable_means_what_opentelemetry_says() {
    let both = BOTH
        .iter()
        .flat_map(|row| [SIGNAL, ALL].map(|prefix| (format!("{prefix}{}", row.0), *row)));
    let rows: Vec<_> = both
        .chain(ONE.iter().map(|row| (row.0.to_owned(), *row)))
        .collect();
    let default = told(&Otlp::new());
    for (name, (_, value, changes, wrong, fix)) in &rows {
        let set = settings(&[(name, value)]);
        let changes = changes.replace("NAME", name);
        assert!(
            told(&set).contains(&changes),
            "{name}={value}: {}",
            told(&set)
        );
        assert!(
            !default.contains(&changes),
            "{name}: {changes} is the default"
        );
        assert_eq!(set.warnings, [""; 0], "{name}");
        for empty in ["", "  "] {
            let empty = settings(&[(name, empty)]);
            assert_eq!(
                (told(&empty), empty.warnings.len()),
                (default.clone(), 0),
                "{name}"
            );
        }
        if !wrong.is_empty() {
            let set = settings(&[(name, wrong)]);
            assert_eq!(told(&set), default, "{name}={wrong}");
            let [warning] = &set.warnings[..] else {
                panic!("{name}={wrong}: {:?}", set.warnings);
            };
            assert!(
                warning.starts_with(name.as_str()) && warning.contains(fix),
                "{warning}"
            );
            assert!(!warning.contains(&format!("{wrong:?}")), "{warning}");
        }
    }
    // The table has every variable that is read, and no other.
    let mut read: Vec<_> = VARIABLES.iter().flat_map(|(names, _)| *names).collect();
    read.retain(|name| !rows.iter().any(|(row, _)| row == *name));
    assert_eq!(read, [&""; 0]);
}

#[test]
fn every_variable_is_documented() {
    let table = include_str!("../../variables.md");
    for name in VARIABLES.iter().flat_map(|(names, _)| *names) {
        assert!(table.contains(&format!("`{name}`")), "{name}");
    }
    let readme = include_str!("../../../../README.md");
    assert!(readme.contains(table), "the README has another table");
}
