//! Starting, and what is told before.

use std::process::{Command, Stdio};

use crate::support::{Serve, Upstream, refused};

#[tokio::test]
async fn the_example_is_sound() {
    let example = include_str!("../../gateway.toml");
    let keyless = |option: &str| {
        let serve = Serve::config(example).arg(option);
        let serve = serve.env("ANTHROPIC_API_KEY", "b");
        serve.env_remove("OPENAI_API_KEY")
    };
    let (line, code) = refused(keyless("--check-keys")).await;
    assert!(line.contains("OPENAI_API_KEY is not set"), "{line}");
    assert_eq!(code, 2);
    let output = keyless("--check").run().await;
    assert!(output.status.success(), "{output:?}");
    let told = "the configuration is sound
POST /anthropic/v1/messages -> https://api.anthropic.com/v1/messages
POST /openai/v1/chat/completions -> https://api.openai.com/v1/chat/completions
POST /v1/messages -> https://api.anthropic.com/v1/messages
POST /v1/chat/completions -> https://api.openai.com/v1/chat/completions
POST /agents/v1/chat/completions -> http://127.0.0.1:8001/v1/chat/completions
";
    let note =
        "note: providers.openai.api_key_env: the environment variable OPENAI_API_KEY is not set\n";
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, format!("{told}{note}"));
    for option in ["--check", "--check-keys"] {
        let output = keyless(option).env("OPENAI_API_KEY", "a").run().await;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), told);
    }
}

/// A check wants none of what only the machine has that serves: keys, tokens, ports. What is there is checked.
#[tokio::test]
async fn a_configuration_is_checked_without_what_is_secret() {
    let upstream = Upstream::chat().await;
    let serving = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let metrics = serving.metrics.strip_prefix("http://").unwrap();
    let metrics = metrics.strip_suffix("/metrics").unwrap();
    let toml = "client_tokens_env = 'TEST_TOKENS'\nclient_tokens_file = '/nonexistent/tokens'
                [providers.p]\nurl = 'http://h'\napi_key_env = 'TEST_P'
                [agents.a]\nurl = 'http://h'\napi_key_env = 'TEST_A'";
    let check = |toml: &str| {
        let serve = Serve::config(toml).arg("--check");
        let serve = serve.arg("--bind").arg(serving.address());
        serve.arg("--metrics-bind").arg(metrics)
    };
    let output = check(toml).run().await;
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    let notes: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("note"))
        .collect();
    assert_eq!(
        notes,
        [
            "note: providers.p.api_key_env: the environment variable TEST_P is not set",
            "note: agents.a.api_key_env: the environment variable TEST_A is not set",
            "note: client_tokens_env: the environment variable TEST_TOKENS is not set",
            "note: client_tokens_file: the file is not there",
        ]
    );
    let (line, code) = refused(check(toml).arg("--check-keys")).await;
    assert!(line.contains(" is not set: set it to the "), "{line}");
    assert_eq!(code, 2);
    let (line, code) = refused(check(toml).env("TEST_A", "a\nb")).await;
    assert!(line.contains("agents.a.api_key_env"), "{line}");
    assert_eq!(code, 2);
    let (_, code) = refused(check(
        "connect_timeout = '0s'\n[providers.p]\nurl = 'http://h'",
    ))
    .await;
    assert_eq!(code, 2);
}

#[tokio::test]
async fn the_version_names_the_commit() {
    let git = |arguments: &[&str]| {
        let folder = env!("CARGO_MANIFEST_DIR");
        let mut git = Command::new("git");
        let output = git.arg("-C").arg(folder).args(arguments).output();
        let output = output.ok().filter(|out| out.status.success())?;
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let binary = env!("CARGO_BIN_EXE_brightstaff-exporter");
    let told = Command::new(binary).arg("--version").output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let version = concat!("brightstaff-exporter ", env!("CARGO_PKG_VERSION"));
    let rest = told.trim_end().strip_prefix(version).expect(&told);

    let upstream = Upstream::chat().await;
    let gateway = Serve::upstreams(&[("p", &upstream.url)]).start().await;
    let scrape = gateway.scrape().await;
    let build = scrape.naming("build_info{");
    let sha = build[0].split("git_sha=\"").nth(1).unwrap();
    let sha = sha.split('"').next().unwrap();
    if sha == "unknown" {
        assert_eq!(rest, "");
    } else {
        let shown = &sha[..sha.len().min(12)];
        assert!(rest.starts_with(&format!(" ({shown}")), "{told}");
    }
    // The tests of a package that was unpacked are in no checkout of it.
    let tracked = git(&["ls-files", "--error-unmatch", "Cargo.toml"]);
    if option_env!("GIT_SHA").is_none() && tracked.is_some() {
        let head = git(&["log", "-1", "--format=%H %cs"]).unwrap();
        let (commit, date) = head.split_once(' ').unwrap();
        assert_eq!(sha, commit);
        assert_eq!(rest, format!(" ({} {date})", &commit[..12]));
    }
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
