//! Prometheus and Grafana with the shipped files, in containers or as programs of this machine.

mod cli;
mod compose;
mod engine;
mod files;
mod native;
mod targets;
mod wait;

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail};

use cli::Place;
use engine::Engine;
use native::Native;

pub(crate) use cli::Task;
pub(crate) use files::scrape_config;

/// The uid of the dashboard that is looked at first, which its address shows.
pub(crate) const FIRST_PAGE: &str = "brightstaff-overview";

/// The files that name what runs the two, or ran them.
const UP: &str = "up";
const DOWN: &str = "down";

/// What runs the two.
enum Runner {
    Compose(Engine),
    Native(Native),
}

/// Where the two answer. Native may have no Grafana.
struct Urls {
    prometheus: String,
    grafana: Option<String>,
}

pub(crate) fn run(task: &Task) -> Result<()> {
    match task {
        Task::Up {
            place,
            native,
            otlp,
            timeout,
        } => up(place, *native, *otlp, Duration::from_secs(*timeout)),
        Task::Down { place, volumes } => down(place, *volumes),
        Task::Status { place } => status(place),
        Task::Logs { place, follow } => match recorded(place)? {
            Runner::Compose(engine) => compose::logs(&engine, *follow),
            Runner::Native(native) => native.logs(*follow),
        },
        Task::Open { place } => open(&urls(&recorded(place)?)),
    }
}

fn up(place: &Place, native: bool, otlp: bool, timeout: Duration) -> Result<()> {
    let runner = choose(place, native)?;
    fs::create_dir_all(&place.dir)
        .with_context(|| format!("cannot make {}", place.dir.display()))?;
    refuse_another(place, &runner)?;
    // Recorded before it starts: what starts halfway can still be taken down.
    fs::write(place.dir.join(UP), runner.record(place))?;
    match &runner {
        Runner::Compose(engine) => compose::up(engine, place, otlp)?,
        Runner::Native(native) => native.up(otlp)?,
    }
    let urls = urls(&runner);
    wait::healthy(&urls, &runner, timeout)?;
    println!("\nPrometheus  {}", urls.prometheus);
    match &urls.grafana {
        Some(grafana) => {
            println!("Grafana     {grafana}");
            println!("Dashboard   {}", dashboard(grafana));
        }
        None => println!(
            "Grafana     not there: no `grafana` is on the path. Install it, or a container engine, and run `up` again"
        ),
    }
    if otlp {
        println!("OTLP        http://localhost:{}", place.otlp_port);
    }
    targets::report(&urls.prometheus, matches!(runner, Runner::Compose(_)), true)?;
    Ok(())
}

/// Fails where the stack runs already, with something else or on other ports: it would be lost sight of.
fn refuse_another(place: &Place, runner: &Runner) -> Result<()> {
    let Ok((running, at)) = recorded_at(place) else {
        return Ok(());
    };
    let ports = |place: &Place| (place.prometheus_port, place.grafana_port);
    let same = running.name() == runner.name() && ports(&at) == ports(place);
    if same || !running.runs() {
        return Ok(());
    }
    let (prometheus, grafana) = ports(&at);
    bail!(
        "{} runs the stack already, with Prometheus on :{prometheus} and Grafana on :{grafana}: `cargo xtask grafana down` first",
        running.name()
    );
}

/// Where Grafana shows the first page.
fn dashboard(grafana: &str) -> String {
    format!("{grafana}/d/{FIRST_PAGE}")
}

/// The container engine that answers; without one, or if asked, the programs on the path.
fn choose(place: &Place, native: bool) -> Result<Runner> {
    if native {
        return Ok(Runner::Native(Native::new(place)?));
    }
    match engine::find() {
        Ok(engine) => Ok(Runner::Compose(engine)),
        Err(reasons) => match Native::new(place) {
            Ok(native) => {
                println!(
                    "no container engine:\n{reasons}\nso the programs on the path are run (--native)"
                );
                Ok(Runner::Native(native))
            }
            Err(error) => bail!("no container engine:\n{reasons}\nand natively: {error:#}"),
        },
    }
}

/// What `up` started.
fn recorded(place: &Place) -> Result<Runner> {
    recorded_at(place).map(|(runner, _)| runner)
}

/// The same, and on which ports.
fn recorded_at(place: &Place) -> Result<(Runner, Place)> {
    read(place, UP)
}

