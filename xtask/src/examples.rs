//! The example gateways: both run, before the same provider, with the same traffic, and must tell the same.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::{http::PATIENCE, stage::Outcome};

const EXAMPLES: [&str; 2] = ["axum-gateway", "actix-gateway"];

/// Requests as method, path and body.
const TRAFFIC: &[(&str, &str, &str)] = &[
    ("POST", "/v1/chat/completions", CHAT),
    ("POST", "/v1/chat/completions", STREAM),
    ("POST", "/v1/chat/completions", UNASKED),
    ("POST", "/v1/embeddings", EMBEDDINGS),
    ("POST", "/v1/responses", RESPONSES),
    ("POST", "/v1/chat/completions", "no JSON"),
    ("PUT", "/v1/chat/completions", ""),
    ("GET", "/wp-admin/index.php", ""),
    ("HEAD", "/v1/chat/completions", ""),
];
const CHAT: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}"#;
const STREAM: &str = r#"{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello"}]}"#;
/// For whose usage the gateways have to ask.
const UNASKED: &str =
    r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
const EMBEDDINGS: &str = r#"{"model":"text-embedding-3-small","input":"hello"}"#;
const RESPONSES: &str = r#"{"model":"gpt-4o-mini","stream":true,"input":"hello"}"#;

/// Runs both, and compares.
pub(crate) fn agree(sh: &Shell) -> Result<Outcome> {
    // As the tests are built, so that nothing is built again.
    cmd!(
        sh,
        "cargo build --quiet --workspace --all-features --bin brightstaff-exporter --examples"
    )
    .run()?;
    let target = match sh.var("CARGO_TARGET_DIR") {
        Ok(target) => target.into(),
        Err(_) => sh.current_dir().join("target"),
    };
    let debug = target.join("debug");

    let mut simulate = Command::new(debug.join("brightstaff-exporter"));
    simulate.args([
        "simulate",
        "--openai-bind",
        "127.0.0.1:0",
        "--anthropic-bind",
        "127.0.0.1:0",
    ]);
    let mut provider = Running::start(simulate.stdout(Stdio::piped()))?;
    let out = provider.0.stdout.take().context("the provider is piped")?;
    // Kept open: the provider has more to say.
    let mut out = BufReader::new(out);
    let mut line = String::new();
    out.read_line(&mut line)?;
    let url = line.trim().strip_prefix("openai listening on ");
    let url = url.with_context(|| format!("the provider says {line:?}"))?;

    let mut scrapes = Vec::new();
    for example in EXAMPLES {
        let gateway = debug.join("examples").join(example);
        scrapes.push(scrape(Command::new(gateway), url).with_context(|| example.to_owned())?);
    }
    compare(&scrapes[0], &scrapes[1])?;
    let unknown = |line: &&String| line.contains("llm_tokens_usage_missing_total{");
    if let Some(line) = scrapes[0].iter().find(unknown) {
        bail!("the usage of a call is missing: {line}");
    }
    println!("{} lines of a scrape are the same", scrapes[0].len());
    Ok(Outcome::Passed)
}

/// What a gateway exposes after the traffic, without what the clock and the process decide.
fn scrape(mut gateway: Command, provider: &str) -> Result<Vec<String>> {
    let (requests, metrics) = (free_address()?, free_address()?);
    gateway
        .env("OPENAI_BASE_URL", format!("{provider}/v1"))
        .env("BIND_ADDRESS", requests.to_string())
        .env("METRICS_BIND_ADDRESS", metrics.to_string());
    let _gateway = Running::start(&mut gateway)?;
    await_port(requests)?;
    await_port(metrics)?;
    for (method, path, body) in TRAFFIC {
        exchange(requests, method, path, body)?;
    }
    let in_flight = |text: &str| {
        let mut lines = text.lines();
        lines.any(|line| {
            line.starts_with("brightstaff_http_in_flight_requests{") && !line.ends_with(" 0")
        })
    };
    let deadline = Instant::now() + PATIENCE;
    let mut text = exchange(metrics, "GET", "/metrics", "")?;
    while in_flight(&text) {
        ensure!(Instant::now() < deadline, "requests stay in flight");
        std::thread::sleep(Duration::from_millis(10));
        text = exchange(metrics, "GET", "/metrics", "")?;
    }
    let timing = |line: &&str| {
        let timed = ["process_", "_seconds_bucket{", "_seconds_sum{"];
        !timed.iter().any(|part| line.contains(part))
    };
    let lines = text.lines().filter(|line| line.contains("brightstaff_"));
    Ok(lines.filter(timing).map(str::to_owned).collect())
}

fn compare(left: &[String], right: &[String]) -> Result<()> {
    let without = |all: &[String], others: &[String], mark| -> Vec<String> {
        let lines = all.iter().filter(|line| !others.contains(line));
        lines.map(|line| format!("{mark} {line}")).collect()
    };
    let mut differences = without(left, right, '<');
    differences.extend(without(right, left, '>'));
    if !differences.is_empty() {
        bail!(
            "axum (<) and actix-web (>) differ:\n{}",
            differences.join("\n")
        );
    }
    Ok(())
}

/// One request on a connection of its own, and the whole response.
fn exchange(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<String> {
    let mut tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    write!(
        tcp,
        "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer key\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn await_port(address: SocketAddr) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        ensure!(Instant::now() < deadline, "nobody listens on {address}");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// A process that ends with this value.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_owned();
        let child = command.spawn();
        Ok(Self(child.with_context(|| {
            format!("cannot start {}", program.display())
        })?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
