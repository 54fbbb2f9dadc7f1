//! A secret that stands in the wrong place is not repeated, whatever is wrong.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

/// One that looks like a key, and one that could be anything.
const SECRETS: [&str; 2] = ["sk-hunter2", "hunter2"];

/// Documents that hold a secret, and a fault, for each place that both can have.
const DOCUMENTS: &[&str] = &[
    // URLs, of which nothing is a secret's place.
    "[providers.p]\nurl = 'https://me:$@host'",
    "[providers.p]\nurl = 'https://$@host'",
    "[providers.p]\nurl = 'https://me:$@host:99999'",
    "[providers.p]\nurl = 'https://host?key=$'",
    "[providers.p]\nurl = 'https://host#$'",
    "[providers.p]\nurl = 'https://host:$'",
    "[providers.p]\nurl = 'ftp://me:$@host/$?$#$'",
    "[providers.p]\nurl = '$://host'",
    "[providers.p]\nurl = '$'",
    "[providers.p]\nurl = 'http://[$'",
    "[agents.a]\nurl = 'https://me:$@host:99999'",
    "[providers.p]\nurl = 'https://host/$'\n[agents.p]\nurl = 'https://host/$'",
    // Keys.
    "$ = 1",
    "'$' = 1",
    "$.url = 1",
    "[$]\nurl = 1",
    "[[$]]\nurl = 1",
    "[sessions]\n$ = 1",
    "[sessions.$]\nttl = 1",
    "[providers.p]\nurl = 'http://h'\n$ = 1",
    "[providers.p.$]\nurl = 'http://h'",
    "[providers.p]\nurl = 'http://h'\nurl.$ = 1",
    "[agents.a]\nurl = 'http://h'\n$ = 1",
    "[routes.r]\ncandidates = ['p/m']\n$ = 1",
    "providers.p = { url = 'http://h', $ = 1 }",
    // Duplicates.
    "$ = 1\n$ = 2",
    "[$]\n[$]",
    "[providers.p]\nurl = 'http://h'\n$ = 1\n$ = 2",
    "[providers.p]\nurl = 'http://$'\nurl = 'http://$'",
    "providers.p = { $ = 1, $ = 2 }",
    // What does not parse.
    "$",
    "$ =",
    "= $",
    "[$",
    "[[$",
    "connect_timeout = $",
    "connect_timeout $",
    "connect_timeout = '1s' $",
    "connect_timeout = \"$",
    "connect_timeout = \"\\$\"",
    "cors_origins = [$",
    "cors_origins = ['a' '$']",
    "[providers.p]\n$",
    "[providers.p]\nurl $",
    "[providers.p]\napi_key_env = $",
    "[providers.p]\napi_key_env: $",
    "[providers.p]\nurl = 'https://me:$@host",
    "[providers.p] $",
    "[providers.p $]",
    "providers.p = { url = 'http://h', $ }",
    "providers.p = { url = 'http://h' $",
    "\u{feff}\u{0}$",
    // Where metrics are pushed to.
    "[otlp]\n$ = 1",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nendpoint = '$'",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nendpoint = 'https://me:$@host/v1/metrics'",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nendpoint = 'https://host/v1/metrics?key=$'",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nendpoint = 'https://$'",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nheaders = { authorization = '$' }",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nheaders = { x-api-key = '$' }",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nheaders = { '$ $' = 'a' }",
    "[otlp]\nheaders = { $ = 1 }",
    "[otlp]\nheaders = '$'",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nheaders_env = '$'",
    "[otlp]\nresource_attributes = { $ = 1 }",
    "[otlp]\ncompression = '$'",
    "[otlp]\ntemporality = '$'",
    "[otlp]\nhistograms = '$'",
    "[otlp]\ngen_ai = '$'",
    "[otlp]\ninterval = '$'",
    "[providers.p]\nurl = 'http://h'\n[otlp]\nclient_key = '$'",
    // Values of another type or shape.
    "connect_timeout = '$'",
    "connect_timeout = ['$']",
    "response_header_timeout = '$'",
    "max_request_bytes = '$'",
    "max_request_bytes = '$, expected usize'",
    "client_tokens_env = ['$']",
    "client_tokens_env = '$'\n[providers.p]\nurl = 'http://h'",
    "client_tokens_env = '$ $'\n[providers.p]\nurl = 'http://h'",
    "client_tokens_env = '$'\n[providers.p]\nurl = 'http://h'\napi_key_env = '$'",
    "client_tokens_file = { $ = 1 }",
    "client_tokens_file = '/nowhere/$'\n[providers.p]\nurl = 'http://h'",
    "cors_origins = '$'",
    "cors_origins = ['https://me:$@host']",
    "cors_origins = ['$']",
    "allowed_hosts = '$'",
    "allowed_hosts = ['me:$@host']",
    "providers = '$'",
    "providers = ['$']",
    "providers.p = '$'",
    "[providers.p]\nurl = ['$']",
    "[providers.p]\nurl = { $ = '$' }",
    "[providers.p]\nurl = 'http://h'\napi = '$'",
    "[providers.p]\nurl = 'http://h'\napi = '$`, expected `$'",
    "[providers.p]\nurl = 'http://h'\napi = { $ = 1 }",
    "[providers.p]\nurl = 'http://h'\napi_key_env = '$'",
    "[providers.p]\nurl = 'http://h'\napi_key_env = '$=1'",
    "[providers.p]\nurl = 'http://h'\napi_key_env = ['$']",
    "[providers.p]\nurl = 'http://h'\nmodels = '$'",
    "[providers.p]\nurl = 'http://h'\nmodels = [['$']]",
    "[providers.p]\nurl = 'http://h'\nmodels = [\"\\u0001$\"]",
    "[providers.p]\nurl = 'http://h'\ninclude_usage = '$'",
    "[agents.a]\nurl = 'http://h'\napi_key_env = '$'",
    "[agents.a]\nurl = 'http://h'\napi_key_env = '$ $'",
    "routes.r = '$'",
    "[routes.r]\ncandidates = '$'",
    "[routes.r]\ncandidates = ['$']",
    "[providers.p]\nurl = 'http://h'\n[routes.r]\ncandidates = ['$/m']",
    "[providers.p]\nurl = 'http://h'\n[routes.r]\ncandidates = ['agents/$']",
    "[providers.p]\nurl = 'http://h'\n[routes.r]\ncandidates = ['p/$', 'p/$']",
    "[providers.p]\nurl = 'http://h'\n[routes.r]\ncandidates = [\"p/\\u0001$\"]",
    "sessions = '$'",
    "[sessions]\nttl = '$'",
    "[sessions]\ncapacity = '$'",
];

