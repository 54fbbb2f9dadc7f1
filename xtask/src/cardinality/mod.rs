//! `cargo xtask cardinality`: the series budget, and the run that it is checked against.

mod budget;
#[cfg(test)]
mod flood;
mod measure;

use anyhow::Result;
use clap::Args;
use xshell::Shell;

use budget::{Gateway, OF_THE_SCRAPE, Reading};

pub(crate) use measure::test;

/// Bytes of Prometheus' memory for one series, its samples of two hours included; what it needs with
/// none. Both measured: see docs/SCALING.md.
const MEMORY_PER_SERIES: u64 = 6 << 10;
const MEMORY_BASE: u64 = 64 << 20;

/// Bytes of one sample on disk, as Prometheus' own documentation has it.
const DISK_PER_SAMPLE: f64 = 1.5;

#[derive(Args)]
pub(crate) struct Options {
    /// Handlers that are ever asked for
    #[arg(long, default_value_t = 8)]
    handlers: u64,
    /// Providers that are named, or of which a pair answered
    #[arg(long, default_value_t = 2)]
    providers: u64,
    /// Pairs of provider and model that are ever called
    #[arg(long, default_value_t = 10)]
    pairs: u64,
    /// Models that routing decisions select; without, as many as pairs
    #[arg(long)]
    selected: Option<u64>,
    /// Replicas of the gateway
    #[arg(long, default_value_t = 1)]
    replicas: u64,
    /// Seconds between two scrapes
    #[arg(long, default_value_t = 15)]
    interval: u64,
    /// Run 20 gateways, a Prometheus and a remote store, and check the budget against them
    #[arg(long)]
    measure: bool,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    if options.measure {
        if let crate::stage::Outcome::Skipped(why) = test(sh)? {
            anyhow::bail!(why);
        }
        return Ok(());
    }
    let gateway = Gateway {
        handlers: options.handlers,
        providers: options.providers,
        pairs: options.pairs,
        selected: options.selected.unwrap_or(options.pairs),
    };
    let most = budget::costs(gateway, Reading::Most);
    println!("series of one replica {:>32} {:>8}", "usual", "at most");
    for (usual, most) in budget::costs(gateway, Reading::Usual).iter().zip(&most) {
        if !budget::once(usual.family) {
            println!(
                "  {:<43} {:>8} {:>8}",
                usual.family.name, usual.series, most.series
            );
        }
    }
    let once = most.iter().filter(|cost| budget::once(cost.family)).count();
    println!("  {:<43} {once:>8} {once:>8}", "process and build");
    for reading in [Reading::Usual, Reading::Most] {
        summary(options, gateway, reading);
    }
    Ok(())
}

fn summary(options: &Options, gateway: Gateway, reading: Reading) {
    let (series, bytes) = budget::total(gateway, reading);
    let all = (series + OF_THE_SCRAPE) * options.replicas;
    let rate = all as f64 / options.interval as f64;
    let memory = MEMORY_BASE + all * MEMORY_PER_SERIES;
    let disk = rate * DISK_PER_SAMPLE * 86_400.0;
    let (name, names) = match reading {
        Reading::Usual => ("usual", ""),
        Reading::Most => ("at most", ", were every name as long as one can be"),
    };
    println!(
        "\n{name}: {series} series, {} KiB a scrape for each of {} replicas{names}\n\
         {all} series in Prometheus, {rate:.0} samples/s, about {} MiB of memory, {:.0} MiB of disk a day",
        bytes >> 10,
        options.replicas,
        memory >> 20,
        disk / f64::from(1 << 20),
    );
}
