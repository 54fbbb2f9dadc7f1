//! The incidents of `docs/monitoring.md`, played: real gateways, a real Prometheus with the shipped rules, real faults.
//! Exactly the alerts that the table tells must fire.
//!
//! The rules look back for hours and wait for minutes. Here all their durations are divided by one factor, as is the
//! scrape interval, so that an incident of an hour takes two minutes. The expressions stay what they are.

mod faster;
mod load;
mod provider;
mod scenes;
mod series;
mod stage;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use self::{
    scenes::SCENES,
    stage::{PANICS, Stage, job},
};
use crate::{
    api,
    lab::{Exporter, Prometheus, Redis},
    rules::{self, incidents},
    workspace,
};

/// How the incidents are played.
#[derive(Args)]
pub(crate) struct Options {
    /// By how much all durations of the rules are divided
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    faster: u32,

    /// Play only those whose name has this in it
    #[arg(long, value_name = "PART")]
    only: Option<String>,
}

/// How often gateways are scraped and rules evaluated: as often as a busy machine bears.
const INTERVAL: &str = "1s";
/// The longest time that any alert waits, with the window before it, and some more.
const LONGEST: &str = "37m";
/// The window of most alerts.
const WINDOW: &str = "5m";

/// Seconds in which whatever was under way when an incident began comes to its end.
const SETTLES: f64 = 10.0;

/// How many times longer than it should take on an idle machine an alert may wait before it counts as missing.
const PATIENCE: u32 = 6;

/// `cargo xtask incidents`.
pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    for missing in [Prometheus::missing(), Redis::missing()] {
        missing.map_or(Ok(()), |why| bail!(why))?;
    }
    cmd!(
        sh,
        "cargo build --quiet --workspace --all-features --bin brightstaff-exporter --example {PANICS}"
    )
    .quiet()
    .run()?;
    let part = options.only.as_deref().unwrap_or_default().to_lowercase();
    let chosen = |name: &str| name.to_lowercase().contains(&part);
    let scenes: Vec<_> = SCENES.iter().filter(|scene| chosen(scene.name)).collect();
    ensure!(!scenes.is_empty(), "no incident has {part:?} in its name");
    let dir = workspace::root().join("target/incidents");
    let simulator = Exporter::simulate(&dir)?;
    let stages: Result<Vec<_>> = scenes
        .into_iter()
        .map(|scene| Stage::set(&dir, scene, simulator.port).context(scene.name))
        .collect();
    let mut play = Play::start(&dir, stages?, options.faster)?;
    play.calm()?;
    let silent = play.incidents()?;
    play.verdict(silent)
}

/// Alerts that fire, by incident.
type Firing = BTreeMap<&'static str, BTreeSet<String>>;

/// All of them, before one Prometheus.
struct Play {
    stages: Vec<Stage>,
    prometheus: Prometheus,
    factor: u32,
    /// When the incidents began.
    begun: Instant,
    /// When all that was under way then had come to its end, in seconds since the epoch.
    settled: f64,
    /// After how long each alert was first seen to fire, by incident.
    fired: BTreeMap<&'static str, BTreeMap<String, Duration>>,
}

impl Play {
    fn start(dir: &Path, stages: Vec<Stage>, factor: u32) -> Result<Self> {
        let prometheus = Prometheus::start(dir, &configuration(dir, &stages, factor)?)?;
        Ok(Self {
            stages,
            prometheus,
            factor,
            begun: Instant::now(),
            settled: 0.0,
            fired: BTreeMap::new(),
        })
    }

    /// A duration of the rules, as it is played.
    fn played(&self, duration: &str) -> Result<Duration> {
        let milliseconds = faster::milliseconds(duration)?;
        Ok(Duration::from_millis(milliseconds) / self.factor)
    }

