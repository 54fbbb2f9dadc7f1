//! The gateway under a mixed load of every fault that clients and providers can make, for as long as
//! wanted: at its end every request is counted as what it was, and nothing is left of any of them.

mod client;
mod ledger;
mod load;
mod provider;
mod rows;

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

/// By how much the memory at rest may grow after the warm-up.
const GROWTH: f64 = 0.05;

/// The same in bytes where five percent are less. What an allocator keeps differs by as much between
/// two moments of rest, whatever was leaked: of 25 MiB, 5 % are one arena of one thread. In a long run it is
/// small for what a leak would be: with 100,000 requests, 42 bytes each.
const GROWTH_BYTES: f64 = 4.0 * 1024.0 * 1024.0;

/// The load, and what it is put on.
#[derive(Args)]
pub(crate) struct Options {
    /// How long the load lasts, in minutes
    #[arg(long, default_value_t = 10)]
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
        rows::ROWS.len()
    );
    // The first third fills pools, tables and the allocator; what grows after it is kept for nothing.
    load.run(requests / 3)?;
    let warm = gateway.rest(&load, &start)?;
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
    let mut faults = load.faults;
    faults.extend(load.ledger.differences(&end));
    if end.open_fds > start.open_fds {
        faults.push(format!(
            "{} descriptors, not {}",
            end.open_fds, start.open_fds
        ));
    }
    faults.extend(grown(warm.resident_bytes, end.resident_bytes));
    verdict(&faults)?;
    println!("every request and call is counted as what it was, and nothing is left of any");
    Ok(())
}

/// What differs too much between the warm-up and the end, if anything does.
fn grown(warm: f64, end: f64) -> Option<String> {
    let bound = (warm * GROWTH).max(GROWTH_BYTES);
    let (growth, bound) = (mib(end - warm), mib(bound));
    (growth > bound)
        .then(|| format!("grown by {growth:.1} MiB after a third, by more than {bound:.1}"))
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
    fn faults_of_a_kind_are_one_line() {
        let faults = ["b", "a", "b"].map(str::to_owned);
        let error = verdict(&faults).unwrap_err().to_string();
        assert_eq!(error, "3 faults:\n  a\n  b (2 times)");
        verdict(&[]).unwrap();
    }
}
