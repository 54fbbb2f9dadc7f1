//! The two as programs of this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{Place, Urls, files};
use crate::{http::listens, process};

/// What `up` records.
pub(super) const NAME: &str = "native";

/// What is run: the collector only where it takes OTLP.
const PROGRAMS: [&str; 3] = ["grafana", "prometheus", "otelcol"];

/// What the path has.
pub(super) struct Native {
    place: Place,
    prometheus: PathBuf,
    grafana: Option<Grafana>,
}

/// Grafana's program, and the directory of its `public` and `conf`.
struct Grafana {
    program: PathBuf,
    home: PathBuf,
}

impl Native {
    pub(super) fn new(place: &Place) -> Result<Self> {
        let prometheus = which::which("prometheus").ok().context(
            "`prometheus` is not on the path: install it (Debian, Ubuntu: `apt install prometheus`; macOS: `brew install prometheus`), or a container engine",
        )?;
        Ok(Self {
            place: place.clone(),
            prometheus,
            grafana: grafana()?,
        })
    }

    /// Whether one of them runs.
    pub(super) fn runs(&self) -> bool {
        PROGRAMS.iter().any(|name| self.pid(name).is_some())
    }

    pub(super) fn up(&self, otlp: bool) -> Result<()> {
        let dir = &self.place.dir;
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        if otlp != self.pid("otelcol").is_some() && self.pid("prometheus").is_some() {
            bail!(
                "Prometheus runs already, {} --otlp: `cargo xtask grafana down` first",
                if otlp { "without" } else { "with" }
            );
        }
        if otlp {
            self.start_collector()?;
        }
        let config = files::prometheus(dir, otlp)?;
        let port = self.place.prometheus_port;
        let mut command = Command::new(&self.prometheus);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.join("prometheus-data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--web.enable-lifecycle")
            .arg("--enable-feature=exemplar-storage");
        self.start("prometheus", port, "--prometheus-port", &mut command)?;
        if let Some(grafana) = &self.grafana {
            self.start_grafana(grafana)?;
        }
        Ok(())
    }

    fn start_collector(&self) -> Result<()> {
        let found = ["otelcol", "otelcol-contrib"]
            .into_iter()
            .find_map(|name| which::which(name).ok());
        let program = found.context(
            "`otelcol` is not on the path: install the OpenTelemetry Collector (https://opentelemetry.io/docs/collector/install), or a container engine",
        )?;
        let mut command = Command::new(program);
        command
            .arg("--config=config/otel/collector.yaml")
            // For this machine alone.
            .env("OTLP_BIND", "127.0.0.1")
            .env("OTLP_PORT", self.place.otlp_port.to_string());
        self.start("otelcol", self.place.otlp_port, "--otlp-port", &mut command)
    }

    fn start_grafana(&self, grafana: &Grafana) -> Result<()> {
        let dir = fs::canonicalize(&self.place.dir)?;
        let port = self.place.grafana_port;
        let provisioning = files::provisioning(&dir, &self.urls().prometheus)?;
        let setting =
            |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
        let mut command = Command::new(&grafana.program);
        // Since Grafana 10 `grafana-server` is a subcommand.
        if grafana.program.ends_with("grafana") {
            command.arg("server");
        }
        command
            .arg("--homepath")
            .arg(&grafana.home)
            .env("GF_PATHS_DATA", dir.join("grafana-data"))
            .env("GF_PATHS_LOGS", dir.join("grafana-data/log"))
            .env("GF_PATHS_PLUGINS", dir.join("grafana-data/plugins"))
            .env("GF_PATHS_PROVISIONING", provisioning)
            .env("GF_SERVER_HTTP_ADDR", "127.0.0.1")
            .env("GF_SERVER_HTTP_PORT", port.to_string())
            .env(
                "GF_SECURITY_ADMIN_USER",
                setting("GRAFANA_ADMIN_USER", "admin"),
            )
            .env(
                "GF_SECURITY_ADMIN_PASSWORD",
                setting("GRAFANA_ADMIN_PASSWORD", "admin"),
            )
            .env(
                "GF_AUTH_ANONYMOUS_ENABLED",
                setting("GRAFANA_ANONYMOUS", "true"),
            )
            .env("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer")
            .env("GF_ANALYTICS_REPORTING_ENABLED", "false")
            .env("GF_ANALYTICS_CHECK_FOR_UPDATES", "false")
            .env("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false");
        self.start("grafana", port, "--grafana-port", &mut command)
    }

