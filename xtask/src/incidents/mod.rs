//! The incidents of `docs/monitoring.md`, played: real gateways, a real Prometheus with the shipped rules, real faults.
//! Exactly the alerts that the table tells must fire.
//!
//! The rules look back for hours and wait for minutes. Here all their durations are divided by one factor, so that an
//! incident of an hour takes two minutes. The expressions stay what they are, and so does what is a late token.

mod faster;
mod load;
mod play;
mod provider;
mod scenes;
mod series;
mod stage;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use self::{
    play::Play,
    scenes::SCENES,
    stage::{PANICS, Stage},
};
use crate::{
    lab::{Exporter, Prometheus, Redis},
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
    play.verdict(silent)?;
    play.over()
}
