//! Starting, and refusing to.

use std::process::{Command, Stdio};

use tokio::net::TcpListener;

use crate::support::{Serve, Upstream, refused};

const SOME: &[(&str, &str)] = &[("openai", "http://127.0.0.1:1")];

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    for address in ["", "9092", "nowhere", "0.0.0.0:99999"] {
        let (line, code) = refused(Serve::upstreams(SOME).arg("--metrics-bind").arg(address)).await;
        let start = format!("error: METRICS_BIND_ADDRESS: {address:?} is no address");
        assert!(
            line.starts_with(&start) && line.contains("write IP:PORT"),
            "{line}"
        );
        assert_eq!(code, 2);
    }
    let (line, code) = refused(Serve::upstreams(SOME).arg("--bind").arg("localhost")).await;
    assert!(
        line.starts_with("error: --bind: \"localhost\" is no address"),
        "{line}"
    );
    assert_eq!(code, 2);
}

#[tokio::test]
async fn the_variable_is_read_and_never_replaced() {
    let binary = env!("CARGO_BIN_EXE_brightstaff-exporter");
    let output = tokio::process::Command::new(binary)
        .args(["serve", "--upstream", "openai=http://127.0.0.1:1"])
        .env("METRICS_BIND_ADDRESS", "oops")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("METRICS_BIND_ADDRESS: \"oops\""), "{line}");
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn taken_ports_are_refused() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let (line, code) = refused(Serve::upstreams(SOME).arg("--metrics-bind").arg(&taken)).await;
    assert!(
        line.contains(&taken) && line.contains("set METRICS_BIND_ADDRESS"),
        "{line}"
    );
    assert_eq!(code, 1);
    let (line, code) = refused(Serve::upstreams(SOME).arg("--bind").arg(&taken)).await;
    assert!(
        line.contains(&taken) && line.contains("set --bind"),
        "{line}"
    );
    assert_eq!(code, 1);
}

#[tokio::test]
async fn bad_configurations_are_refused_in_one_line() {
    let p = "[providers.p]\nurl = 'http://h'\n";
    for (config, expected) in [
        ("", "providers: nothing to forward to"),
        ("[providers.p]", "missing field `url`"),
        ("[providers.p]\nurl = 'h'", "line 2: \"h\" is no URL"),
        (
            "[providers.p]\nurl = 'http://h'\nkey = 1",
            "line 3: unknown field `key`",
        ),
        ("connect_timeout = '10'", "line 1: \"10\" is no duration"),
        (
            &format!("connect_timeout = '0s'\n{p}"),
            "connect_timeout: must be longer than 0",
        ),
        (
            &format!("sessions.capacity = 0\n{p}"),
            "sessions.capacity: must be more than 0",
        ),
        (
            &format!("{p}api_key_env = 'UNSET_VARIABLE'"),
            "providers.p.api_key_env: the environment variable UNSET_VARIABLE is not set",
        ),
        (
            &format!("{p}api_key_env = 'sk-secret'"),
            "providers.p.api_key_env: must be the name",
        ),
        (
            &format!("{p}models = ['']"),
            "providers.p.models: \"\" cannot be a label",
        ),
        (
            &format!("{p}[agents.p]\nurl = 'http://h'"),
            "agents.p: a provider has this name",
        ),
        (
            &format!("{p}[providers.'a/b']\nurl = 'http://h'"),
            "providers.a/b: no name may hold a slash",
        ),
        (
            &format!("{p}[routes.r]\ncandidates = []"),
            "routes.r.candidates: is empty",
        ),
        (
            &format!("{p}[routes.r]\ncandidates = ['m']"),
            "line 4: \"m\" is no candidate",
        ),
        (
            &format!("{p}[routes.r]\ncandidates = ['q/m']"),
            "routes.r.candidates: \"q/m\" leads nowhere: add [providers.q]",
        ),
        (
            &format!("{p}[routes.r]\ncandidates = ['p/m', 'p/m']"),
            "names \"p/m\" twice",
        ),
        (
            &format!("{p}models = ['r']\n[routes.r]\ncandidates = ['p/m']"),
            "routes.r: a model or an agent has this name",
        ),
    ] {
        let (line, code) = refused(Serve::config(config)).await;
        assert!(
            line.starts_with("error: ") && line.contains(expected),
            "{config:?}: {line}"
        );
        assert!(!line.contains("sk-secret"), "{line}");
        assert_eq!(code, 2, "{line}");
    }
    let (line, _) = refused(Serve::upstreams(&[("openai", "ftp://h")])).await;
    assert!(
        line.contains("--upstream openai: \"ftp://h\" is neither http nor https"),
        "{line}"
    );
}

#[tokio::test]
async fn the_example_is_sound() {
    let example = include_str!("../../gateway.toml");
    let serve = Serve::config(example).arg("--check");
    let serve = serve.env("ANTHROPIC_API_KEY", "b");
    let (line, _) = refused(serve.env_remove("OPENAI_API_KEY")).await;
    assert!(line.contains("OPENAI_API_KEY is not set"), "{line}");
    let serve = Serve::config(example)
        .env("OPENAI_API_KEY", "a")
        .env("ANTHROPIC_API_KEY", "b");
    let output = serve.arg("--check").run().await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"the configuration is sound\n");
}

#[test]
fn a_reader_that_left_stops_nothing() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
        .args([
            "serve",
            "--check",
            "--upstream",
            "openai=http://127.0.0.1:1",
        ])
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

#[tokio::test]
async fn configured_pairs_are_there_before_the_first_request() {
    let nobody = Upstream::nobody().await;
    let config = format!(
        "[providers.p]\nurl = '{nobody}'\nmodels = ['listed']\n[agents.a]\nurl = '{nobody}'
         [routes.r]\ncandidates = ['p/routed']"
    );
    let gateway = Serve::config(&config).start().await;
    let scrape = gateway.scrape().await;
    for (provider, model) in [("p", "listed"), ("p", "routed"), ("a", "agent")] {
        let labels = format!(r#"model="{model}",provider="{provider}""#);
        let tokens = format!("brightstaff_llm_tokens_total{{kind=\"prompt\",{labels}}}");
        assert_eq!(scrape.naming(&tokens).len(), 1, "{tokens}");
    }
    assert_eq!(scrape.sum("build_info"), 1.0);
}
