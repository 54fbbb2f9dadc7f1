//! Incidents, from the calm before them to the end of their alerts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    faster, series,
    stage::{Stage, job},
};
use crate::{
    api,
    lab::Prometheus,
    rules::{self, incidents},
    workspace,
};

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

/// The share of scrapes that may fail, of gateways that run.
const FEW: f64 = 0.05;

/// Alerts that fire, by incident.
type Firing = BTreeMap<&'static str, BTreeSet<String>>;

/// All of them, before one Prometheus.
pub(super) struct Play {
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
    pub(super) fn start(dir: &Path, stages: Vec<Stage>, factor: u32) -> Result<Self> {
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
    pub(super) fn calm(&mut self) -> Result<()> {
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
    pub(super) fn incidents(&mut self) -> Result<Vec<String>> {
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
    pub(super) fn verdict(&self, silent: Vec<String>) -> Result<()> {
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

    /// What can end does, and then so do its alerts.
    pub(super) fn over(&mut self) -> Result<()> {
        let over = Instant::now();
        let mut ended = BTreeSet::new();
        for stage in &mut self.stages {
            if stage.end()? {
                ended.insert(stage.scene.name);
            }
        }
        let patience = self.played(LONGEST)? * PATIENCE;
        loop {
            let mut firing = self.firing()?;
            firing.retain(|incident, _| ended.contains(incident));
            let minutes = over.elapsed().as_secs_f64() * f64::from(self.factor) / 60.0;
            if firing.is_empty() {
                println!(
                    "{} incidents ended, and after {minutes:.0} minutes no alert of theirs fires",
                    ended.len()
                );
                return Ok(());
            }
            ensure!(
                over.elapsed() < patience,
                "after {minutes:.0} minutes there are alerts of incidents that ended: {firing:?}"
            );
            thread::sleep(Duration::from_millis(500));
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::alerts;

    #[test]
    fn no_alert_waits_longer_than_an_incident_lasts() {
        let lasts = faster::milliseconds(LONGEST).unwrap();
        let window = faster::milliseconds(WINDOW).unwrap();
        for alert in alerts::all() {
            let holds = faster::milliseconds(alert.holds).unwrap();
            assert!(window + holds < lasts, "{}", alert.name);
        }
    }
}
