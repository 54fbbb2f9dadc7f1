//! What is wrong, and that nothing secret is shown.

use std::{fs, time::Duration};

use prometheus::Registry;

use super::{settings, told};
use crate::otlp::Otlp;

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

#[tokio::test]
async fn nobody_is_shown_the_query_of_an_endpoint() {
    let url = "http://127.0.0.1:4318/v1/metrics?api-key=secret-key";
    let otlp = settings(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", url)]);
    assert!(!format!("{otlp:?}").contains("secret"));
    let push = otlp.push(&Registry::new()).unwrap().unwrap();
    assert!(!format!("{push:?}").contains("secret"), "{push:?}");
}
