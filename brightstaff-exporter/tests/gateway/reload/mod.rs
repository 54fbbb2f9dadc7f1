//! SIGHUP: another configuration for a gateway that runs.
#![cfg(unix)]

mod bounds;
mod kept;

use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Serve, SocketUpstream, Upstream, echo, open, refused, request, stream};

fn provider(name: &str, url: &str, more: &str) -> String {
    format!("[providers.{name}]\nurl = '{url}'\n{more}\n")
}

/// An upstream whose chunks are sent by hand.
async fn by_chunks() -> (
    Upstream,
    mpsc::UnboundedReceiver<mpsc::UnboundedSender<bytes::Bytes>>,
) {
    let (sender, streams) = mpsc::unbounded_channel();
    let upstream = Upstream::start(move |_| {
        let (chunks, response) = stream();
        chunks.send("data: {}\n\n".into()).unwrap();
        sender.send(chunks).unwrap();
        async { response }
    })
    .await;
    (upstream, streams)
}

#[tokio::test]
async fn what_comes_next_meets_the_new_file_and_what_is_on_its_way_goes_on() {
    let (old, mut streams) = by_chunks().await;
    let new = Upstream::chat().await;
    let gateway = Serve::config(&provider("old", &old.url, "")).start().await;
    let mut answer = gateway.chat_request("old/m").send().await.unwrap();
    let chunks = streams.recv().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "data: {}\n\n");

    let changes = gateway
        .reloaded(&provider("new", &new.url, "models = ['listed']"))
        .await;
    assert_eq!(changes, "providers added: new; providers removed: old");
    let scrape = gateway.scrape().await;
    let listed = r#"model="listed",provider="new""#;
    assert!(!scrape.naming(listed).is_empty(), "declared");
    assert_eq!(scrape.sum("llm_upstream_in_flight{provider=\"old\"}"), 1.0);
    assert_eq!(gateway.chat("listed").await.0, 200);
    assert_eq!(new.only().json()["model"], "listed");
    assert_eq!(gateway.get("/v1/models").await.status(), 200);
    assert_eq!(gateway.chat("new/unlisted").await.0, 200);
    gateway
        .expect(
            "llm_upstream_requests_total{provider=\"new\",model=\"other\"}",
            1.0,
        )
        .await;

    let last = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}\n\ndata: [DONE]\n\n";
    chunks.send(last.into()).unwrap();
    drop(chunks);
    assert_eq!(answer.bytes().await.unwrap(), last);
    let counted =
        r#"llm_upstream_requests_total{error_class="none",provider="old",status_class="2xx"}"#;
    gateway.expect(counted, 1.0).await;
    let scrape = gateway.scrape().await;
    assert_eq!(scrape.sum("llm_upstream_in_flight"), 0.0);
    assert_eq!(scrape.sum("llm_tokens_total{provider=\"old\"}"), 12.0);
    assert_eq!(scrape.sum("http_in_flight_requests"), 0.0);
}

#[tokio::test]
async fn a_socket_stays_open() {
    let upstream = SocketUpstream::echo().await;
    let other = Upstream::chat().await;
    let gateway = Serve::config(&provider("p", &upstream.url, ""));
    let gateway = gateway.start().await;
    let (mut client, _) = open(&gateway, request("/v1/realtime")).await.unwrap();
    gateway.reloaded(&provider("q", &other.url, "")).await;
    echo(&mut client, Message::text("still here")).await;
    let in_flight = r#"http_in_flight_requests{handler="realtime"}"#;
    gateway.expect(in_flight, 1.0).await;
    drop(client);
    gateway.expect(in_flight, 0.0).await;
}

