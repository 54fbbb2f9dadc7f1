//! What the demo pushes over OTLP beside what is scraped of it, in real receivers: `cargo xtask test otlp`.

mod decode;
mod expressions;
mod series;
mod tee;

use std::{path::Path, time::Duration};

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

/// Off unless asked for in Prometheus 3.5.
const FEATURES: [&str; 2] = ["exemplar-storage", "native-histograms"];

/// How `VictoriaMetrics` makes job and instance of what a resource says.
const RELABELLING: &str = "config/otel/victoriametrics_relabel.yaml";

/// The programs that have to be found first.
struct Programs {
    prometheus: std::path::PathBuf,
    receiver: std::path::PathBuf,
    victoria: std::path::PathBuf,
    python: std::path::PathBuf,
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
    let tee = Tee::start(&[receiver.url.clone(), store])?;

    let begun = api::epoch_seconds()?;
    let options = ["--rate=20", "--seed=7", "--native-histograms=both"];
    let environment = environment(PUSHED, &tee.url, &[]);
    let both = dir.join("demo");
    let mut demo = Play::start_in(&both, metrics_port, LOAD, &options, &environment)?;
    let mut native = exponential(&dir, &receiver.url)?;
    let told = Told(demo.told()?);
    let of_native = Told(native.told()?);
    tee.two_more()?;
    prometheus.catch_up(SCRAPED)?;

    let body = tee.last();
    let scraped_from = format!("127.0.0.1:{metrics_port}");
    let scraped = series::of_job(&prometheus.url, SCRAPED, &scraped_from)?;
    let pushed = series::of_job(&prometheus.url, PUSHED, INSTANCE)?;
    let count = series::same(&scraped, &pushed, "Prometheus")?;
    let truths = agree::with_truth(&pushed, &told).context("Prometheus")?;
    println!(
        "Prometheus: {count} series pushed are those scraped, and {truths} values are the demo's truth"
    );
    victoria.flush()?;
    let stored = series::of_job(&victoria.url, PUSHED, INSTANCE)?;
    let count = series::same(&scraped, &stored, "VictoriaMetrics")?;
    let truths = agree::with_truth(&stored, &told).context("VictoriaMetrics")?;
    println!(
        "VictoriaMetrics: {count} series pushed are those scraped, and {truths} values are the demo's truth"
    );
    decoded(sh, &programs.python, &body, &dir, &scraped)?;
    println!("{}", exemplars::check(&prometheus.url, &[PUSHED], &told)?);
    let natives = agree::natives(&prometheus.url, NATIVE, &of_native)?;
    println!("{natives} exponential histograms hold the demo's counts and sums");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let window = (api::epoch_seconds()? - begun) as u64 + 5;
    let (expressions, values) = expressions::same(&prometheus.url, [SCRAPED, PUSHED], window)?;
    println!(
        "{expressions} expressions of dashboards and rules find the same {values} series pushed and scraped"
    );
    let exports = tee.exports()?;
    let complaints = receiver.complaints()?;
    ensure!(complaints.is_empty(), "Prometheus' receiver: {complaints}");
    println!("{exports} exports were taken without a complaint");
    Ok(Outcome::Passed)
}

/// What makes the demo push there each second, and how else.
fn environment(service: &str, url: &str, further: &[(&str, &str)]) -> Vec<(String, String)> {
    let attributes = format!("service.instance.id={INSTANCE}");
    let all = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", url),
        ("OTEL_SERVICE_NAME", service),
        ("OTEL_RESOURCE_ATTRIBUTES", &attributes),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
    ];
    let all = all.iter().chain(further);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A demo that pushes exponential histograms to Prometheus alone.
fn exponential(dir: &Path, url: &str) -> Result<Play> {
    let aggregation = (
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2_exponential_bucket_histogram",
    );
    let options = ["--rate=2", "--seed=3", "--native-histograms=both"];
    let environment = environment(NATIVE, url, &[aggregation]);
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