    /// Starts one of the two, unless it runs already.
    fn start(&self, name: &str, port: u16, option: &str, command: &mut Command) -> Result<()> {
        if self.pid(name).is_some() {
            println!("{name} runs already");
            return Ok(());
        }
        if listens(port) {
            bail!(
                "port {port}, where {name} would listen, is taken by another process: stop that one, or choose another port with {option}"
            );
        }
        let pid = process::detach(command, &self.log(name))?;
        fs::write(self.pid_file(name), pid.to_string())?;
        println!(
            "started {name} (process {pid}, log {})",
            self.log(name).display()
        );
        Ok(())
    }

    pub(super) fn down(&self, volumes: bool) -> Result<()> {
        for name in PROGRAMS {
            if let Some(pid) = self.pid(name) {
                process::end(pid, name)?;
                println!("stopped {name}");
            }
            // It may never have been started.
            let _ = fs::remove_file(self.pid_file(name));
            let data = self.place.dir.join(format!("{name}-data"));
            if volumes && data.exists() {
                fs::remove_dir_all(&data)
                    .with_context(|| format!("cannot remove {}", data.display()))?;
                println!("removed {}", data.display());
            }
        }
        Ok(())
    }

    pub(super) fn logs(&self, follow: bool) -> Result<()> {
        let mut command = Command::new("tail");
        command.args(["-n", "100"]);
        if follow {
            command.arg("-f");
        }
        let logs = PROGRAMS.map(|name| self.log(name));
        command.args(logs.iter().filter(|log| log.exists()));
        let status = command.status().context("cannot run tail")?;
        if !status.success() {
            bail!("tail failed ({status})");
        }
        Ok(())
    }

    pub(super) fn urls(&self) -> Urls {
        let url = |port: u16| format!("http://localhost:{port}");
        Urls {
            prometheus: url(self.place.prometheus_port),
            grafana: self.grafana.as_ref().map(|_| url(self.place.grafana_port)),
        }
    }

    /// Fails where one of them has ended.
    pub(super) fn check(&self) -> Result<()> {
        for name in PROGRAMS {
            if self.pid_file(name).exists() && self.pid(name).is_none() {
                bail!(
                    "{name} has ended: its log is above, and in {}",
                    self.log(name).display()
                );
            }
        }
        Ok(())
    }

    pub(super) fn last_words(&self) -> String {
        PROGRAMS
            .map(|name| process::tail(&self.log(name), 12))
            .join("\n")
    }

    /// The process that `up` started, where it still runs.
    fn pid(&self, name: &str) -> Option<u32> {
        let pid = fs::read_to_string(self.pid_file(name)).ok()?.parse().ok()?;
        process::runs(pid, name).then_some(pid)
    }

    fn pid_file(&self, name: &str) -> PathBuf {
        self.place.dir.join(format!("{name}.pid"))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.place.dir.join(format!("{name}.log"))
    }
}

/// Grafana on the path; it needs its own files beside it.
fn grafana() -> Result<Option<Grafana>> {
    let found = ["grafana", "grafana-server"]
        .into_iter()
        .find_map(|name| which::which(name).ok());
    let Some(program) = found else {
        return Ok(None);
    };
    let real = fs::canonicalize(&program)?;
    let beside = real.parent().and_then(Path::parent);
    let places = std::env::var_os("GF_PATHS_HOME")
        .map(PathBuf::from)
        .into_iter()
        .chain(beside.map(Path::to_owned))
        .chain(beside.map(|dir| dir.join("share/grafana")))
        .chain(
            [
                "/usr/share/grafana",
                "/usr/local/share/grafana",
                "/opt/homebrew/share/grafana",
            ]
            .map(PathBuf::from),
        );
    let home = places
        .into_iter()
        .find(|dir| dir.join("conf/defaults.ini").exists());
    let home = home.with_context(|| {
        format!(
            "{} is there, but not its files (conf/defaults.ini, public): set GF_PATHS_HOME to their directory",
            program.display()
        )
    })?;
    Ok(Some(Grafana { program, home }))
}