/// The same, where only what looks like a key is taken for one: elsewhere it is a name.
const NAMES: &[&str] = &[
    "[providers.$]\nurl = 1",
    "[providers]\n$ = 1",
    "[providers.$",
    "[providers.$]\nurl = 'http://h'\nmodels = ['']",
    "[providers.'$/a']\nurl = 'http://h'",
    "[providers.$]\nurl = 'http://h'\napi_key_env = 'UNSET_VARIABLE'",
    "[agents.$]\nurl = 'http://h'\napi_key_env = 'UNSET_VARIABLE'",
    "[providers.$]\nurl = 'http://h'\n[agents.$]\nurl = 'http://h'",
    "[providers.p]\nurl = 'http://h'\n[routes.$]\ncandidates = []",
];

/// Command lines that hold a secret, and a fault.
const COMMANDS: &[&[&str]] = &[
    &["$"],
    &["--$"],
    &["--config=$"],
    &["serve", "$"],
    &["serve", "https://me:$@host"],
    &["serve", "--$"],
    &["serve", "--$=$"],
    &["serve", "--upstrem=$"],
    &["serve", "--upstream-$", "a"],
    &["serve", "-x$"],
    &["serve", "--check=$", "--upstream", "p=http://h"],
    &["serve", "--upstream", "$"],
    &["serve", "--upstream", "https://me:$@host"],
    &["serve", "--upstream", "https://me:$@host?a=b"],
    &["serve", "--upstream", "p=$"],
    &["serve", "--upstream", "p=https://me:$@host"],
    &["serve", "--upstream", "p=https://me:$@host:99999"],
    &["serve", "--upstream", "p=https://host?key=$"],
    &["serve", "--upstream", "p=https://host#$"],
    &["serve", "--upstream", "p/q=https://host/$"],
    &[
        "serve",
        "--upstream",
        "p=http://a/$",
        "--upstream",
        "p=http://b/$",
    ],
    &["serve", "--upstream", "p=http://h", "$"],
    &["serve", "--upstream", "p=http://h", "--config", "$"],
    &["serve", "--upstream", "p=http://h", "--drain", "$"],
    &["serve", "--upstream", "p=http://h", "--bind", "$"],
    &[
        "serve",
        "--upstream",
        "p=http://h",
        "--bind",
        "a",
        "--bind",
        "$",
    ],
    &[
        "serve",
        "--upstream",
        "p=http://h",
        "--metrics-bind",
        "me:$@h",
    ],
    &["serve", "--config", "$"],
    &["serve", "--config", "https://me:$@host"],
    &["demo", "$"],
    &["demo", "--rate", "$"],
    &["demo", "--seed", "$"],
    &["demo", "--duration", "$"],
    &["demo", "--via", "$"],
    &["demo", "--hold", "$"],
    &["demo", "--bind", "$"],
    &["demo", "--metrics-bind", "$"],
    &["simulate", "--openai-bind", "$"],
    &["simulate", "--anthropic-bind", "$"],
    &["simulate", "--each-bind", "$"],
    &["simulate", "$"],
    &["inspect", "--status", "$", "x"],
];

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"));
    command
        .args(arguments)
        .env("BIND_ADDRESS", "127.0.0.1:0")
        .env("METRICS_BIND_ADDRESS", "127.0.0.1:0")
        .env("RUST_LOG", "trace")
        .stdin(Stdio::null());
    command
}

