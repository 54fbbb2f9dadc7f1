//! Every format, scraped by real servers while the demo runs, and what they know then beside its truth:
//! `cargo xtask test formats`.

pub(super) mod agree;
pub(super) mod exemplars;
mod quantiles;
pub(super) mod told;

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::Shell;

use self::told::Told;
use super::{fill::Variables, play::Play};
use crate::{
    api,
    grafana::overview,
    http::free_port,
    lab::{Exporter, Prometheus, find_newer_prometheus},
    promql::Source,
    stage::Outcome,
    workspace,
};

const LOAD: Duration = Duration::from_secs(60);
/// Seconds between two scrapes.
const STEP: u64 = 2;
/// Off unless asked for, in both servers.
const FEATURES: [&str; 2] = ["exemplar-storage", "native-histograms"];

/// A job of a Prometheus 3: how it scrapes which demo.
struct Job {
    name: &'static str,
    demo: Demo,
    settings: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Demo {
    /// With classic and native histograms.
    Both,
    /// With native ones alone, in protobuf.
    Only,
}

const JOBS: [Job; 6] = [
    Job {
        name: "text",
        demo: Demo::Both,
        settings: "scrape_protocols: [PrometheusText0.0.4]",
    },
    Job {
        name: "openmetrics",
        demo: Demo::Both,
        settings: "scrape_protocols: [OpenMetricsText1.0.0]",
    },
    Job {
        name: "protobuf",
        demo: Demo::Both,
        settings: "scrape_protocols: [PrometheusProto], always_scrape_classic_histograms: true",
    },
    Job {
        name: "native",
        demo: Demo::Both,
        settings: "scrape_protocols: [PrometheusProto]",
    },
    // What it would take if there were any.
    Job {
        name: "only",
        demo: Demo::Only,
        settings: "scrape_protocols: [PrometheusProto], always_scrape_classic_histograms: true",
    },
    Job {
        name: "text of only",
        demo: Demo::Only,
        settings: "scrape_protocols: [PrometheusText0.0.4]",
    },
];

/// The jobs that see the same samples in other formats.
const FORMATS: [&str; 3] = ["text", "openmetrics", "protobuf"];

/// Runs it.
pub(crate) fn prove(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = Prometheus::missing() {
        return Ok(Outcome::Skipped(why));
    }
    let program = match find_newer_prometheus(sh) {
        Ok(program) => program,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    Exporter::build(sh)?;
    let dir = workspace::root().join("target/prometheus/formats");
    let (both_port, only_port) = (free_port()?, free_port()?);
    let demo =
        |name: &str, port, options: &[&str]| Play::start(&dir.join(name), port, LOAD, options);
    let both = ["--rate=15", "--seed=7", "--native-histograms=both"];
    let mut both = demo("both", both_port, &both)?;
    let only = ["--rate=2", "--seed=3", "--native-histograms=only"];
    let mut only = demo("only", only_port, &only)?;
    let mut newer = String::new();
    for Job {
        name,
        demo,
        settings,
    } in &JOBS
    {
        let port = if *demo == Demo::Both {
            both_port
        } else {
            only_port
        };
        writeln!(newer, "{}", job(name, port, settings))?;
    }
    let program = workspace::root().join(program);
    let newer = configuration(&newer);
    let mut newer = Prometheus::start_with(&program, &FEATURES, &dir.join("newer"), &newer)?;
    let older = configuration(&job("native", both_port, ""));
    let program = which::which("prometheus").context("no prometheus on the path")?;
    let mut older = Prometheus::start_with(&program, &FEATURES, &dir.join("older"), &older)?;

    let (told, of_only) = (Told(both.told()?), Told(only.told()?));
    for job in &JOBS {
        newer.scrape(job.name)?;
    }
    older.scrape("native")?;
    for server in [&newer, &older] {
        scraped_in_silence(server)?;
    }
    compare(&newer.url, &told, &of_only)?;
    compare_older(&older.url, &told)?;
    Ok(Outcome::Passed)
}

fn compare(server: &str, told: &Told, of_only: &Told) -> Result<()> {
    let (values, series) = agree::formats(server, &FORMATS, told)?;
    println!(
        "{values} values in each of {FORMATS:?} are the demo's truth, and {series} series the same in all"
    );
    let natives = agree::natives(server, "native", told)?;
    let without_classic = agree::natives(server, "only", of_only)?;
    agree::no_classic(server, "only")?;
    println!(
        "{natives} native histograms, and {without_classic} without classic ones, hold the demo's counts and sums"
    );
    println!("{}", agree::series_of_a_pair(server)?);
    units(server)?;
    println!("{}", quantiles::check(server, told)?);
    heatmap(server)?;
    println!(
        "{}",
        exemplars::check(server, &["openmetrics", "protobuf"], told)?
    );
    Ok(())
}

/// What the overview's heatmap asks of native histograms is one.
fn heatmap(server: &str) -> Result<()> {
    let variables = Variables {
        rate_interval: "10m",
        instance: ".*",
        provider: ".*",
        model: ".*",
    };
    let native = overview::native_heatmap(Source::Scraped).to_string();
    let native = format!("histogram_count({})", variables.fill(&native));
    ensure!(one(server, &native)? > 0.0, "nothing in {native}");
    Ok(())
}

/// Of a server that is older than `scrape_protocols`.
fn compare_older(server: &str, told: &Told) -> Result<()> {
    let natives = agree::natives(server, "native", told)?;
    println!("Prometheus 2: {natives} native histograms hold the demo's counts and sums");
    println!("Prometheus 2: {}", quantiles::check_native(server, told)?);
    Ok(())
}

fn configuration(jobs: &str) -> String {
    format!(
        "global: {{scrape_interval: {STEP}s, scrape_timeout: {STEP}s}}\nscrape_configs:\n{jobs}"
    )
}

fn job(name: &str, port: u16, settings: &str) -> String {
    let target = format!("static_configs: [{{targets: ['127.0.0.1:{port}']}}]");
    let settings = if settings.is_empty() {
        target
    } else {
        format!("{settings}, {target}")
    };
    format!("- {{job_name: {name}, {settings}}}")
}

/// No target is down, most scrapes went well (a busy machine may be late for some), and the log holds no warning.
fn scraped_in_silence(server: &Prometheus) -> Result<()> {
    let targets = api::get(&server.url, "targets", &[])?;
    for target in targets["activeTargets"].as_array().context("no targets")? {
        let (health, error) = (&target["health"], &target["lastError"]);
        ensure!(
            health == "up" && error == "",
            "{}: {health}, {error}",
            target["labels"]["job"]
        );
    }
    let went_well = api::query(&server.url, "avg_over_time(up[10m])")?;
    let scrapes = api::query(&server.url, "count_over_time(up[10m])")?;
    for (labels, share) in &went_well {
        ensure!(
            *share > 0.5,
            "{}: {share} of the scrapes went well",
            labels["job"]
        );
    }
    let scrapes: f64 = scrapes.iter().map(|(_, scrapes)| scrapes).sum();
    let warnings = server.warnings()?;
    ensure!(
        warnings.is_empty(),
        "{} warnings: {}",
        warnings.len(),
        warnings[0]
    );
    println!(
        "{scrapes} scrapes by {} jobs, and not a warning",
        went_well.len()
    );
    Ok(())
}

/// Text 0.0.4 cannot tell a unit, and the others do: so each job got what it asked for.
fn units(server: &str) -> Result<()> {
    for (job, unit) in [
        ("text", ""),
        ("openmetrics", "seconds"),
        ("protobuf", "seconds"),
    ] {
        let of_job = format!("{{job=\"{job}\"}}");
        let about = [
            ("match_target", &*of_job),
            ("metric", quantiles::FAMILY.name),
        ];
        let told = api::get(server, "targets/metadata", &about)?;
        ensure!(told[0]["unit"] == unit, "{job}: {told}");
        ensure!(told[0]["type"] == "histogram", "{job}: {told}");
    }
    Ok(())
}

/// What a query of an instant returns of one series: it must be there.
fn one(server: &str, expression: &str) -> Result<f64> {
    let returned = api::query(server, expression)?;
    let (_, value) = returned
        .first()
        .with_context(|| format!("no data: {expression}"))?;
    Ok(*value)
}

/// An array, or none.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
