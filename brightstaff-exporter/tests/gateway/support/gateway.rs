use std::{
    fs,
    process::{Output, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::{PATIENCE, Scrape, Upstream, client, eventually};

/// How the binary is started.
pub(crate) struct Serve {
    command: Command,
    files: TempDir,
    reads_log: bool,
    reads_output: bool,
}

impl Serve {
    /// With this configuration, on ports of its own.
    pub(crate) fn config(toml: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("gateway.toml");
        fs::write(&path, toml).unwrap();
        let serve = Self::bare(files).arg("--config");
        serve.arg(path.to_str().unwrap())
    }

    /// With one provider `p` that has a key of the operator's, `sk-ours`, and more at the root of the configuration.
    pub(crate) fn with_key(upstream: &Upstream, more: &str) -> Self {
        let url = &upstream.url;
        let provider = format!("[providers.p]\nurl = '{url}'\napi_key_env = 'TEST_P'");
        Self::config(&format!("{more}\n{provider}")).env("TEST_P", "sk-ours")
    }

    /// With providers alone.
    pub(crate) fn upstreams(upstreams: &[(&str, &str)]) -> Self {
        let serve = Self::bare(tempfile::tempdir().unwrap());
        upstreams.iter().fold(serve, |serve, (name, url)| {
            serve.arg("--upstream").arg(&format!("{name}={url}"))
        })
    }

    fn bare(files: TempDir) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"));
        command
            .arg("serve")
            .env("BIND_ADDRESS", "127.0.0.1:0")
            .env("METRICS_BIND_ADDRESS", "127.0.0.1:0")
            .env("RUST_LOG", "info,brightstaff_exporter=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Self {
            command,
            files,
            reads_log: true,
            reads_output: true,
        }
    }

    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn stdout(mut self, stdout: Stdio) -> Self {
        self.command.stdout(stdout);
        self
    }

    /// Its log goes there; [`Gateway::log`] knows nothing of it.
    pub(crate) fn stderr(mut self, stderr: Stdio) -> Self {
        self.command.stderr(stderr);
        self
    }

    /// Nobody reads its log before [`Gateway::read_log`].
    pub(crate) fn unread(mut self) -> Self {
        self.reads_log = false;
        self
    }

    /// Nobody reads its standard output behind the first lines before [`Gateway::read_output`].
    pub(crate) fn output_unread(mut self) -> Self {
        self.reads_output = false;
        self
    }

    /// The process alone, however far it gets, and the files that it reads.
    pub(crate) fn spawn(mut self) -> (Child, TempDir) {
        (self.command.spawn().unwrap(), self.files)
    }

    /// Starts it, and waits until both ports take requests.
    pub(crate) async fn start(mut self) -> Gateway {
        let mut child = self.command.spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        if self.reads_log
            && let Some(stderr) = child.stderr.take()
        {
            read(stderr, &log);
        }
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut url = async |before: &str| {
            let line = timeout(PATIENCE, lines.next_line()).await;
            let line = line.expect("no startup line").unwrap();
            let line = line.unwrap_or_else(|| panic!("no startup line: {}", text(&log)));
            line.strip_prefix(before).expect(&line).to_owned()
        };
        let (gateway, metrics) = (
            url("gateway listening on ").await,
            url("metrics listening on ").await,
        );
        let page = cfg!(feature = "page") && !self.without_page();
        let page = if page { Some(url("page ").await) } else { None };
        let mut gateway = Gateway {
            url: gateway,
            metrics,
            page,
            client: client(),
            child,
            log,
            unread: Some(lines.into_inner()),
            output: Arc::default(),
            files: self.files,
        };
        if self.reads_output {
            gateway.read_output();
        }
        gateway
    }

    fn without_page(&self) -> bool {
        let command = self.command.as_std();
        let mut arguments = command.get_args();
        let told = command
            .get_envs()
            .any(|(name, _)| name == "METRICS_NO_PAGE");
        told || arguments.any(|argument| argument == "--no-page")
    }

    /// Runs what is expected to stop by itself.
    pub(crate) async fn run(mut self) -> Output {
        let output = self.command.output();
        timeout(PATIENCE, output)
            .await
            .expect("still running")
            .unwrap()
    }
}

/// The one line and the exit code with which it refuses to start.
pub(crate) async fn refused(serve: Serve) -> (String, i32) {
    let output = serve.run().await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty());
    (stderr.trim_end().to_owned(), output.status.code().unwrap())
}