#[track_caller]
fn told(output: &Output, secret: &str, of: &str) {
    let text = [&*output.stdout, &*output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains(secret), "{of:?}: {text}");
    assert_eq!(output.status.code(), Some(2), "{of:?}: {text}");
}

fn documents(documents: &[&str], secret: &str) {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("gateway.toml");
    for document in documents {
        let text = document.replace('$', secret);
        fs::write(&path, &text).unwrap();
        let output = run(&["serve", "--check-keys", "--config", path.to_str().unwrap()]);
        told(&output, secret, &text);
        // Beside what the log tells of at that level.
        let stderr = String::from_utf8(output.stderr).unwrap();
        let lines = stderr.lines().filter(|line| {
            ![" DEBUG ", " TRACE "]
                .iter()
                .any(|level| line.contains(level))
        });
        assert_eq!(lines.count(), 1, "{text:?}: {stderr}");
    }
}

#[test]
fn a_document_is_not_repeated() {
    for secret in SECRETS {
        documents(DOCUMENTS, secret);
    }
    documents(NAMES, SECRETS[0]);
}

#[test]
fn a_command_line_is_not_repeated() {
    for secret in SECRETS {
        for arguments in COMMANDS {
            let arguments: Vec<_> = arguments.iter().map(|a| a.replace('$', secret)).collect();
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            told(&run(&arguments), secret, &arguments.join(" "));
        }
    }
}

#[test]
fn the_environment_is_not_repeated() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("gateway.toml");
    let config = "client_tokens_env = 'TEST_TOKENS'\n
                  [providers.p]\nurl = 'http://h'\napi_key_env = 'TEST_P'";
    fs::write(&path, config).unwrap();
    let serve = ["serve", "--check", "--config", path.to_str().unwrap()];
    let secret = SECRETS[1];
    let token = "tok-0123456789abcdef";
    for (variable, value) in [
        ("BIND_ADDRESS", secret),
        ("METRICS_BIND_ADDRESS", secret),
        ("TEST_P", "a\nhunter2"),
        ("TEST_TOKENS", secret),
        ("TEST_TOKENS", "0123456789abcdef hunter2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", secret),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:hunter2@h"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "hunter2://h"),
    ] {
        let mut command = command(&serve);
        command.env("TEST_P", "sk-ours").env("TEST_TOKENS", token);
        told(
            &command.env(variable, value).output().unwrap(),
            secret,
            variable,
        );
    }
    let help = command(&["serve", "--help"])
        .env("BIND_ADDRESS", secret)
        .output()
        .unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains(secret));
}

/// What is wrong is still told.
#[test]
fn what_is_wrong_is_told_without_the_value() {
    for (arguments, expected) in [
        (
            &["serve", "--upstrem", "p=http://h"][..],
            "a similar argument exists: '--upstream'",
        ),
        (
            &["serve", "--upstream", "p=http://h", "--drain", "x"],
            "for '--drain <TIME>': is no duration",
        ),
        (
            &["serve", "--upstream"],
            "a value is required for '--upstream <NAME=URL>'",
        ),
        (&["serv"], "a similar subcommand exists: 'serve'"),
    ] {
        let text = String::from_utf8(run(arguments).stderr).unwrap();
        assert!(text.contains(expected), "{text}");
    }
}
