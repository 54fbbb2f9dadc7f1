//! Settings by the environment and by the program.

mod variables;
mod wrong;

use std::{collections::HashMap, fmt::Write as _};

use super::*;

const SIGNAL: &str = "OTEL_EXPORTER_OTLP_METRICS_";
const ALL: &str = "OTEL_EXPORTER_OTLP_";

/// The settings that an environment of these variables makes.
fn settings(variables: &[(&str, &str)]) -> Otlp {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Otlp::new().variables(&|name| variables.get(name).map(Into::into))
}

/// Everything that settings say, in one line; a header's value is not shown otherwise.
fn told(otlp: &Otlp) -> String {
    let mut told = String::new();
    let endpoint = match &otlp.endpoint {
        None => "-".to_owned(),
        Some(Ok(endpoint)) => endpoint.to_string(),
        Some(Err(error)) => error.to_string(),
    };
    let _ = write!(told, "off={} endpoint={endpoint}", otlp.off);
    if let Err(error) = &otlp.transport {
        let _ = write!(told, " transport={error}");
    }
    for (name, value) in &otlp.headers {
        let _ = write!(told, " {name}={}", value.to_str().unwrap());
    }
    let file = |file: &Option<Named>| {
        let file = file.as_ref();
        file.map(|file| format!("{} of {}", file.path.display(), file.from))
    };
    let _ = write!(
        told,
        " timeout={:?} gzip={} certificate={:?} client={:?}+{:?} interval={:?}/{:?} {:?} {:?} {:?} exemplars={}",
        otlp.timeout,
        otlp.gzip,
        file(&otlp.certificate),
        file(&otlp.client_certificate),
        file(&otlp.client_key),
        otlp.interval,
        otlp.export_timeout,
        otlp.attributes,
        otlp.temporality,
        otlp.histograms,
        otlp.exemplars,
    );
    told
}

#[test]
fn what_is_for_metrics_alone_wins() {
    for (option, other, own, told_of_own) in [
        ("ENDPOINT", "http://all", "http://own/x", "http://own/x "),
        ("PROTOCOL", "grpc", "http/protobuf", "off=false"),
        ("HEADERS", "a=all", "a=own", " a=own "),
        ("TIMEOUT", "1", "2", " timeout=2ms"),
        ("COMPRESSION", "gzip", "none", " gzip=false"),
        ("CERTIFICATE", "all", "own", "\"own of"),
        ("CLIENT_CERTIFICATE", "all", "own", "\"own of"),
        ("CLIENT_KEY", "all", "own", "\"own of"),
    ] {
        let (all, signal) = (format!("{ALL}{option}"), format!("{SIGNAL}{option}"));
        let set = settings(&[(&all, other), (&signal, own)]);
        assert!(told(&set).contains(told_of_own), "{option}: {}", told(&set));
        assert!(set.transport.is_ok());
        let empty = settings(&[(&all, other), (&signal, "")]);
        assert_eq!(told(&empty), told(&settings(&[(&all, other)])), "{option}");
    }
    // One that cannot be used is as good as none.
    let set = settings(&[
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "7"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "x"),
    ]);
    assert_eq!(
        (set.timeout, set.warnings.len()),
        (Duration::from_millis(7), 1)
    );
    let set = settings(&[
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a"),
        ("OTEL_SERVICE_NAME", "b"),
    ]);
    assert!(told(&set).contains(r#"{"service.name": "b"}"#));
}

#[test]
fn the_environment_wins_over_the_program() {
    let otlp = Otlp::new()
        .endpoint("http://program/v1/metrics")
        .header("x-a", "program")
        .header("x-b", "program")
        .interval(Duration::from_secs(5))
        .service_name("program");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://environment"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-a=environment"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=environment"),
    ];
    let otlp = otlp.variables(&|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| value.into())
    });
    let told = told(&otlp);
    for part in [
        "endpoint=http://environment/v1/metrics ",
        " x-a=environment x-b=program ",
        " interval=5s/",
        r#"{"service.name": "environment"}"#,
    ] {
        assert!(told.contains(part), "{told}");
    }
}

/// On only where an endpoint is named, and nothing says otherwise.
#[test]
fn it_is_on_where_an_endpoint_is_named() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
    let own = (
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "http://localhost:4318/v1/metrics",
    );
    for (variables, on) in [
        (&[][..], false),
        (&[endpoint], true),
        (&[own], true),
        (&[endpoint, ("OTEL_SDK_DISABLED", "true")], false),
        (&[endpoint, ("OTEL_SDK_DISABLED", "1")], true),
        (&[endpoint, ("OTEL_METRICS_EXPORTER", "otlp")], true),
        (
            &[endpoint, ("OTEL_METRICS_EXPORTER", "prometheus, otlp")],
            true,
        ),
        (&[endpoint, ("OTEL_METRICS_EXPORTER", "none")], false),
        (&[endpoint, ("OTEL_METRICS_EXPORTER", "prometheus")], false),
        (&[endpoint, ("OTEL_METRICS_EXPORTER", "console")], true),
        // Nothing else matters, not even what is wrong, where nothing is pushed.
        (&[("OTEL_METRICS_EXPORTER", "otlp")], false),
        (&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], false),
        (&[("OTEL_EXPORTER_OTLP_CERTIFICATE", "nowhere")], false),
        (
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "x"),
                ("OTEL_SDK_DISABLED", "true"),
            ],
            false,
        ),
    ] {
        let registry = Registry::new();
        let push = settings(variables).push(&registry).unwrap();
        assert_eq!(push.is_some(), on, "{variables:?}");
        assert_eq!(registry.gather().len(), usize::from(on));
        let Some(push) = push else { continue };
        assert_eq!(push.endpoint(), "http://localhost:4318/v1/metrics");
    }
}

#[test]
fn a_registry_is_pushed_once() {
    let registry = Registry::new();
    let otlp = || Otlp::new().endpoint("http://localhost:4318/v1/metrics");
    let first = otlp().push(&registry).unwrap();
    assert!(first.is_some());
    assert!(matches!(
        otlp().push(&registry),
        Err(OtlpError::Registry(_))
    ));
}
