//! A machine whose only programs are fakes that record their calls, and a server that answers like
//! Prometheus and Grafana.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

pub(crate) const DOCKER_COMPOSE: &str = "docker-compose";
pub(crate) const PODMAN_COMPOSE: &str = "podman-compose";

/// How an engine behaves.
#[derive(Clone, Copy)]
pub(crate) enum Engine {
    Works,
    /// Its program is there, its compose is not.
    NoCompose,
    /// Its daemon does not answer.
    Stopped,
    /// `up` fails.
    CannotStart,
    /// `up` succeeds, and a container ends at once.
    Crashes,
    /// Its containers never become healthy.
    NeverReady,
}

/// A directory with fakes, and a port.
pub(crate) struct Machine {
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
}

impl Machine {
    pub(crate) fn new(name: &str, engines: &[(&str, Engine)]) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // The last run may have left it.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("bin")).expect("the directory is ours");
        let machine = Self { dir, port: serve() };
        let (dir, port) = (&machine.dir, machine.port);
        for (program, engine) in engines {
            let dead = matches!(engine, Engine::Crashes | Engine::NeverReady);
            let calls = dir.join(format!("{program}.calls"));
            machine.program(
                program,
                &script(*engine, &calls, if dead { 1 } else { port }),
            );
        }
        machine
    }

    /// Puts a shell script on the path.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.dir.join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the directory is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }

    /// Runs `cargo xtask grafana` with nothing else on the path.
    pub(crate) fn xtask(&self, arguments: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask-tasks"))
            .arg("grafana")
            .args(arguments)
            .arg("--dir")
            .arg(self.dir.join("state"))
            .env("PATH", self.dir.join("bin"))
            .output()
            .expect("xtask was built");
        Said(output)
    }

    /// How a program was called, in order.
    pub(crate) fn calls(&self, program: &str) -> Vec<String> {
        self.lines(&format!("{program}.calls"))
    }

    /// Of each call with a profile of the compose file: the profile, the port for OTLP, and Prometheus' configuration.
    pub(crate) fn profiles(&self, program: &str) -> Vec<String> {
        self.lines(&format!("{program}.calls.profiles"))
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = fs::read_to_string(self.dir.join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// What a task said.
pub(crate) struct Said(pub(crate) Output);

impl Said {
    #[track_caller]
    pub(crate) fn succeeds(&self) -> String {
        assert!(self.0.status.success(), "{}", self.all());
        self.all()
    }

    #[track_caller]
    pub(crate) fn fails(&self) -> String {
        assert!(!self.0.status.success(), "{}", self.all());
        self.all()
    }

    fn all(&self) -> String {
        let Output { stdout, stderr, .. } = &self.0;
        [stdout, stderr]
            .map(|said| String::from_utf8_lossy(said))
            .concat()
    }
}

/// A shell script with builtins alone: nothing else is on its path.
fn script(engine: Engine, calls: &Path, port: u16) -> String {
    let behaviour = match engine {
        Engine::Works | Engine::NeverReady => "",
        Engine::NoCompose => {
            "compose\\ *) echo \"docker: 'compose' is not a docker command.\" >&2; exit 1;;\n"
        }
        Engine::Stopped => {
            "info) echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1;;\n"
        }
        Engine::CannotStart => "*up\\ --detach) echo 'manifest unknown' >&2; exit 18;;\n",
        Engine::Crashes => {
            "*ps\\ --all) echo 'prometheus Exited (2) 3 seconds ago';;\n*logs*) echo 'error loading config';;\n"
        }
    };
    format!(
        "echo \"$*\" >> '{0}'\n\
         [ -z \"$COMPOSE_PROFILES\" ] || echo \"$COMPOSE_PROFILES $OTLP_PORT $PROMETHEUS_CONFIG\" >> '{0}.profiles'\n\
         case \"$*\" in\n{behaviour}*\\ port\\ *) echo 0.0.0.0:{port};;\nesac\n",
        calls.display()
    )
}

/// Answers like both, for as long as the test runs.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(&stream);
        }
    });
    port
}

pub(crate) fn answer(stream: &TcpStream) {
    const TARGETS: &str = r#"{"status":"success","data":{"activeTargets":[
        {"labels":{"job":"brightstaff"},"scrapeUrl":"http://host.docker.internal:9092/metrics","health":"up","lastError":""},
        {"labels":{"job":"envoy"},"scrapeUrl":"http://host.docker.internal:9901/stats","health":"down","lastError":"connection refused"}]}}"#;
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    while lines
        .next()
        .and_then(Result::ok)
        .is_some_and(|line| !line.is_empty())
    {}
    let body = if request.contains("/api/v1/targets") {
        TARGETS
    } else {
        "ok"
    };
    let mut stream = stream;
    // A client that has gone away misses nothing.
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