#[tokio::test]
async fn what_is_wrong_is_one_line_and_changes_nothing() {
    let upstream = Upstream::chat().await;
    let good = provider("p", &upstream.url, "models = ['m']");
    let gateway = Serve::config(&good).env_remove("TEST_UNSET").start().await;
    let mut before = 0;
    for bad in [
        "[providers.p]\nurl = 'h'",
        "[providers.q]\nurl = 'http://h'\nmodels = ['x']\napi_key_env = 'TEST_UNSET'",
        "client_tokens_env = 'TEST_UNSET'\n[providers.q]\nurl = 'http://h'\nmodels = ['x']",
        "",
    ] {
        let serve = Serve::config(bad).env_remove("TEST_UNSET");
        let (line, _) = refused(serve).await;
        let fault = line
            .rsplit_once("gateway.toml: ")
            .map_or(line.strip_prefix("error: ").unwrap(), |(_, fault)| fault);
        gateway.reload(bad);
        let said = gateway.logged(fault).await;
        assert!(
            said.contains("SIGHUP: the configuration stays as it was: "),
            "{said}"
        );
        assert!(said.ends_with(fault), "{said}");
        before += 1;
        let log = gateway.log();
        assert_eq!(log.matches("SIGHUP").count(), before, "{log}");
        assert_eq!(gateway.chat("m").await.0, 200);
    }
    assert_eq!(gateway.scrape().await.naming("provider=\"q\"").len(), 0);
    assert_eq!(gateway.reloaded(&good).await, "nothing has changed");

    let nothing = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    nothing.signal("HUP");
    nothing.logged("SIGHUP: there is no file of --config").await;
    assert_eq!(nothing.chat("m").await.0, 200);
}

#[tokio::test]
async fn who_may_ask_and_how_much_changes_at_once() {
    let upstream = Upstream::chat().await;
    let p = provider("p", &upstream.url, "");
    let serve = Serve::config(&p).env("TEST_TOKENS", "0123456789abcdef");
    let gateway = serve.start().await;
    assert_eq!(gateway.chat("m").await.0, 200);
    let changes = gateway
        .reloaded(&format!("max_request_bytes = 10\n{p}"))
        .await;
    assert_eq!(changes, "other values of max_request_bytes");
    assert_eq!(gateway.chat("m").await.0, 413);
    gateway
        .reloaded(&format!("client_tokens_env = 'TEST_TOKENS'\n{p}"))
        .await;
    assert_eq!(gateway.chat("m").await.0, 401);
    let shown = gateway.chat_request("m").bearer_auth("0123456789abcdef");
    assert_eq!(gateway.ask(shown).await.0, 200);
    let ask = |name: &'static str, value: &'static str| {
        let request = gateway.chat_request("m").header(name, value);
        async { gateway.ask(request).await.0 }
    };
    gateway
        .reloaded(&format!(
            "cors_origins = ['https://app.example']\nallowed_hosts = ['gw.example']\n{p}"
        ))
        .await;
    assert_eq!(ask("origin", "https://app.example").await, 200);
    assert_eq!(ask("host", "gw.example").await, 200);
    gateway.reloaded(&p).await;
    assert_eq!(ask("origin", "https://app.example").await, 403);
    assert_eq!(ask("host", "gw.example").await, 403);
}

#[tokio::test]
async fn what_a_restart_alone_changes_is_named_in_one_line() {
    let upstream = Upstream::chat().await;
    let p = provider("p", &upstream.url, "");
    let gateway = Serve::config(&p).start().await;
    let more = "max_connections = 1\nsessions.ttl = '1s'\nmetrics.native_histograms = true\n";
    gateway.reloaded(&format!("{more}{p}open_models = 7")).await;
    let line = gateway.logged("only a restart changes").await;
    let keys = "max_connections, sessions.ttl, metrics, providers.p.open_models";
    assert!(
        line.ends_with(&format!("keep their values: {keys}")),
        "{line}"
    );
    assert_eq!(gateway.chat("m").await.0, 200);
    gateway.reloaded(&p).await;
    assert_eq!(gateway.log().matches("only a restart").count(), 1);
}
