//! Where metrics are pushed to, by the file and by the environment.

use super::{ENDPOINT, receiver};
use crate::support::{Serve, Upstream, refused};

fn check(toml: &str) -> Serve {
    let toml = format!("[providers.p]\nurl = 'http://p'\n{toml}");
    Serve::config(&toml).arg("--check")
}

async fn checked(serve: Serve) -> String {
    let output = serve.run().await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const FILE: &str = "[otlp]\nendpoint = 'http://file:4318/v1/metrics'\ninterval = '5s'";

/// The environment wins over the file, key by key.
#[tokio::test]
async fn a_check_tells_where_metrics_are_pushed() {
    assert!(!checked(check("")).await.contains("pushed"));
    let file = "metrics pushed to http://file:4318/v1/metrics every 5s\n";
    assert!(checked(check(FILE)).await.contains(file));
    let env = checked(check(FILE).env(ENDPOINT, "http://env:4318")).await;
    assert!(
        env.contains("metrics pushed to http://env:4318/v1/metrics every 5s\n"),
        "{env}"
    );
    for (variable, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ] {
        assert!(
            !checked(check(FILE).env(variable, value))
                .await
                .contains("pushed")
        );
    }
    // Headers that are not there are told, and needed only by who serves.
    let headers = format!("{FILE}\nheaders_env = 'TEST_OTLP_HEADERS'");
    let told = checked(check(&headers)).await;
    let note = "note: otlp.headers_env: the environment variable TEST_OTLP_HEADERS is not set\n";
    assert!(told.contains(file) && told.contains(note), "{told}");
    let (line, code) = refused(check(&headers).arg("--check-keys")).await;
    assert!(line.contains("otlp.headers_env: ") && code == 2, "{line}");
    let wrong = check(&headers).env("TEST_OTLP_HEADERS", "authorization");
    let (line, code) = refused(wrong).await;
    assert!(
        line.starts_with("error: otlp.headers_env: entry 1 ") && code == 2,
        "{line}"
    );
}

#[tokio::test]
async fn what_cannot_be_pushed_stops_the_start() {
    for (variable, value, start) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "grpc is not spoken here: write http/protobuf, which receivers take on port 4318",
        ),
        (ENDPOINT, "collector:4318", "is no URL of a receiver"),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "/nowhere",
            "the file cannot be read",
        ),
    ] {
        // Of a certificate, only what is secured has need.
        let serve = check("")
            .env(ENDPOINT, "https://collector")
            .env(variable, value);
        let (line, code) = refused(serve).await;
        assert!(
            line.starts_with(&format!("error: {variable}: {start}")) && code == 2,
            "{line}"
        );
    }
}

#[tokio::test]
async fn only_a_restart_changes_it() {
    let (provider, receiver) = (Upstream::chat().await, receiver().await);
    let url = &provider.url;
    let toml = |interval: &str| {
        format!(
            "[providers.p]\nurl = '{url}'\n[otlp]\nendpoint = '{}/v1/metrics'\ninterval = '{interval}'",
            receiver.url
        )
    };
    let gateway = Serve::config(&toml("1h")).start().await;
    assert_eq!(
        gateway.reloaded(&toml("100ms")).await,
        "nothing has changed"
    );
    let line = gateway.logged("only a restart changes").await;
    assert!(line.ends_with(": otlp"), "{line}");
    gateway.reload(&toml("1ms"));
    gateway.logged("otlp.interval: is too short").await;
}