    /// Sound traffic, until every gateway has been watched for a while, and nothing fires.
    fn calm(&mut self) -> Result<()> {
        let begun = Instant::now();
        for stage in &self.stages {
            self.prometheus.scrape(&job(stage.scene.name))?;
        }
        thread::sleep(self.played(WINDOW)?);
        loop {
            let firing = self.firing()?;
            if firing.is_empty() {
                return Ok(());
            }
            let late = begun.elapsed() > self.played(LONGEST)? * PATIENCE;
            ensure!(!late, "there are alerts while all is well: {firing:?}");
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// The incidents begin, and last until what should fire does, and until all that could fire would. Tells what should
    /// and does not, after more than that.
    fn incidents(&mut self) -> Result<Vec<String>> {
        self.begun = Instant::now();
        for stage in &mut self.stages {
            stage.begin()?;
        }
        self.settled = api::epoch_seconds()? + SETTLES;
        let lasts = self.played(LONGEST)?;
        loop {
            thread::sleep(Duration::from_millis(500));
            let firing = self.look()?;
            for stage in &mut self.stages {
                stage.check()?;
            }
            self.prometheus.process.check()?;
            let silent: Vec<_> = self
                .stages
                .iter()
                .flat_map(|stage| silent(stage.scene.name, &firing))
                .collect();
            let elapsed = self.begun.elapsed();
            if elapsed > lasts && silent.is_empty() {
                return Ok(silent);
            }
            if elapsed > lasts * PATIENCE {
                return Ok(silent);
            }
        }
    }

    /// Notes what fires now, and tells it.
    fn look(&mut self) -> Result<Firing> {
        let elapsed = self.begun.elapsed();
        let firing = self.firing()?;
        for (incident, alerts) in &firing {
            let fired = self.fired.entry(incident).or_default();
            for alert in alerts {
                fired.entry(alert.clone()).or_insert(elapsed);
            }
        }
        Ok(firing)
    }

    /// What fires now, by incident.
    fn firing(&self) -> Result<Firing> {
        let told = api::get(&self.prometheus.url, "alerts", &[])?;
        let alerts = told["alerts"].as_array().context("no alerts")?;
        let mut firing = Firing::new();
        for alert in alerts.iter().filter(|alert| alert["state"] == "firing") {
            let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default();
            let mut stages = self.stages.iter();
            let stage = stages.find(|stage| job(stage.scene.name) == label("job"));
            let stage = stage.with_context(|| format!("{alert} names no gateway"))?;
            let fires = firing.entry(stage.scene.name).or_default();
            fires.insert(label("alertname").to_owned());
        }
        Ok(firing)
    }

    /// The share of scrapes that failed since the incidents began, of gateways that run.
    fn missed_scrapes(&self) -> Result<f64> {
        let running = self.stages.iter().filter(|stage| stage.runs());
        let jobs: Vec<_> = running.map(|stage| job(stage.scene.name)).collect();
        let up = format!("up{{job=~\"{}\"}}", jobs.join("|"));
        let since = self.begun.elapsed().as_secs() + 1;
        let share = format!("1 - avg(avg_over_time({up}[{since}s]))");
        let share = api::query(&self.prometheus.url, &share)?;
        Ok(share.first().map_or(0.0, |(_, share)| *share))
    }

    /// Prints what fired, and fails where that is not what should.
    fn verdict(self, silent: Vec<String>) -> Result<()> {
        let mut wrong = silent;
        for stage in &self.stages {
            let name = stage.scene.name;
            let seen = stage.load.seen();
            let told: Vec<_> = seen
                .iter()
                .map(|(seen, n)| format!("{n}× {seen}"))
                .collect();
            println!("\n{name}: clients saw {}", told.join(", "));
            let fired = self.fired.get(name).cloned().unwrap_or_default();
            for (alert, after) in &fired {
                let minutes = after.as_secs_f64() * f64::from(self.factor) / 60.0;
                println!("  {alert} after {minutes:.0} minutes");
            }
            if fired.is_empty() {
                println!("  nothing fired");
            }
            let unexpected = fired
                .keys()
                .filter(|alert| !expected(name).contains(&alert.as_str()));
            wrong.extend(unexpected.map(|alert| format!("{name}: {alert} fired")));
            let span = (self.settled, api::epoch_seconds()?);
            let url = &self.prometheus.url;
            wrong.extend(series::differences(url, &job(name), name, span)?);
            let unseen = stage
                .scene
                .sees
                .iter()
                .filter(|sees| !seen.contains_key(sees));
            wrong.extend(unseen.map(|sees| format!("{name}: no client saw {sees}")));
        }
        let wrong = wrong.join("\n  ");
        let missed = self.missed_scrapes()?;
        ensure!(
            wrong.is_empty() || missed <= FEW,
            "the machine is too busy to tell: {:.0} % of the scrapes failed of gateways that run. It told:\n  {wrong}",
            missed * 100.0
        );
        ensure!(wrong.is_empty(), "\n  {wrong}");
        println!(
            "\nexactly the alerts that should fire did, in {} incidents",
            self.stages.len()
        );
        Ok(())
    }
}

/// The share of scrapes that may fail, of gateways that run.
const FEW: f64 = 0.05;

/// What has to fire, as the table tells.
fn expected(incident: &str) -> &'static [&'static str] {
    let mut all = incidents::ALL.iter();
    all.find(|told| told.name == incident)
        .map_or(&[], |told| told.fires)
}

/// What has to fire, and does not.
fn silent(incident: &str, firing: &Firing) -> Vec<String> {
    let fires = |alert: &str| firing.get(incident).is_some_and(|now| now.contains(alert));
    let silent = expected(incident).iter().filter(|alert| !fires(alert));
    silent
        .map(|alert| format!("{incident}: {alert} does not fire"))
        .collect()
}

/// A configuration of all gateways; the rules beside it are the shipped ones, faster.
fn configuration(dir: &Path, stages: &[Stage], factor: u32) -> Result<String> {
    let shipped = workspace::root().join(rules::DIRECTORY);
    let mut files = Vec::new();
    for name in ["brightstaff_recording.yaml", "brightstaff_alerts.yaml"] {
        let file = fs::read_to_string(shipped.join(name)).context(name)?;
        fs::write(dir.join(name), faster::rules(&file, factor)?)?;
        files.push(name);
    }
    let mut out = format!(
        "global: {{ scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}, evaluation_interval: {INTERVAL} }}\n\
         rule_files: {files:?}\nscrape_configs:\n"
    );
    for stage in stages {
        out += &format!(
            "  - {{ job_name: {:?}, static_configs: [{{ targets: [\"127.0.0.1:{}\"] }}] }}\n",
            job(stage.scene.name),
            stage.metrics_port
        );
    }
    Ok(out)
}