fn read(place: &Place, record: &str) -> Result<(Runner, Place)> {
    let text = fs::read_to_string(place.dir.join(record))
        .ok()
        .context("nothing is up: `cargo xtask grafana up` starts it")?;
    let mut lines = text.lines();
    let name = lines.next().unwrap_or_default();
    let mut place = place.clone();
    let mut port = |or: u16| {
        lines
            .next()
            .and_then(|port| port.parse().ok())
            .unwrap_or(or)
    };
    place.prometheus_port = port(place.prometheus_port);
    place.grafana_port = port(place.grafana_port);
    if name == native::NAME {
        return Ok((Runner::Native(Native::new(&place)?), place));
    }
    let engine = engine::named(name)
        .with_context(|| format!("{} names {name:?}, which is no engine", place.dir.display()))?;
    Ok((Runner::Compose(engine), place))
}

fn down(place: &Place, volumes: bool) -> Result<()> {
    let (runner, at) = match recorded_at(place) {
        // What was taken down earlier may have left its data.
        Err(_) if volumes => read(place, DOWN)?,
        runner => runner?,
    };
    match &runner {
        Runner::Compose(engine) => compose::down(engine, volumes)?,
        Runner::Native(native) => native.down(volumes)?,
    }
    for record in [UP, DOWN] {
        // Only one of them is there.
        let _ = fs::remove_file(place.dir.join(record));
    }
    if !volumes {
        fs::write(place.dir.join(DOWN), runner.record(&at))?;
        println!("the recorded data stays: `cargo xtask grafana down --volumes` removes it");
    }
    Ok(())
}

fn status(place: &Place) -> Result<()> {
    let runner = recorded(place)?;
    let urls = urls(&runner);
    println!("run by {}", runner.name());
    let mut sick = Vec::new();
    for (name, url) in urls.health() {
        let state = wait::answers(&url);
        println!(
            "{name:<11} {}",
            if state { "healthy" } else { "does not answer" }
        );
        if !state {
            sick.push(name);
        }
    }
    if !sick.is_empty() {
        bail!(
            "{} not healthy: `cargo xtask grafana logs` tells why, `up` starts what is missing",
            sick.join(" and ")
        );
    }
    targets::report(
        &urls.prometheus,
        matches!(runner, Runner::Compose(_)),
        false,
    )
}

fn open(urls: &Urls) -> Result<()> {
    let url = match &urls.grafana {
        Some(grafana) => dashboard(grafana),
        None => format!("{}/targets", urls.prometheus),
    };
    println!("{url}");
    let opener = ["xdg-open", "open", "wslview"]
        .into_iter()
        .find_map(|name| which::which(name).ok())
        .context("no program opens a browser here (xdg-open, open): visit the address above")?;
    let status = std::process::Command::new(&opener)
        .arg(&url)
        .status()
        .with_context(|| format!("cannot run {}", opener.display()))?;
    if !status.success() {
        bail!(
            "{} did not open it: visit the address above",
            opener.display()
        );
    }
    Ok(())
}

fn urls(runner: &Runner) -> Urls {
    match runner {
        Runner::Compose(engine) => compose::urls(engine),
        Runner::Native(native) => native.urls(),
    }
}

impl Runner {
    fn name(&self) -> &str {
        match self {
            Self::Compose(engine) => engine.name,
            Self::Native(_) => native::NAME,
        }
    }

    /// What the later commands must know.
    fn record(&self, place: &Place) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.name(),
            place.prometheus_port,
            place.grafana_port
        )
    }

    /// Whether some of what it started is still there. Containers outlive a restart of the machine.
    fn runs(&self) -> bool {
        match self {
            Self::Compose(_) => true,
            Self::Native(native) => native.runs(),
        }
    }

    /// Fails, with the cause, where one of the two has given up.
    fn check(&self) -> Result<()> {
        match self {
            Self::Compose(engine) => compose::check(engine),
            Self::Native(native) => native.check(),
        }
    }

    /// The last of what they said.
    fn last_words(&self) -> String {
        match self {
            Self::Compose(engine) => compose::last_words(engine),
            Self::Native(native) => native.last_words(),
        }
    }
}

impl Urls {
    /// Each with the address that answers 200 once it is healthy.
    fn health(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![("Prometheus", format!("{}/-/ready", self.prometheus))];
        if let Some(grafana) = &self.grafana {
            all.push(("Grafana", format!("{grafana}/api/health")));
        }
        all
    }
}

/// The shipped files.
fn shipped() -> &'static Path {
    Path::new("config/grafana")
}
