//! SIGHUP: another configuration for a gateway that runs.
#![cfg(unix)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    ByHand, CHAT, Connection, Gateway, Serve, SocketUpstream, Upstream, echo, open, refused,
    request, stream,
};

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
async fn connections_to_what_did_not_change_are_kept() {
    let kept = |mut connection: Connection| async move {
        while connection.request().await.is_some() {
            connection.write(CHAT).await.unwrap();
        }
    };
    let upstream = ByHand::start(kept).await;
    let with = |more: &str| {
        format!(
            "pool_idle_timeout = '1h'\n{}",
            provider("p", &upstream.url, more)
        )
    };
    let serve = Serve::config(&with("")).env("TEST_P", "sk-ours");
    let gateway = serve.start().await;
    assert_eq!(gateway.chat("p/m").await.0, 200);
    for (more, connections) in [
        ("models = ['m']", 1),
        ("api_key_env = 'TEST_P'", 1),
        ("stream_idle_timeout = '1h'", 2),
    ] {
        let changes = gateway.reloaded(&with(more)).await;
        assert_eq!(changes, "providers changed: p");
        assert_eq!(gateway.chat("p/m").await.0, 200);
        assert_eq!(upstream.connections(), connections, "{more}");
    }
}

#[tokio::test]
async fn a_session_stays_with_its_model_wherever_that_stands_now() {
    let mood = Arc::new(AtomicU16::new(500));
    let moody = Upstream::moody(&mood).await;
    let [one, two] = [Upstream::chat().await, Upstream::chat().await];
    let with = |candidates: &str| {
        let providers = [("moody", &moody), ("one", &one), ("two", &two)];
        let providers = providers.map(|(name, upstream)| provider(name, &upstream.url, ""));
        format!(
            "{}[routes.best]\ncandidates = [{candidates}]",
            providers.concat()
        )
    };
    let gateway = Serve::config(&with("'moody/m', 'one/m'")).start().await;
    let ask = async || {
        let request = gateway.chat_request("best").header("x-session-id", "s");
        assert_eq!(gateway.ask(request).await.0, 200);
        [moody.seen().len(), one.seen().len(), two.seen().len()]
    };
    assert_eq!(ask().await, [1, 1, 0]);
    mood.store(200, SeqCst);
    let changes = gateway.reloaded(&with("'one/m', 'two/m', 'moody/m'")).await;
    assert_eq!(changes, "routes changed: best");
    assert_eq!(ask().await, [1, 2, 0]);
    gateway.reloaded(&with("'two/m', 'moody/m', 'one/m'")).await;
    assert_eq!(ask().await, [1, 3, 0]);
    // Where it led to is none of them any more.
    gateway.reloaded(&with("'two/m'")).await;
    assert_eq!(ask().await, [1, 3, 1]);
    gateway.reloaded(&provider("two", &two.url, "")).await;
    gateway.reloaded(&with("'one/m', 'two/m'")).await;
    assert_eq!(ask().await, [1, 3, 2]);
    let scrape = gateway.scrape().await;
    for (outcome, count) in [("hit", 3.0), ("miss", 2.0), ("store", 2.0)] {
        let series = format!("session_cache_events_total{{outcome=\"{outcome}\"}}");
        assert_eq!(scrape.sum(&series), count, "{outcome}");
    }
}

