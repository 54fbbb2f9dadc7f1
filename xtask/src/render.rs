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
    grafana::DASHBOARDS,
    http::free_port,
    lab::{self, Envoy, Exporter, Prometheus, find_newer_prometheus},
    npm,
    stack::scrape_config,
    stage::Outcome,
    workspace,
};

/// Where the page is built: its packages stay there.
const DIR: &str = "target/render";

#[derive(Args)]
pub(crate) struct Options {
    /// Draw what this Prometheus knows; without, the demo is run and scraped
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// How many seconds the picture covers. The axis of few shows seconds, and cuts them at its end
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Seconds between two scrapes
    #[arg(long, default_value_t = 5)]
    scrape: u64,
    /// Requests a second of the demo
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Native histograms beside the classic ones, kept by a Prometheus 3
    #[arg(long, conflicts_with = "prometheus")]
    native_histograms: bool,
    /// The dashboard; without, those that the README shows
    #[arg(long, requires = "out")]
    dashboard: Option<PathBuf>,
    /// Its picture
    #[arg(long, requires = "dashboard")]
    out: Option<PathBuf>,
}

/// What the README shows, and its pictures.
const SHOWN: [(&str, &str); 2] = [
    (
        "config/grafana/brightstaff_overview_dashboard.json",
        "docs/overview.png",
    ),
    (
        "config/grafana/brightstaff_dashboard.json",
        "docs/dashboard.png",
    ),
];

/// A dashboard, and where its picture goes.
type Picture = (PathBuf, PathBuf);

/// The stage: a short demo, and pictures of both dashboards under `target`.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = missing().or_else(Prometheus::missing) {
        return Ok(Outcome::Skipped(why));
    }
    let pictures = DASHBOARDS.map(|(dashboard, _)| {
        let dashboard = PathBuf::from(dashboard);
        let name = dashboard.file_stem().expect("it is a file");
        let picture = Path::new(DIR).join(name).with_extension("png");
        (dashboard, picture)
    });
    let seen = Seen {
        seconds: 45,
        scrape: 1,
        native: false,
    };
    demo(sh, seen, 20.0, &pictures)?;
    Ok(Outcome::Passed)
}

/// What a picture covers, how many seconds lie between two scrapes, and whether they bring native histograms.
#[derive(Clone, Copy)]
struct Seen {
    seconds: u64,
    scrape: u64,
    native: bool,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    if let Some(why) = missing() {
        anyhow::bail!(why);
    }
    let seen = Seen {
        seconds: options.seconds,
        scrape: options.scrape,
        native: options.native_histograms,
    };
    let pictures = match (&options.dashboard, &options.out) {
        (Some(dashboard), Some(out)) => vec![(dashboard.clone(), out.clone())],
        _ => Vec::from(SHOWN.map(|(dashboard, picture)| (dashboard.into(), picture.into()))),
    };
    match &options.prometheus {
        Some(url) => draw(sh, seen, url.trim_end_matches('/'), &pictures),
        None => demo(sh, seen, options.rate, &pictures),
    }
}

/// Runs the demo, with an Envoy before it where there is one, and draws what Prometheus saw.
fn demo(sh: &Shell, seen: Seen, rate: f64, pictures: &[Picture]) -> Result<()> {
    npm::install(sh, Path::new("xtask/render"), Path::new(DIR))?;
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
        format!("--duration={}s", seen.seconds + 30),
        format!("--rate={}", rate),
    ];
    demo.extend(
        envoy
            .iter()
            .map(|envoy| format!("--via=127.0.0.1:{}", envoy.port)),
    );
    if seen.native {
        demo.push("--native-histograms=both".to_owned());
    }
    let demo = Exporter::demo(dir, port, free_port()?, &demo)?;
    let admin = envoy.as_ref().map_or(9901, |envoy| envoy.admin_port);
    let prometheus = prometheus(sh, dir, seen, demo.metrics_port, admin)?;
    println!(
        "the demo runs for {} s; {} shows it meanwhile",
        seen.seconds, prometheus.url
    );
    // The first rates need a window of scrapes, which the picture leaves out.
    let lead = 4 * seen.scrape;
    thread::sleep(Duration::from_secs(seen.seconds + lead));
    draw(sh, seen, &prometheus.url, pictures)
}

/// One that scrapes the demo, and Envoy's admin port.
fn prometheus(sh: &Shell, dir: &Path, seen: Seen, demo: u16, envoy: u16) -> Result<Prometheus> {
    let job = "job_name: brightstaff\n";
    let both = format!("{job}    always_scrape_classic_histograms: true\n");
    let config = scrape_config(&[
        ("interval: 15s", &format!("interval: {}s", seen.scrape)),
        ("timeout: 10s", &format!("timeout: {}s", seen.scrape)),
        ("host.docker.internal:9092", &format!("127.0.0.1:{demo}")),
        ("host.docker.internal:9901", &format!("127.0.0.1:{envoy}")),
        (job, if seen.native { &both } else { job }),
    ])?;
    if !seen.native {
        return Prometheus::start(dir, &config);
    }
    let program = workspace::root().join(find_newer_prometheus(sh)?);
    Prometheus::start_with(&program, &["native-histograms"], dir, &config)
}

/// What is not on this machine, if anything.
fn missing() -> Option<String> {
    npm::missing().or_else(|| npm::browser().err().map(|error| error.to_string()))
}

fn draw(sh: &Shell, seen: Seen, prometheus: &str, pictures: &[Picture]) -> Result<()> {
    npm::install(sh, Path::new("xtask/render"), Path::new(DIR))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let to = now.as_secs();
    let from = (to - seen.seconds).to_string();
    let (to, scrape) = (to.to_string(), seen.scrape.to_string());
    let root = std::env::current_dir()?;
    let browser = npm::browser()?;
    for (dashboard, picture) in pictures {
        let (dashboard, picture) = (root.join(dashboard), root.join(picture));
        ensure!(dashboard.exists(), "{} is not there", dashboard.display());
        cmd!(
            sh,
            "node {DIR}/render.mjs {dashboard} {prometheus} {picture} --from {from} --to {to} --scrape {scrape} --chromium {browser}"
        )
        .quiet()
        .run()
        .with_context(|| format!("{} cannot be read", dashboard.display()))?;
    }
    Ok(())
}