/// The binary, running.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) metrics: String,
    /// Where the live page is said to be.
    pub(crate) page: Option<String>,
    pub(crate) client: reqwest::Client,
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
    /// Its standard output behind the first lines, while nobody reads it.
    unread: Option<BufReader<ChildStdout>>,
    output: Arc<Mutex<Vec<u8>>>,
    files: TempDir,
}

impl Gateway {
    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) fn post(
        &self,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.url);
        let json = "application/json";
        self.client
            .post(url)
            .header("content-type", json)
            .body(body)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.url);
        self.client.get(url).send().await.unwrap()
    }

    /// A chat completion for this model: its status and its JSON.
    pub(crate) async fn chat(&self, model: &str) -> (u16, Value) {
        self.ask(self.chat_request(model)).await
    }

    pub(crate) fn chat_request(&self, model: &str) -> reqwest::RequestBuilder {
        let body = serde_json::json!({ "model": model, "messages": [] });
        self.post("/v1/chat/completions", body.to_string())
    }

    pub(crate) async fn ask(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = timeout(PATIENCE, request.send()).await.unwrap().unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        let answer = self.client.get(&self.metrics).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Scrape::parse(&answer.text().await.unwrap())
    }

    /// Waits until the series that match add up to this: a body's end is seen by the client first.
    #[track_caller]
    pub(crate) fn expect(&self, series: &str, value: f64) -> impl Future<Output = ()> {
        let what = format!("{series} = {value}");
        async move {
            eventually(&what, async || self.scrape().await.sum(series) == value).await;
        }
    }

    /// Reads its log from here on.
    pub(crate) fn read_log(&mut self) {
        let stderr = self.child.stderr.take().expect("nobody reads it");
        read(stderr, &self.log);
    }

    /// Reads its standard output from here on.
    pub(crate) fn read_output(&mut self) {
        read(self.unread.take().expect("nobody reads it"), &self.output);
    }

    /// What it wrote to its standard output so far, behind the lines that say where it listens.
    pub(crate) fn output(&self) -> String {
        text(&self.output)
    }

    /// What it logged so far, as far as that was read.
    pub(crate) fn log(&self) -> String {
        text(&self.log)
    }

    /// The line of its log that says this, which it writes when it can.
    pub(crate) async fn logged(&self, what: &str) -> String {
        let line = || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains(what));
            line.map(str::to_owned)
        };
        eventually(what, async || line().is_some()).await;
        line().expect("it was there")
    }

    /// Writes another configuration, and has it read.
    pub(crate) fn reload(&self, toml: &str) {
        fs::write(self.files.path().join("gateway.toml"), toml).unwrap();
        self.signal("HUP");
    }

    /// The same, and waits until it counts: what it then says of it.
    pub(crate) async fn reloaded(&self, toml: &str) -> String {
        let read_again = || {
            let log = self.log();
            let lines = log.lines().filter(|line| line.contains("read again: "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let before = read_again().len();
        self.reload(toml);
        eventually("it was read again", async || read_again().len() > before).await;
        let line = read_again().remove(before);
        let (_, changes) = line.split_once("read again: ").unwrap();
        changes.to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> i32 {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.expect("still running").unwrap().code().unwrap()
    }
}

fn read(mut from: impl AsyncRead + Send + Unpin + 'static, log: &Arc<Mutex<Vec<u8>>>) {
    let log = Arc::clone(log);
    tokio::spawn(async move {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut chunk).await {
            log.lock().unwrap().extend_from_slice(&chunk[..read]);
        }
    });
}

fn text(log: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&log.lock().unwrap()).into_owned()
}
