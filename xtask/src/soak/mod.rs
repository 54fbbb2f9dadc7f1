//! The gateway under a mixed load of every fault that clients and providers can make, for as long as
//! wanted: at its end every request is counted as what it was, and nothing is left of any of them.

mod client;
mod ledger;
mod load;
mod provider;
mod rows;
mod table;

use std::{
    collections::BTreeMap,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use self::{ledger::Scrape, load::Load, provider::Provider};
use crate::{
    http::free_port,
    lab::{Exporter, ready},
    process::Guarded,
    stage::Outcome,
};

/// How long the gateway may take to come to rest after the last client.
const REST: Duration = Duration::from_secs(60);

/// The share by which the memory at rest may grow after the first third of the load. Of the 24 MiB that a
/// run of 75,000 requests comes to rest at, and grew by 0.1 in its last 50,000, that is 25 bytes a request.
const GROWTH: f64 = 0.05;

/// The same where the first third is shorter than [`WARM`]: the allocator has not seen yet all that it has
/// to hold at a time, and grows for a while whatever is freed. A minute grows from 21.8 MiB by 0.3, and must
/// find what keeps a kibibyte of each request.
const SHORT_GROWTH: f64 = 0.1;

/// Requests after which memory at rest has come to what it stays at.
const WARM: u64 = 10_000;

/// The load, and what it is put on.
#[derive(Args)]
pub(crate) struct Options {
    /// How long the load lasts, in minutes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,

    /// Requests a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5000))]
    rate: u32,

    /// The binary to soak; a release build of this workspace unless given
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// `cargo xtask soak`.
pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => {
            // Not quiet: the first time it builds for minutes, and says so.
            cmd!(sh, "cargo build --release --package brightstaff-exporter")
                .quiet()
                .run()?;
            "target/release/brightstaff-exporter".into()
        }
    };
    soak(&binary, options.minutes, options.rate)
}

/// The stage: a minute, of the build that is there.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if !Path::new("/proc/self/fd").exists() {
        let why = "without /proc the gateway tells neither its memory nor its descriptors";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    let binary = if let Some(built) = env::var_os("XTASK_EXPORTER") {
        built.into()
    } else {
        Exporter::build(sh)?;
        env::current_exe()?.with_file_name("brightstaff-exporter")
    };
    soak(&binary, 1, 60)?;
    Ok(Outcome::Passed)
}

fn soak(binary: &Path, minutes: u32, rate: u32) -> Result<()> {
    let provider = Provider::start()?;
    let mut gateway = Gateway::start(binary, provider.address)?;
    let start = Scrape::get(&gateway.metrics)?;
    let mut load = Load {
        gateway: gateway.address,
        provider: &provider,
        rate,
        ledger: ledger::Ledger::default(),
        faults: Vec::new(),
    };
    let requests = u64::from(minutes) * 60 * u64::from(rate);
    println!(
        "{requests} requests, {rate} a second, of {} kinds",
        table::ROWS.len()
    );
    // The first third fills pools, tables and the allocator; what grows after it is kept for nothing.
    load.run(requests / 3)?;
    let warm = gateway.rest(&load, &start)?;
    verdict(&faults(&load, &start, &warm))?;
    load.run(requests - requests / 3)?;
    let end = gateway.rest(&load, &start)?;

    println!(
        "resident: {:.1} MiB at the start, {:.1} after a third, {:.1} at the end; descriptors: {}, {}, {}",
        mib(start.resident_bytes),
        mib(warm.resident_bytes),
        mib(end.resident_bytes),
        start.open_fds,
        warm.open_fds,
        end.open_fds
    );
    let mut faults = faults(&load, &start, &end);
    faults.extend(grown(requests / 3, warm.resident_bytes, end.resident_bytes));
    verdict(&faults)?;
    println!("every request and call is counted as what it was, and nothing is left of any");
    Ok(())
}

