//! What the demo pushes over OTLP beside what is scraped of it, in real receivers: `cargo xtask test otlp`.

mod decode;
mod expressions;
mod gen_ai;
mod series;
mod tee;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use xshell::Shell;

use self::tee::Tee;
use super::{
    formats::{agree, exemplars, told::Told},
    play::Play,
};
use crate::{
    api,
    http::free_port,
    lab::{Exporter, Prometheus, Receiver, VictoriaMetrics, find_newer_prometheus},
    stage::Outcome,
    workspace,
};

const LOAD: Duration = Duration::from_secs(30);

/// The job that is scraped, and the service that pushes.
const SCRAPED: &str = "scraped";
const PUSHED: &str = "pushed";
/// The service that pushes its histograms as exponential ones.
const NATIVE: &str = "native";

/// `service.instance.id` of what pushes.
const INSTANCE: &str = "gateway-1:9092";
const ATTRIBUTES: &str = "service.instance.id=gateway-1:9092";

/// Off unless asked for in Prometheus 3.5.
const FEATURES: [&str; 2] = ["exemplar-storage", "native-histograms"];

/// How `VictoriaMetrics` makes job and instance of what a resource says.
const RELABELLING: &str = "config/otel/victoriametrics_relabel.yaml";

/// The programs that have to be found first.
struct Programs {
    prometheus: PathBuf,
    receiver: PathBuf,
    victoria: PathBuf,
    python: PathBuf,
}

impl Programs {
    fn find(sh: &Shell) -> Result<Self> {
        Ok(Self {
            prometheus: workspace::root().join(find_newer_prometheus(sh)?),
            receiver: Receiver::find(sh)?,
            victoria: workspace::root().join(VictoriaMetrics::newer(sh)?),
            python: decode::python(sh)?,
        })
    }
}

/// Runs it.
pub(crate) fn prove(sh: &Shell) -> Result<Outcome> {
    let programs = match Programs::find(sh) {
        Ok(programs) => programs,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    Exporter::build(sh)?;
    let dir = workspace::root().join("target/otlp");
    let metrics_port = free_port()?;
    let mut prometheus = prometheus(&programs.prometheus, &dir, metrics_port)?;
    let mut receiver = Receiver::start(&programs.receiver, &dir, &prometheus.url)?;
    let mut victoria = victoria(&programs.victoria, &dir)?;
    let store = format!("{}/opentelemetry/v1/metrics", victoria.url);
    let both = [receiver.url.clone(), store];

    let begun = api::epoch_seconds()?;
    let tee = Tee::start(&both)?;
    let mut demo = demo(&dir, metrics_port, &tee.url)?;
    let native_tee = Tee::start(&both[..1])?;
    let mut native = exponential(&dir, &native_tee.url)?;
    let (told, of_native) = (Told(demo.told()?), Told(native.told()?));
    tee.two_more()?;
    native_tee.two_more()?;
    prometheus.catch_up(SCRAPED)?;
    victoria.flush()?;

    let scraped_from = format!("127.0.0.1:{metrics_port}");
    let scraped = series::of_job(&prometheus.url, SCRAPED, &scraped_from)?;
    received("Prometheus", &prometheus.url, &scraped, &told)?;
    received("VictoriaMetrics", &victoria.url, &scraped, &told)?;
    decoded(sh, &programs.python, &tee.last(), &dir, &scraped)?;
    println!("{}", exemplars::check(&prometheus.url, &[PUSHED], &told)?);
    let natives = agree::natives(&prometheus.url, NATIVE, &of_native)?;
    println!("{natives} exponential histograms hold the demo's counts and sums");
    expressions(&prometheus.url, begun)?;
    let view_tee = Tee::start(&both)?;
    let view = gen_ai::check(&dir, &prometheus.url, &mut victoria, &view_tee)?;
    println!("{view}");

    let mut exports = 0;
    for tee in [tee, native_tee, view_tee] {
        exports += tee.exports()?;
    }
    let complaints = receiver.complaints()?;
    ensure!(complaints.is_empty(), "Prometheus' receiver: {complaints}");
    println!("{exports} exports were taken without a complaint");
    Ok(Outcome::Passed)
}

/// What a receiver has is what is scraped, and the demo's truth.
fn received(name: &str, server: &str, scraped: &series::All, told: &Told) -> Result<()> {
    let pushed = series::of_job(server, PUSHED, INSTANCE)?;
    let count = series::same(scraped, &pushed, name)?;
    let truths = agree::with_truth(&pushed, told).with_context(|| name.to_owned())?;
    println!(
        "{name}: {count} series pushed are those scraped, and {truths} values are the demo's truth"
    );
    Ok(())
}

/// Dashboards and rules find what is pushed where they find what is scraped.
fn expressions(server: &str, begun: f64) -> Result<()> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let window = (api::epoch_seconds()? - begun) as u64 + 5;
    let (expressions, found) = expressions::same(server, [SCRAPED, PUSHED], window)?;
    println!(
        "{expressions} expressions of dashboards and rules find the same {found} series pushed and scraped"
    );
    Ok(())
}

