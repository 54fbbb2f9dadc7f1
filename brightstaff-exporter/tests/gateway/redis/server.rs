use std::{
    io::Write as _,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::eventually;

const SERVER: &str = "redis-server";

/// A real Redis, gone with this value.
pub(super) struct Redis {
    port: u16,
    arguments: Vec<String>,
    process: Child,
    files: TempDir,
}

impl Redis {
    /// One that keeps nothing on disk, with these arguments besides. Without a `redis-server` the test says SKIPPED,
    /// which fails where `CI` is set.
    pub(super) async fn start(arguments: &[&str]) -> Option<Self> {
        if let Err(error) = Command::new(SERVER).arg("--version").output() {
            let why = format!("{SERVER}: {error}: apt install redis-server");
            assert!(std::env::var_os("CI").is_none(), "{why}");
            // Told whatever the test harness captures.
            let _ = writeln!(std::io::stderr(), "SKIPPED sessions in a Redis: {why}");
            return None;
        }
        let files = tempfile::tempdir().unwrap();
        let port = free_port();
        let arguments: Vec<_> = arguments.iter().map(|&word| word.to_owned()).collect();
        let process = spawn(port, &arguments, &files);
        let mut redis = Self {
            port,
            arguments,
            process,
            files,
        };
        redis.ready().await;
        Some(redis)
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Ends as in a crash: nothing is left of it.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts again, empty, where it was.
    pub(super) async fn restart(&mut self) {
        self.process = spawn(self.port, &self.arguments, &self.files);
        self.ready().await;
    }

    /// It takes connections and bytes, and does nothing.
    pub(super) fn stall(&self) {
        self.signal("STOP");
    }

    pub(super) fn go_on(&self) {
        self.signal("CONT");
    }

    /// What it answers to a command, as it stands on the wire.
    pub(super) async fn ask(&self, command: &str) -> String {
        ask(self.port, command).await.unwrap()
    }

    /// The keys that it has.
    pub(super) async fn keys(&self) -> Vec<String> {
        let answer = self.ask("KEYS *").await;
        let words = answer.lines().filter(|line| !line.starts_with(['*', '$']));
        words.map(str::to_owned).collect()
    }

    async fn ready(&mut self) {
        let port = self.port;
        let answers = async || ask(port, "PING").await.is_some();
        eventually("a Redis that answers", answers).await;
        assert!(self.process.try_wait().unwrap().is_none(), "it ended");
    }

    fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.process.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.go_on();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn spawn(port: u16, arguments: &[String], files: &TempDir) -> Child {
    Command::new(SERVER)
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--port", &port.to_string()])
        .arg("--dir")
        .arg(files.path())
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// The first part of the answer to a command, if there is one.
async fn ask(port: u16, command: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let command = format!("{command}\r\n");
    stream.write_all(command.as_bytes()).await.ok()?;
    let mut answer = vec![0; 64 << 10];
    let read = stream.read(&mut answer).await.ok()?;
    (read > 0).then(|| String::from_utf8_lossy(&answer[..read]).into_owned())
}