#[tokio::test]
async fn who_is_left_alone_is_known_until_something_of_it_changes() {
    let mood = Arc::new(AtomicU16::new(500));
    let (moody, well) = (Upstream::moody(&mood).await, Upstream::chat().await);
    let with = |more: &str| {
        let providers = provider("moody", &moody.url, more) + &provider("well", &well.url, "");
        let route = "[routes.best]\ncandidates = ['moody/m', 'well/m']";
        format!("{providers}{route}\ncool_down_after = 1\ncool_down = '1h'")
    };
    let serve = Serve::config(&with("")).env("TEST_P", "sk-ours");
    let gateway = serve.start().await;
    let ask = async || {
        assert_eq!(gateway.chat("best").await.0, 200);
        moody.seen().len()
    };
    assert_eq!((ask().await, ask().await), (1, 1));
    gateway.reloaded(&with("models = ['m']")).await;
    assert_eq!(ask().await, 1);
    // Perhaps it had been for want of a key.
    gateway.reloaded(&with("api_key_env = 'TEST_P'")).await;
    assert_eq!((ask().await, ask().await), (2, 2));
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

/// What was added takes its series from what is kept for that, and is measured without them, too.
#[tokio::test]
async fn series_of_what_was_added_are_bounded() {
    let upstream = Upstream::chat().await;
    let models = |count: usize| {
        let models: Vec<_> = (0..count).map(|n| format!("'m{n}'")).collect();
        provider(
            "p",
            &upstream.url,
            &format!("models = [{}]", models.join(", ")),
        )
    };
    let gateway = Serve::config(&models(1)).start().await;
    gateway.reloaded(&models(1001)).await;
    assert!(
        !gateway.log().contains("no room is left"),
        "{}",
        gateway.log()
    );
    gateway.reloaded(&models(1003)).await;
    gateway
        .logged("no room is left for the series of 2 of")
        .await;
    assert_eq!(gateway.chat("m1000").await.0, 200);
    assert_eq!(gateway.chat("m1002").await.0, 200);
    for model in ["m1000", "other"] {
        let series = format!("llm_upstream_requests_total{{model=\"{model}\",provider=\"p\"}}");
        gateway.expect(&series, 1.0).await;
    }
}

/// Clients that ask all the time, until they are told to stop.
async fn ask_all_the_time(gateway: &Gateway, stop: &AtomicBool, asked: &AtomicU64, model: &str) {
    while !stop.load(SeqCst) {
        let (status, answer) = gateway.chat(model).await;
        assert_eq!(status, 200, "{answer}");
        asked.fetch_add(1, SeqCst);
    }
}

async fn memory(gateway: &Gateway) -> f64 {
    gateway.scrape().await.sum("process_resident_memory_bytes")
}

#[tokio::test]
async fn a_hundred_of_them_lose_no_request_and_leave_nothing() {
    const RELOADS: usize = 100;
    /// What an allocator may keep; each configuration that stayed would be some 200 KiB.
    const MORE_BYTES: f64 = 8e6;
    let upstream = Upstream::chat().await;
    let always = provider("p", &upstream.url, "models = ['m']");
    let variant = |n: usize| {
        let models: Vec<_> = (0..300).map(|model| format!("'m{model}'")).collect();
        let q = provider(
            "q",
            &upstream.url,
            &format!("models = [{}]", models.join(", ")),
        );
        let route = format!("[routes.best]\ncandidates = ['p/m', 'q/m{}']", n % 300);
        match n % 2 {
            0 => format!("{always}{q}{route}"),
            _ => format!("response_header_timeout = '{}s'\n{always}", 100 + n),
        }
    };
    let gateway = Serve::config(&always).start().await;
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let clients = async {
        let client = || ask_all_the_time(&gateway, &stop, &asked, "m");
        tokio::join!(client(), client(), client(), client());
    };
    let reloads = async {
        let mut warm = 0.0;
        for n in 0..RELOADS {
            gateway.reloaded(&variant(n)).await;
            // Some are answered by each of them.
            let before = asked.load(SeqCst);
            while asked.load(SeqCst) < before + 4 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if n == RELOADS / 4 {
                warm = memory(&gateway).await;
            }
        }
        let more = memory(&gateway).await - warm;
        stop.store(true, SeqCst);
        more
    };
    let ((), more) = tokio::join!(clients, reloads);
    #[expect(clippy::cast_precision_loss)] // Far below 2^53.
    let asked = asked.into_inner() as f64;
    gateway
        .expect(
            r#"http_requests_total{handler="llm_chat",status_class="2xx"}"#,
            asked,
        )
        .await;
    let scrape = gateway.scrape().await;
    assert_eq!(
        scrape.sum("http_requests_total{handler=\"llm_chat\"}"),
        asked
    );
    let calls = r#"llm_upstream_requests_total{error_class="none",model="m",provider="p"}"#;
    assert_eq!(scrape.sum(calls), asked);
    assert_eq!(scrape.sum("llm_upstream_requests_total"), asked);
    assert_eq!(scrape.sum("llm_tokens_total"), asked * 21.0);
    assert_eq!(upstream.seen().len() as f64, asked);
    assert_eq!(scrape.sum("http_in_flight_requests"), 0.0);
    assert!(more < MORE_BYTES, "{more} bytes more after {RELOADS}");
    println!("{asked} requests over {RELOADS} reloads, {more} bytes more");
}
