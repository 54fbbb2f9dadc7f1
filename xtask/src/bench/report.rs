//! `BENCHMARKS.md`, and the same in the terminal.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::{
    figures::{Effort, Figures},
    reasons::Reasons,
    row::{Target, Unit},
    verdict::{Measured, Reached},
};

/// Where it was measured, and with what.
pub(super) struct Machine {
    date: String,
    cpu: String,
    cpus: usize,
    load: String,
    rustc: String,
    peers: Vec<String>,
}

impl Machine {
    pub(super) fn here(sh: &Shell, peers: &[&str]) -> Result<Self> {
        let lock = sh.read_file("Cargo.lock")?;
        let peers = peers.iter().map(|peer| {
            let version = locked(&lock, peer)?;
            Ok(format!("{peer} {version}"))
        });
        let cpu = sh.read_file("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        let load = sh.read_file("/proc/loadavg").unwrap_or_default();
        Ok(Self {
            date: cmd!(sh, "date -u +%F").quiet().read()?,
            cpu: cpu
                .map_or("?", |cpu| cpu.trim_matches([' ', '\t', ':']))
                .to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            rustc: cmd!(sh, "rustc --version").quiet().read()?,
            peers: peers.collect::<Result<_>>()?,
        })
    }
}

/// The version of a package in the lock file.
pub(super) fn locked<'a>(lock: &'a str, package: &str) -> Result<&'a str> {
    let name = format!("name = \"{package}\"\nversion = \"");
    let version = lock
        .split_once(&name)
        .and_then(|(_, rest)| rest.split_once('"'));
    let version = version.with_context(|| format!("Cargo.lock has no {package}"))?;
    Ok(version.0)
}

/// The page.
pub(super) fn page(
    rows: &[Measured],
    machine: &Machine,
    figures: &Figures,
    effort: Effort,
    reasons: &Reasons,
) -> String {
    let rounds = effort.rounds;
    let aimed = rows.iter().filter(|row| !row.targets.is_empty());
    let (reached, missed): (Vec<_>, Vec<_>) = aimed.partition(|row| row.is_reached());
    let Machine {
        date,
        cpu,
        cpus,
        load,
        rustc,
        peers,
    } = machine;
    let mut page = format!(
        "<!-- Written by `cargo xtask bench`. Reasons stand in xtask/src/bench/reasons.toml. -->\n\
         # Benchmarks\n\n\
         What measuring costs, beside the least that could do it (*floor*) and beside what others do, all of one run: {} of {} \
         rows that have something to reach are what they are meant to be, and the others say why not.\n\n\
         ![Nanoseconds of ours, of the floor and of peers]({})\n\n\
         Measured on {date} on {cpus} × {cpu} (load {load} at the start) with {rustc}. Beside: {}.\n\n\
         Where something is there without any metrics (*bare*), the other columns are what comes on top of it. Times are medians of {rounds} \
         rounds, and ratios are taken within a round, so that what slows one slows the other; on another machine the times differ, \
         the ratios hardly. Instructions, allocations and bytes are counted, and repeat.\n\n",
        reached.len(),
        reached.len() + missed.len(),
        super::PLOT,
        peers.join(", "),
    );
    page += "| what | bare | floor | peers | **ours** | to reach | reached |\n| --- | --- | --- | --- | --- | --- | --- |\n";
    for measured in rows {
        line(&mut page, measured, reasons);
    }
    page += "\n## Instructions\n\nOf one request, call, chunk or line, all that is there without us included. \
        A bare one, or one with the floor, stands beside ours.\n\n| what | instructions |\n| --- | --- |\n";
    for (id, count) in figures.named(super::INSTRUCTIONS) {
        let _ = writeln!(page, "| {id} | {} |", grouped(&format!("{count:.0}")));
    }
    page += "\n## How to repeat\n\n\
        ```sh\n\
        cargo xtask bench            # all of it, some 10 minutes once it is built; writes this page and the picture\n\
        cargo xtask bench --quick    # shorter, and rougher\n\
        cargo xtask bench actix      # rows with this in their names; writes nothing\n\
        ```\n\n\
        Instructions are counted by callgrind, through [gungraun](https://github.com/gungraun/gungraun), and are a check: `cargo xtask test \
        instructions` fails where one of ours grew by 3 %. [CONTRIBUTING.md](CONTRIBUTING.md#speed) says more.\n";
    page
}

