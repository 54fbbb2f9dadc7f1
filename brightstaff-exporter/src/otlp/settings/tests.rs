use std::{collections::HashMap, fmt::Write as _, fs};

use super::{env::VARIABLES, *};

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
    let table = include_str!("../variables.md");
    for name in VARIABLES.iter().flat_map(|(names, _)| *names) {
        assert!(table.contains(&format!("`{name}`")), "{name}");
    }
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(table), "the README has another table");
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

/// One line, which names the setting and the way out, and holds nothing of the value.
fn error(otlp: Otlp) -> String {
    let error = otlp.push(&Registry::new()).unwrap_err().to_string();
    assert!(
        !error.contains("secret") && !error.contains('\n'),
        "{error}"
    );
    error
}

#[test]
fn what_is_wrong_is_told_without_its_value() {
    let on = (
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "https://h/v1/metrics",
    );
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.pem");
    fs::write(&secret, "secret").unwrap();
    let secret = secret.to_str().unwrap();
    let own = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
    let sound = folder.path().join("sound.pem");
    fs::write(&sound, own.cert.pem()).unwrap();
    let sound = sound.to_str().unwrap();
    for (variables, start, fix) in [
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "secret:4318")][..],
            "OTEL_EXPORTER_OTLP_ENDPOINT: ",
            "http://localhost:4318",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://me:secret@h")],
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: ",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ),
        (
            &[on, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            "OTEL_EXPORTER_OTLP_PROTOCOL: grpc ",
            "4318",
        ),
        (
            &[on, ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json")],
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: http/json ",
            "4318",
        ),
        (
            &[
                on,
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/secret/is/not/there"),
            ],
            "OTEL_EXPORTER_OTLP_CERTIFICATE: the file cannot be read",
            "name one that can",
        ),
        (
            &[on, ("OTEL_EXPORTER_OTLP_CERTIFICATE", secret)],
            "OTEL_EXPORTER_OTLP_CERTIFICATE: ",
            "BEGIN CERTIFICATE",
        ),
        (
            &[on, ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", sound)],
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: has no key",
            "set",
        ),
        (
            &[on, ("OTEL_EXPORTER_OTLP_CLIENT_KEY", secret)],
            "OTEL_EXPORTER_OTLP_CLIENT_KEY: has no certificate",
            "set",
        ),
        (
            &[
                on,
                ("OTEL_EXPORTER_OTLP_CLIENT_KEY", secret),
                ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", sound),
            ],
            "OTEL_EXPORTER_OTLP_CLIENT_KEY: holds no key",
            "BEGIN PRIVATE KEY",
        ),
    ] {
        let error = error(settings(variables));
        assert!(error.starts_with(start) && error.contains(fix), "{error}");
    }
    let on = || Otlp::new().endpoint("http://h/v1/metrics");
    for (otlp, start) in [
        (Otlp::new().endpoint("secret"), "endpoint: "),
        (on().header("host", "secret"), "header: "),
        (on().header("a b", "secret"), "header: "),
        (on().header("a", "secret\n"), "header: "),
        (on().headers("a=b,secret"), "headers: entry 2 "),
        (on().interval(Duration::from_millis(99)), "interval: "),
    ] {
        let error = error(otlp);
        assert!(error.starts_with(start), "{error}");
    }
}

#[test]
fn headers_that_cannot_be_sent_are_left_out_and_told_by_number() {
    let set = settings(&[(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "secret,a=b,host=secret,c d=secret,e=secret%0A,content-type=secret",
    )]);
    assert!(told(&set).contains(" a=b timeout"), "{}", told(&set));
    assert_eq!(set.warnings.len(), 5);
    for (warning, n) in set.warnings.iter().zip([1, 3, 4, 5, 6]) {
        assert!(warning.contains(&format!("entry {n} ")), "{warning}");
        assert!(!warning.contains("secret"), "{warning}");
    }
    let debug = format!(
        "{:?}",
        settings(&[("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")])
    );
    assert!(!debug.contains("secret"), "{debug}");
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
