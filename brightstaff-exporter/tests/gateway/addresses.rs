//! Addresses to listen on: what is none, and what is taken, is told of whoever named it.

use std::process::{Command, Stdio};

use tokio::net::TcpListener;

use crate::support::{Serve, refused};

const SOME: &[(&str, &str)] = &[("openai", "http://127.0.0.1:1")];

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    for address in ["", "9092", "nowhere", "0.0.0.0:99999"] {
        for (option, variable, example) in [
            ("--bind", "BIND_ADDRESS", "127.0.0.1:12000"),
            ("--metrics-bind", "METRICS_BIND_ADDRESS", "0.0.0.0:9092"),
        ] {
            let fault = "is no address to listen on";
            let fix = format!("write IP:PORT, for example {example}");
            // It is the one that was read that is at fault: the option, where both are there.
            let given = Serve::upstreams(SOME).arg(option).arg(address);
            let (line, code) = refused(given).await;
            assert_eq!(line, format!("error: {option}: {fault}: {fix}"));
            assert_eq!(code, 2);
            let given = Serve::upstreams(SOME).env(variable, address);
            let (line, code) = refused(given).await;
            assert_eq!(line, format!("error: {variable}: {fault}: {fix}"));
            assert_eq!(code, 2);
        }
    }
}

#[test]
fn addresses_of_the_tools_are_refused_alike() {
    for (arguments, variable, fault) in [
        (
            ["demo", "--bind", "x"],
            "",
            r#"--bind: is no address to listen on: write IP:PORT, for example 127.0.0.1:12000"#,
        ),
        (
            ["demo", "--rate", "1"],
            "x",
            r#"BIND_ADDRESS: is no address to listen on: write IP:PORT, for example 127.0.0.1:12000"#,
        ),
        (
            ["demo", "--metrics-bind", "x"],
            "127.0.0.1:0",
            r#"--metrics-bind: is no address to listen on: write IP:PORT, for example 0.0.0.0:9092"#,
        ),
        (
            ["simulate", "--openai-bind", "x"],
            "",
            r#"--openai-bind: is no address to listen on: write IP:PORT, for example 127.0.0.1:12001"#,
        ),
        (
            ["simulate", "--anthropic-bind", "x"],
            "",
            r#"--anthropic-bind: is no address to listen on: write IP:PORT, for example 127.0.0.1:12002"#,
        ),
        (
            ["simulate", "--each-bind", "x"],
            "",
            r#"--each-bind: is no address to listen on: write IP:PORT, for example 127.0.0.1:12003"#,
        ),
    ] {
        let ran = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"))
            .args(arguments)
            .env("BIND_ADDRESS", variable)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(error, format!("error: {fault}\n"));
        assert_eq!(ran.status.code(), Some(2));
        assert!(ran.stdout.is_empty());
    }
}

#[tokio::test]
async fn taken_ports_are_refused() {
    let holder = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    for (option, variable) in [
        ("--bind", "BIND_ADDRESS"),
        ("--metrics-bind", "METRICS_BIND_ADDRESS"),
    ] {
        for (serve, from) in [
            (Serve::upstreams(SOME).arg(option).arg(&taken), option),
            (Serve::upstreams(SOME).env(variable, &taken), variable),
        ] {
            let (line, code) = refused(serve).await;
            let fix = format!("set {from} to another IP:PORT");
            assert!(line.contains(&taken) && line.contains(&fix), "{line}");
            assert_eq!(code, 1);
        }
    }
}
