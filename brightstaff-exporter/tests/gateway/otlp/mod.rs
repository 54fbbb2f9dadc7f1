//! Metrics that are pushed over OTLP.

mod decoded;

use std::process::Stdio;

use axum::{http::StatusCode, response::Response};
use tokio::process::Command;

use self::decoded::Pushed;
use crate::{
    drain::closed,
    support::{Gateway, Serve, Upstream, eventually, refused, stream},
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const REQUESTS: &str = "brightstaff_http_requests_total";
const EXPORTS: &str = "otlp_exports_total";

/// A receiver that takes everything.
async fn receiver() -> Upstream {
    Upstream::start(|_| async { Response::new("".into()) }).await
}

fn serve(provider: &Upstream, receiver: &Upstream) -> Serve {
    let serve = Serve::upstreams(&[("p", &provider.url)]);
    serve.env(ENDPOINT, &receiver.url)
}

/// Waits until so many exports have come to this end.
async fn exported(gateway: &Gateway, outcome: &str, count: f64) {
    let series = format!("{EXPORTS}{{outcome=\"{outcome}\"}}");
    let what = format!("{count} of {series}");
    eventually(&what, async || gateway.scrape().await.sum(&series) >= count).await;
}

#[tokio::test]
async fn what_is_scraped_is_pushed() {
    let (provider, receiver) = (Upstream::chat().await, receiver().await);
    let gateway = serve(&provider, &receiver)
        .env(INTERVAL, "100")
        .start()
        .await;
    assert_eq!(gateway.chat("m").await.0, 200);
    let chats = [("handler", "llm_chat"), ("status_class", "2xx")];
    eventually("the request is pushed", async || {
        let seen = receiver.seen();
        let last = seen.last().map(Pushed::of);
        last.is_some_and(|last| last.sum(REQUESTS, &chats) == Some(1.0))
    })
    .await;
    let first = receiver.seen().remove(0);
    assert_eq!(
        (first.method.as_str(), first.target.as_str()),
        ("POST", "/v1/metrics")
    );
    assert_eq!(first.header("content-type"), Some("application/x-protobuf"));
    let pushed = Pushed::of(&first);
    assert_eq!(pushed.resource("service.name"), Some("brightstaff"));
    // One process is one instance.
    let instance = pushed.resource("service.instance.id").unwrap().to_owned();
    assert_eq!(instance.len(), 36);
    exported(&gateway, "ok", 2.0).await;
    for seen in receiver.seen() {
        assert_eq!(
            Pushed::of(&seen).resource("service.instance.id"),
            Some(instance.as_str())
        );
    }
    // Every outcome is there, and pushed, before it is the first.
    assert_eq!(
        pushed.sum("brightstaff_otlp_exports_total", &[("outcome", "rejected")]),
        Some(0.0)
    );
    // What nobody pushes has no such series.
    let gateway = Serve::upstreams(&[("p", &provider.url)]).start().await;
    assert_eq!(gateway.scrape().await.naming(EXPORTS), [""; 0]);
}

/// What is counted for the view alone is counted where it is pushed.
#[tokio::test]
async fn the_view_of_generative_ai_is_pushed() {
    let (provider, receiver) = (Upstream::chat().await, receiver().await);
    let toml = |view: &str| {
        let (provider, receiver) = (&provider.url, &receiver.url);
        format!(
            "[providers.openai]\nurl = '{provider}'\n
             [otlp]\nendpoint = '{receiver}/v1/metrics'\ngen_ai = '{view}'"
        )
    };
    for (n, (view, tokens)) in [("latest", Some(9.0)), ("off", None)]
        .into_iter()
        .enumerate()
    {
        let gateway = Serve::config(&toml(view)).start().await;
        assert_eq!(gateway.chat("m").await.0, 200);
        gateway
            .expect("llm_tokens_total{kind=\"prompt\"}", 9.0)
            .await;
        gateway.signal("TERM");
        assert_eq!(gateway.ended().await, 0);
        let pushed = Pushed::of(&receiver.seen()[n]);
        let chats = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
        ];
        assert_eq!(
            pushed.sum("gen_ai.client.inference.usage.input_tokens", &chats),
            tokens
        );
    }
}