fn line(page: &mut String, measured: &Measured, reasons: &Reasons) {
    let row = measured.row;
    let show = |value: Option<f64>| value.map_or("–".to_owned(), |value| told(row.unit, value));
    let peers = measured.peers.iter();
    let peers = peers.map(|(name, value)| format!("{name} {}", told(row.unit, *value)));
    let peers: Vec<_> = peers.collect();
    let targets: Vec<_> = measured
        .targets
        .iter()
        .map(|one| target(row.unit, one))
        .collect();
    let reached = match (measured.is_reached(), reasons.of(row.id)) {
        _ if measured.targets.is_empty() => "–".to_owned(),
        (true, _) => "yes".to_owned(),
        (false, Some(why)) => format!("**no**: {why}"),
        (false, None) => "**no**".to_owned(),
    };
    let _ = writeln!(
        page,
        "| {} | {} | {} | {} | **{}** | {} | {reached} |",
        row.what,
        show(measured.bare),
        show(measured.floor),
        if peers.is_empty() {
            "–".to_owned()
        } else {
            peers.join("; ")
        },
        told(row.unit, measured.ours),
        targets.join(", "),
    );
}

/// A target, and what is.
fn target(unit: Unit, reached: &Reached) -> String {
    let is = reached.is;
    match reached.target {
        Target::OfFloor(most) => format!("≤ {most:.2} × floor: {is:.2}"),
        Target::OfPeer(most) => format!("≤ {most:.2} × peer: {is:.2}"),
        Target::AtMost(most) if unit == Unit::NanosPerByte => format!("≥ {}", told(unit, most)),
        Target::AtMost(most) => format!("≤ {}", told(unit, most)),
        Target::AtLeast(least) => format!("≥ {}", told(unit, least)),
    }
}

/// A figure with its unit.
pub(super) fn told(unit: Unit, value: f64) -> String {
    let (value, unit) = match unit {
        Unit::Nanos if value.abs() >= 1e6 => (value / 1e6, " ms"),
        Unit::Nanos if value.abs() >= 1e4 => (value / 1e3, " µs"),
        Unit::Nanos => (value, " ns"),
        Unit::NanosPerByte => (1.0 / value, " GB/s"),
        Unit::Millis => (value, " ms"),
        Unit::Bytes if value.abs() >= 10_240.0 => (value / 1024.0, " KiB"),
        Unit::Bytes => (value, " B"),
        Unit::Instructions => (value, " instr"),
        Unit::Allocations => (value, ""),
        Unit::Times => (value, ""),
    };
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let plain = format!("{value:.digits$}");
    let plain = plain.strip_suffix(".00").unwrap_or(&plain);
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    format!("{}{rest}{unit}", grouped(whole))
}

/// With a comma before each three digits.
fn grouped(whole: &str) -> String {
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The rows in the terminal.
pub(super) fn print(rows: &[Measured]) {
    println!(
        "{:<58} {:>12} {:>12} {:>12}   to reach",
        "", "floor", "ours", "best peer"
    );
    for measured in rows {
        let row = measured.row;
        let peers = measured.peers.iter().map(|(_, value)| *value);
        let show = |value: Option<f64>| value.map_or(String::new(), |value| told(row.unit, value));
        let targets: Vec<_> = measured
            .targets
            .iter()
            .map(|one| target(row.unit, one))
            .collect();
        println!(
            "{:<58} {:>12} {:>12} {:>12}   {}{}",
            row.what.replace('`', ""),
            show(measured.floor),
            told(row.unit, measured.ours),
            show(peers.reduce(f64::min)),
            targets.join(", "),
            if measured.is_reached() {
                ""
            } else {
                "   NOT REACHED"
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_in_units_of_their_size() {
        assert_eq!(told(Unit::Nanos, 8.504), "8.50 ns");
        assert_eq!(told(Unit::Nanos, 2_611.0), "2,611 ns");
        assert_eq!(told(Unit::Nanos, 37_000.0), "37.0 µs");
        assert_eq!(told(Unit::NanosPerByte, 0.125), "8 GB/s");
        assert_eq!(told(Unit::Instructions, 1_967.2), "1,967 instr");
        assert_eq!(told(Unit::Allocations, 6.0), "6");
        assert_eq!(told(Unit::Bytes, -1_200.0), "-1,200 B");
    }

    #[test]
    fn a_lock_file_tells_versions() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.3.4\"\n";
        assert_eq!(locked(lock, "b").ok(), Some("2.3.4"));
        assert!(locked(lock, "c").is_err());
    }
}