fn demo(dir: &Path, metrics_port: u16, url: &str) -> Result<Play> {
    let options = ["--rate=20", "--seed=7", "--native-histograms=both"];
    let environment = environment(PUSHED, url);
    Play::start_in(
        &dir.join("demo"),
        metrics_port,
        LOAD,
        &options,
        &environment,
    )
}

/// What makes the demo push there each second.
fn environment<'a>(service: &'a str, url: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", url),
        ("OTEL_SERVICE_NAME", service),
        ("OTEL_RESOURCE_ATTRIBUTES", ATTRIBUTES),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
    ]
}

/// A demo that pushes exponential histograms, which Prometheus alone stores as such.
fn exponential(dir: &Path, url: &str) -> Result<Play> {
    let aggregation = (
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2_exponential_bucket_histogram",
    );
    let options = ["--rate=2", "--seed=3", "--native-histograms=both"];
    let mut environment = environment(NATIVE, url);
    environment.push(aggregation);
    Play::start_in(
        &dir.join("native"),
        free_port()?,
        LOAD,
        &options,
        &environment,
    )
}

/// A Prometheus that scrapes the demo, evaluates the shipped rules, and takes what is pushed.
fn prometheus(program: &Path, dir: &Path, metrics_port: u16) -> Result<Prometheus> {
    let rules = dir.join("rules");
    expressions::quick_rules(&rules)?;
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: [\"{}/*.yaml\"]\n\
         scrape_configs:\n\
         - {{job_name: {SCRAPED}, scrape_protocols: [OpenMetricsText1.0.0], static_configs: [{{targets: [\"127.0.0.1:{metrics_port}\"]}}]}}\n",
        rules.display()
    );
    Prometheus::start_receiving(program, &FEATURES, dir, &config)
}

fn victoria(program: &Path, dir: &Path) -> Result<VictoriaMetrics> {
    let relabelling = workspace::root().join(RELABELLING);
    let arguments = [
        format!("-relabelConfig={}", relabelling.display()),
        // Queries see what was taken just now.
        "-search.latencyOffset=0s".to_owned(),
        "-search.disableCache".to_owned(),
    ];
    VictoriaMetrics::start_with(program, dir, &arguments)
}

/// Compares an export, as another decoder reads it, with what is scraped.
fn decoded(
    sh: &Shell,
    python: &Path,
    body: &[u8],
    dir: &Path,
    scraped: &series::All,
) -> Result<()> {
    let decoded = decode::decode(sh, python, body, dir)?;
    let count = series::same(scraped, &decoded.series, "Python")?;
    let of = |name: &str| decoded.resource.get(name).map(String::as_str);
    ensure!(
        of("service.name") == Some(PUSHED) && of("service.instance.id") == Some(INSTANCE),
        "the resource is {:?}",
        decoded.resource
    );
    ensure!(
        decoded.scopes == ["brightstaff"],
        "the scopes are {:?}",
        decoded.scopes
    );
    println!("Python's opentelemetry-proto: {count} series pushed are those scraped");
    Ok(())
}