/// A failure shows no API: the gateway knows what its endpoints are for.
#[tokio::test]
async fn what_failed_is_told_by_its_endpoint() {
    let refuses = |_| async {
        let mut response = Response::new("".into());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    };
    let (provider, receiver) = (Upstream::start(refuses).await, receiver().await);
    let (url, endpoint) = (&provider.url, &receiver.url);
    let gateway = Serve::config(&format!(
        "[providers.mistral]\nurl = '{url}'\n
         [otlp]\nendpoint = '{endpoint}/v1/metrics'\ngen_ai = 'latest'"
    ))
    .start()
    .await;
    for path in ["/v1/embeddings", "/v1/completions", "/v1/rerank"] {
        let request = gateway.post(path, r#"{"model":"m","input":"a"}"#);
        assert_eq!(request.send().await.unwrap().status(), 503, "{path}");
    }
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
    let seen = receiver.seen();
    let pushed = Pushed::of(seen.last().unwrap());
    for operation in ["embeddings", "text_completion", "rerank", "chat"] {
        let calls = [
            ("gen_ai.operation.name", operation),
            ("gen_ai.provider.name", "mistral_ai"),
        ];
        let tokens = pushed.sum("gen_ai.client.inference.usage.input_tokens", &calls);
        assert_eq!(tokens, (operation != "chat").then_some(0.0), "{operation}");
    }
}

/// The last export comes when the last response is over.
#[tokio::test]
async fn the_last_numbers_arrive() {
    let (chunks, response) = stream();
    let response = std::sync::Mutex::new(Some(response));
    let response = std::sync::Arc::new(response);
    let provider = Upstream::start(move |_| {
        let response = response.lock().unwrap().take().unwrap();
        async { response }
    })
    .await;
    let receiver = receiver().await;
    let gateway = serve(&provider, &receiver).start().await;
    chunks.send("data: {}\n\n".into()).unwrap();
    let mut answer = gateway.chat_request("m").send().await.unwrap();
    answer.chunk().await.unwrap().unwrap();
    gateway.signal("TERM");
    closed(&gateway).await;
    assert_eq!(receiver.seen().len(), 0);
    chunks.send("data: [DONE]\n\n".into()).unwrap();
    drop(chunks);
    while answer.chunk().await.unwrap().is_some() {}
    assert_eq!(gateway.ended().await, 0);
    let pushed = Pushed::of(&receiver.only());
    let in_flight = pushed.sum("brightstaff_http_in_flight_requests", &[]);
    let ended = pushed.sum(
        "brightstaff_llm_upstream_requests_total",
        &[("error_class", "none"), ("status_class", "2xx")],
    );
    assert_eq!((in_flight, ended), (Some(0.0), Some(1.0)));
}

/// Whatever the receiver does, requests are answered, and the end comes.
#[tokio::test]
async fn a_receiver_that_stalls_holds_nothing_up() {
    let (provider, receiver) = (Upstream::chat().await, Upstream::silent().await);
    let serve = serve(&provider, &receiver).env(INTERVAL, "100");
    let gateway = serve.arg("--drain").arg("1s").start().await;
    eventually("it is asked", async || !receiver.seen().is_empty()).await;
    for _ in 0..50 {
        assert_eq!(gateway.chat("m").await.0, 200);
    }
    gateway
        .expect(
            "http_requests_total{handler=\"llm_chat\",status_class=\"2xx\"}",
            50.0,
        )
        .await;
    gateway.signal("TERM");
    assert_eq!(gateway.ended().await, 0);
}

/// No response of a receiver is kept, and none makes the process grow.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn large_responses_leave_nothing_behind() {
    let provider = Upstream::chat().await;
    let large = bytes::Bytes::from(vec![b'x'; 10 << 20]);
    let receiver = Upstream::start(move |_| {
        let response = Response::new(large.clone().into());
        async { response }
    })
    .await;
    let gateway = serve(&provider, &receiver)
        .env(INTERVAL, "100")
        .start()
        .await;
    let resident = async || {
        gateway
            .scrape()
            .await
            .of("process_resident_memory_bytes")
            .unwrap()
    };
    exported(&gateway, "ok", 3.0).await;
    let before = resident().await;
    exported(&gateway, "ok", 30.0).await;
    let grown = resident().await - before;
    assert!(grown < 16_777_216.0, "{grown}");
}

#[tokio::test]
async fn refusals_and_failures_are_counted_and_told_once() {
    let provider = Upstream::chat().await;
    let receiver = Upstream::json(404, "404 page not found").await;
    let serve = Serve::upstreams(&[("p", &provider.url)]).env(INTERVAL, "100");
    let endpoint = format!("{}/api/v1/otlp", receiver.url);
    let gateway = serve
        .env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &endpoint)
        .start()
        .await;
    exported(&gateway, "rejected", 3.0).await;
    let line = gateway.logged("404 Not Found").await;
    assert!(
        line.contains(&format!("{endpoint}/v1/metrics may be meant")),
        "{line}"
    );
    let warned = gateway
        .log()
        .lines()
        .filter(|line| line.contains(" WARN ") && line.contains("404"))
        .count();
    assert_eq!(warned, 1);

    let serve = Serve::upstreams(&[("p", &provider.url)]).env(INTERVAL, "100");
    let gateway = serve.env(ENDPOINT, &Upstream::nobody().await).start().await;
    exported(&gateway, "failed", 3.0).await;
    gateway.logged("cannot connect").await;
}

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
        line.starts_with("error: otlp.headers: entry 1 ") && code == 2,
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

/// The last export of the demo has what its table is about.
#[tokio::test]
async fn the_demo_is_pushed() {
    let receiver = receiver().await;
    let demo = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
        .args([
            "demo",
            "--bind",
            "127.0.0.1:0",
            "--metrics-bind",
            "127.0.0.1:0",
        ])
        .args(["--duration", "1s", "--rate", "20"])
        .env(ENDPOINT, &receiver.url)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(demo.stdout).unwrap();
    assert!(demo.status.success(), "{text}");
    let to = format!("metrics pushed to {}/v1/metrics every 60s\n", receiver.url);
    assert!(
        text.contains(&to) && text.contains("the last export over OTLP: ok\n"),
        "{text}"
    );
    let pushed = Pushed::of(&receiver.only());
    assert_eq!(pushed.sum(REQUESTS, &[]), Some(20.0));
}
