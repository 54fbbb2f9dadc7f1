//! `cargo xtask grafana render`: the dashboard, drawn on Grafana's own components.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{
    http::free_port,
    lab::{self, Envoy, Exporter, Prometheus},
    npm,
    stack::scrape_config,
    stage::Outcome,
};

/// Where the page is built: its packages stay there.
const DIR: &str = "target/render";

#[derive(Args)]
pub(crate) struct Options {
    /// Draw what this Prometheus knows; without, the demo is run and scraped
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// How many seconds the picture covers
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Seconds between two scrapes
    #[arg(long, default_value_t = 5)]
    scrape: u64,
    /// Requests a second of the demo
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// The dashboard
    #[arg(long, default_value = "config/grafana/brightstaff_dashboard.json")]
    dashboard: PathBuf,
    /// The picture
    #[arg(long, default_value = "docs/dashboard.png")]
    out: PathBuf,
}

/// The stage: a short demo, and a picture under `target`.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = missing().or_else(Prometheus::missing) {
        return Ok(Outcome::Skipped(why));
    }
    let options = Options {
        prometheus: None,
        seconds: 45,
        scrape: 1,
        rate: 20.0,
        dashboard: PathBuf::from("config/grafana/brightstaff_dashboard.json"),
        out: Path::new(DIR).join("dashboard.png"),
    };
    run(sh, &options)?;
    Ok(Outcome::Passed)
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    if let Some(why) = missing() {
        anyhow::bail!(why);
    }
    npm::install(sh, Path::new("xtask/render"), Path::new(DIR))?;
    if let Some(url) = &options.prometheus {
        return draw(sh, options, url.trim_end_matches('/'));
    }
    Exporter::build(sh)?;
    let dir = Path::new(DIR);
    let port = free_port()?;
    // Without an Envoy its panel shows one side of the link.
    let envoy = match lab::find_envoy(sh) {
        Ok(program) => Some(Envoy::start(&program, dir, port)?),
        Err(error) => {
            println!("no Envoy in the picture: {error:#}");
            None
        }
    };
    let mut demo = vec![
        format!("--duration={}s", options.seconds + 30),
        format!("--rate={}", options.rate),
    ];
    demo.extend(
        envoy
            .iter()
            .map(|envoy| format!("--via=127.0.0.1:{}", envoy.port)),
    );
    let demo = Exporter::demo(dir, port, &demo)?;
    let prometheus = Prometheus::start(
        dir,
        &scrape_config(&[
            ("interval: 15s", &format!("interval: {}s", options.scrape)),
            ("timeout: 10s", &format!("timeout: {}s", options.scrape)),
            (
                "host.docker.internal:9092",
                &format!("127.0.0.1:{}", demo.metrics_port),
            ),
            (
                "host.docker.internal:9901",
                &format!(
                    "127.0.0.1:{}",
                    envoy.as_ref().map_or(9901, |envoy| envoy.admin_port)
                ),
            ),
        ])?,
    )?;
    println!(
        "the demo runs for {} s; {} shows it meanwhile",
        options.seconds, prometheus.url
    );
    // The first rates need a window of scrapes, which the picture leaves out.
    let lead = 4 * options.scrape;
    thread::sleep(Duration::from_secs(options.seconds + lead));
    draw(sh, options, &prometheus.url)
}

/// What is not on this machine, if anything.
fn missing() -> Option<String> {
    npm::missing().or_else(|| {
        browser()
            .is_none()
            .then(|| "no Chromium or Chrome is on the path: apt install chromium".to_owned())
    })
}

fn browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(|name| which::which(name).ok())
}

fn draw(sh: &Shell, options: &Options, prometheus: &str) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let to = now.as_secs();
    let from = to - options.seconds;
    let root = std::env::current_dir()?;
    let (dashboard, picture) = (root.join(&options.dashboard), root.join(&options.out));
    ensure!(dashboard.exists(), "{} is not there", dashboard.display());
    let browser = browser().context("no browser")?;
    let (from, to, scrape) = (from.to_string(), to.to_string(), options.scrape.to_string());
    cmd!(
        sh,
        "node {DIR}/render.mjs {dashboard} {prometheus} {picture} --from {from} --to {to} --scrape {scrape} --chromium {browser}"
    )
    .quiet()
    .run()
    .context("the dashboard cannot be read")
}
