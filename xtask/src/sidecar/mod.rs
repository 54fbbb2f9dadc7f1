//! What the sidecar costs beside a pass-through that measures nothing: processor time of each request, and memory of
//! each connection.
//!
//! A provider and a load in this process, and between them in turn each proxy as a process of its own: whatever
//! slows the machine down slows all of them. Ratios are those of one round, and what is told is their median.

mod load;
mod memory;
mod provider;
mod proxy;

use std::{fmt, path::PathBuf, thread};

use anyhow::{Result, ensure};
use clap::Args;
use xshell::Shell;

use self::{
    load::Kind,
    provider::Provider,
    proxy::{Name, Proxy},
};

/// How much is measured, and of what.
#[derive(Args)]
pub(crate) struct Options {
    /// Rounds, in each of which every proxy has its turn
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=99))]
    rounds: u16,

    /// Requests with JSON in one turn; there are a fiftieth as many streams of 100 events
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    requests: u32,

    /// The sidecar's binary; built in the profile `dist` unless given
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,

    /// The binary of the peers; built in the same profile unless given
    #[arg(long, value_name = "FILE")]
    pass_through: Option<PathBuf>,

    /// Measure memory, too
    #[arg(long)]
    memory: bool,

    /// Measure nothing: start all, tell where each is, and wait, for a profiler
    #[arg(long)]
    hold: bool,
}

impl Options {
    /// For `cargo xtask bench`: processor time alone.
    pub(crate) const fn brief(rounds: u16, requests: u32) -> Self {
        Self {
            rounds,
            requests,
            binary: None,
            pass_through: None,
            memory: false,
            hold: false,
        }
    }
}

/// One line of the table.
pub(crate) struct Row {
    /// What is measured, its unit included.
    pub(crate) name: String,
    pub(crate) ours: f64,
    pub(crate) peer: f64,
    /// The median of the rounds' ratios.
    pub(crate) ratio: f64,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            ours,
            peer,
            ratio,
        } = self;
        write!(f, "{name:<64} {ours:>9.1} {peer:>9.1} {ratio:>7.3}")
    }
}

/// `cargo xtask bench-sidecar`.
pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    if options.hold {
        return hold(sh, options);
    }
    println!("{:<64} {:>9} {:>9} {:>7}", "", "sidecar", "peer", "ratio");
    for row in rows(sh, options)? {
        println!("{row}");
    }
    Ok(())
}

/// Until the task is ended.
fn hold(sh: &Shell, options: &Options) -> Result<()> {
    let built = proxy::build(sh, options.binary.clone(), options.pass_through.clone())?;
    let provider = Provider::start()?;
    println!("provider {}", provider.address);
    let started = Name::ALL.map(|name| (name, Proxy::start(name, &built, provider.address)));
    for (name, proxy) in &started {
        match proxy {
            Ok(proxy) => println!("{name} {} process {}", proxy.address, proxy.pid()),
            Err(error) => println!("{name} does not start: {error:#}"),
        }
    }
    loop {
        thread::park();
    }
}

/// Every row, measured now.
pub(crate) fn rows(sh: &Shell, options: &Options) -> Result<Vec<Row>> {
    ensure!(
        cfg!(target_os = "linux"),
        "processor time is read from /proc, which only Linux has"
    );
    let built = proxy::build(sh, options.binary.clone(), options.pass_through.clone())?;
    let provider = Provider::start()?;
    let mut proxies = Vec::new();
    for name in Name::ALL {
        proxies.push(Proxy::start(name, &built, provider.address)?);
    }
    let mut rows = Vec::new();
    for kind in [Kind::Json, Kind::Stream] {
        let requests = match kind {
            Kind::Json => options.requests,
            Kind::Stream => options.requests / 50,
        };
        let rounds = rounds(&mut proxies, kind, requests, options.rounds)?;
        rows.extend(cpu_rows(kind, &rounds));
    }
    if options.memory {
        // Of processes that have seen nothing else.
        drop(proxies);
        rows.extend(memory::rows(&built, &provider)?);
    }
    Ok(rows)
}

/// Microseconds of processor time a request in one round, in the order of [`Name::ALL`].
type Round = [f64; Name::ALL.len()];

fn rounds(proxies: &mut [Proxy], kind: Kind, requests: u32, rounds: u16) -> Result<Vec<Round>> {
    // Connections are made, caches and tables are filled.
    for proxy in &*proxies {
        load::run(proxy.address, kind, requests / 10)?;
    }
    let mut measured = Vec::new();
    for round in 0..usize::from(rounds) {
        let mut micros = Round::default();
        for turn in 0..proxies.len() {
            let place = (round + turn) % proxies.len();
            let proxy = &mut proxies[place];
            let before = proxy.cpu()?;
            load::run(proxy.address, kind, requests)?;
            proxy.check()?;
            micros[place] = (proxy.cpu()? - before).as_secs_f64() * 1e6 / f64::from(requests);
        }
        measured.push(micros);
    }
    Ok(measured)
}

/// The sidecar beside each of its peers.
fn cpu_rows(kind: Kind, rounds: &[Round]) -> Vec<Row> {
    let of = |place: usize| median(rounds.iter().map(|round| round[place]));
    let peers = Name::ALL.iter().enumerate().skip(1);
    peers
        .map(|(place, peer)| Row {
            name: format!("{kind}, beside {peer}: CPU a request, µs"),
            ours: of(0),
            peer: of(place),
            ratio: median(rounds.iter().map(|round| round[0] / round[place])),
        })
        .collect()
}

/// The value in the middle; the upper one of two.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
