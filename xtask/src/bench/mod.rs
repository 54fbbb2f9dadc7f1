//! `cargo xtask bench`: every row of `BENCHMARKS.md`, measured beside its floor and its peers in one run.

mod figures;
pub(crate) mod instructions;
mod plot;
mod reasons;
mod report;
mod row;
mod rows;
mod verdict;

use std::{collections::BTreeSet, time::Instant};

use anyhow::{Result, bail, ensure};
use clap::Args;
use xshell::Shell;

use self::{
    figures::{Effort, Figures, local},
    reasons::Reasons,
    report::Machine,
    row::{Kind, Row},
    rows::{BENCHES, PEERS},
    verdict::Measured,
};

const PAGE: &str = "BENCHMARKS.md";
const PLOT: &str = "docs/benchmarks.svg";

/// What figures of callgrind start with.
const INSTRUCTIONS: &str = "instructions: ";

#[derive(Args)]
pub(crate) struct Options {
    /// Measure for a shorter time, in fewer rounds
    #[arg(long)]
    quick: bool,
    /// Only rows with this in their names; writes nothing
    filter: Option<String>,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    let filter = options.filter.as_deref().unwrap_or_default();
    let rows: Vec<_> = rows::all().filter(|row| row.id.contains(filter)).collect();
    ensure!(
        !rows.is_empty(),
        "no row has {filter:?} in its name; there are {}",
        rows::all().map(|row| row.id).collect::<Vec<_>>().join(", ")
    );
    let reasons = Reasons::read()?;
    let machine = Machine::here(sh, PEERS)?;
    let effort = if options.quick {
        Effort::QUICK
    } else {
        Effort::NORMAL
    };
    let ids: BTreeSet<_> = rows.iter().flat_map(|row| ids_of(row)).collect();
    let figures = measure(sh, &ids, effort)?;
    let measured = rows.iter().map(|row| Measured::of(row, &figures));
    let measured = measured.collect::<Result<Vec<_>>>()?;
    report::print(&measured);
    if options.filter.is_some() {
        return Ok(());
    }
    sh.write_file(
        PAGE,
        report::page(&measured, &machine, &figures, effort, &reasons),
    )?;
    sh.write_file(PLOT, plot::draw(&measured))?;
    let unsaid = measured
        .iter()
        .filter(|one| !one.is_reached() && reasons.of(one.row.id).is_none());
    for one in unsaid {
        println!(
            "{}: not reached, and xtask/src/bench/reasons.toml does not say why",
            one.row.id
        );
    }
    Ok(())
}

/// Every figure that a row is made of.
fn ids_of(row: &'static Row) -> impl Iterator<Item = &'static str> {
    let peers = row.peers.iter().map(|(_, id)| *id);
    [Some(row.ours), row.bare, row.floor]
        .into_iter()
        .flatten()
        .chain(peers)
}

/// Runs what gives these figures: by rounds, so that each meets the same machine as what it is compared with.
fn measure(sh: &Shell, ids: &BTreeSet<&str>, effort: Effort) -> Result<Figures> {
    let mut figures = Figures::default();
    if ids.iter().any(|id| id.starts_with(INSTRUCTIONS)) {
        if let Some(missing) = instructions::missing(sh)? {
            bail!(missing);
        }
        println!("counting instructions");
        for (id, count) in instructions::count(sh, None)? {
            figures.push(format!("{INSTRUCTIONS}{id}"), count);
        }
    }
    for round in 0..effort.rounds {
        for bench in BENCHES {
            let asked = ids.iter().any(|id| local(bench, id).is_some());
            if !asked || (bench.kind != Kind::Criterion && round > 0) {
                continue;
            }
            let start = Instant::now();
            figures.run(sh, bench, ids, effort)?;
            println!(
                "round {}: {} ({:.0} s)",
                round + 1,
                bench.name,
                start.elapsed().as_secs_f64()
            );
        }
    }
    Ok(figures)
}