/// What is seen, counted or kept wrong at this rest.
fn faults(load: &Load<'_>, start: &Scrape, rest: &Scrape) -> Vec<String> {
    let mut faults = load.faults.clone();
    faults.extend(load.ledger.differences(rest));
    if rest.open_fds > start.open_fds {
        let (rest, start) = (rest.open_fds, start.open_fds);
        faults.push(format!("{rest} open descriptors, {start} at the start"));
    }
    faults
}

/// The memory that is kept for nothing, if it is too much.
fn grown(requests: u64, warm: f64, end: f64) -> Option<String> {
    let share = if requests < WARM {
        SHORT_GROWTH
    } else {
        GROWTH
    };
    let (growth, bound) = (mib(end - warm), mib(warm * share));
    let fault = format!("{growth:.1} MiB grown after the first third, more than {bound:.1}");
    (growth > bound).then_some(fault)
}

fn mib(bytes: f64) -> f64 {
    bytes / 1024.0 / 1024.0
}

/// Fails with all faults, the same ones once.
fn verdict(faults: &[String]) -> Result<()> {
    let mut kinds = BTreeMap::new();
    for fault in faults {
        *kinds.entry(fault).or_insert(0) += 1;
    }
    let lines = kinds.iter().map(|(fault, times)| match times {
        1 => format!("\n  {fault}"),
        times => format!("\n  {fault} ({times} times)"),
    });
    ensure!(
        faults.is_empty(),
        "{} faults:{}",
        faults.len(),
        lines.collect::<String>()
    );
    Ok(())
}

/// The gateway that is soaked.
struct Gateway {
    process: Guarded,
    address: SocketAddr,
    metrics: String,
}

impl Gateway {
    fn start(binary: &Path, provider: SocketAddr) -> Result<Self> {
        let dir = Path::new("target/soak");
        fs::create_dir_all(dir)?;
        let config = dir.join("gateway.toml");
        let text = format!(
            "response_header_timeout = \"{}\"\nmax_request_bytes = {}\n\
             [providers.live]\nurl = \"http://{provider}\"\nmodels = [\"m\"]\n\
             [providers.dead]\nurl = \"http://127.0.0.1:1\"\nmodels = [\"m\"]\n\
             [routes.rescued]\ncandidates = [\"dead/m\", \"live/m\"]\n",
            rows::HEADER_TIMEOUT,
            rows::MAX_REQUEST_BYTES
        );
        fs::write(&config, text)?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let metrics = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let arguments = [
            "serve".to_owned(),
            format!("--config={}", config.display()),
            format!("--bind={address}"),
            format!("--metrics-bind={metrics}"),
        ];
        let mut process = Guarded::start(binary, &arguments, &dir.join("gateway.log"))
            .with_context(|| format!("{} does not start", binary.display()))?;
        let metrics = format!("http://{metrics}/metrics");
        ready(&metrics, &mut process)?;
        Ok(Self {
            process,
            address,
            metrics,
        })
    }

    /// Waits until everything is counted and closed, and tells what is so then, or after a while.
    fn rest(&mut self, load: &Load<'_>, start: &Scrape) -> Result<Scrape> {
        let begin = Instant::now();
        loop {
            // Connections that the gateway keeps for later are no leak.
            load.provider.hang_up();
            self.process.check()?;
            let scrape = Scrape::get(&self.metrics)?;
            let rests = load.ledger.differences(&scrape).is_empty();
            let late = begin.elapsed() > REST;
            if late || rests && scrape.open_fds <= start.open_fds {
                return Ok(scrape);
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_bounded() {
        let mebibytes = |mebibytes: f64| mebibytes * 1024.0 * 1024.0;
        let grown = |requests, end| grown(requests, mebibytes(20.0), mebibytes(end)).is_some();
        assert!(!grown(WARM, 19.0) && !grown(WARM, 20.9) && grown(WARM, 21.1));
        assert!(!grown(WARM - 1, 21.9) && grown(WARM - 1, 22.1));
    }

    #[test]
    fn faults_of_a_kind_are_one_line() {
        let faults = ["b", "a", "b"].map(str::to_owned);
        let error = verdict(&faults).unwrap_err().to_string();
        assert_eq!(error, "3 faults:\n  a\n  b (2 times)");
        verdict(&[]).unwrap();
    }
}
