//! The gateway under a mixed load of every fault that clients and providers can make, for as long as
//! wanted: at its end every request is counted as what it was, and nothing is left of any of them.

mod answer;
mod apis;
mod client;
mod ledger;
mod load;
mod plan;
mod provider;
mod refused;
mod rows;
mod spoken;
mod table;
mod target;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use clap::Args;
use xshell::Shell;

use self::{
    ledger::Scrape,
    load::Load,
    provider::Provider,
    target::{Gateway, Target},
};
use crate::stage::Outcome;

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

    /// The gateway to soak
    #[arg(long, value_enum, default_value_t = Target::Serve)]
    gateway: Target,

    /// Its binary; a release build of this workspace unless given
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// `cargo xtask soak`.
pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => options.gateway.release(sh)?,
    };
    let rate = options.rate;
    let requests = u64::from(options.minutes) * 60 * u64::from(rate);
    let soak = Soak {
        requests,
        rate,
        keeps_memory: true,
    };
    soak.run(options.gateway, &binary)
}

/// The stage: a minute of the sidecar, and a quarter of one of the example, of the builds that are there.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if !Path::new("/proc/self/fd").exists() {
        let why = "without /proc the gateway tells neither its memory nor its descriptors";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    for (target, seconds) in [(Target::Serve, 60), (Target::Actix, 15)] {
        let rate = 60;
        let soak = Soak {
            requests: seconds * u64::from(rate),
            rate,
            // In a quarter of a minute the allocator sees little of all that it has to hold.
            keeps_memory: target == Target::Serve,
        };
        soak.run(target, &target.debug(sh)?)?;
    }
    Ok(Outcome::Passed)
}

/// How much of it.
struct Soak {
    requests: u64,
    /// Requests a second.
    rate: u32,
    /// Whether memory must stay what it is after the first third.
    keeps_memory: bool,
}

impl Soak {
    fn run(&self, target: Target, binary: &Path) -> Result<()> {
        let &Self { requests, rate, .. } = self;
        let provider = Provider::start()?;
        let mut gateway = Gateway::start(target, binary, provider.address)?;
        let start = Scrape::get(&gateway.metrics)?;
        let mut load = Load::new(target, gateway.address, &provider, rate);
        println!(
            "{}: {requests} requests, {rate} a second, of {} kinds",
            target.name(),
            load.kinds()
        );
        for (row, why) in rows::not_played_to(target) {
            println!("not played: {row}: {why}");
        }
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
        if self.keeps_memory {
            faults.extend(grown(requests / 3, warm.resident_bytes, end.resident_bytes));
        }
        verdict(&faults)?;
        println!("every request and call is counted as what it was, and nothing is left of any");
        Ok(())
    }
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
