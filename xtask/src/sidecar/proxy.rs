//! The proxies, as processes, and what they have used.

use std::{
    fmt, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{
    http::{PATIENCE, free_port, listens},
    process::Guarded,
};

/// Linux counts processor time in hundredths of a second, towards programs on every architecture (proc(5), `stat`).
const TICKS_PER_SECOND: u64 = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Sidecar,
    /// axum as server, reqwest as client.
    Axum,
    /// hyper on both sides.
    Hyper,
}

impl Name {
    /// The sidecar first, then its peers.
    pub(super) const ALL: [Self; 3] = [Self::Sidecar, Self::Axum, Self::Hyper];
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sidecar => "the sidecar",
            Self::Axum => "axum + reqwest",
            Self::Hyper => "hyper",
        })
    }
}

/// What was built.
pub(super) struct Built {
    sidecar: PathBuf,
    pass_through: PathBuf,
}

/// Builds both as they are shipped. Each by itself: a feature that one asks of a dependency would be in the other.
pub(super) fn build(
    sh: &Shell,
    sidecar: Option<PathBuf>,
    pass_through: Option<PathBuf>,
) -> Result<Built> {
    if sidecar.is_none() {
        cmd!(
            sh,
            "cargo build --quiet --profile dist --package brightstaff-exporter"
        )
        .quiet()
        .run()
        .context("the sidecar does not build")?;
    }
    if pass_through.is_none() {
        cmd!(
            sh,
            "cargo build --quiet --profile dist --package xtask --bin pass-through --no-default-features --features pass-through"
        )
        .quiet()
        .run()
        .context("the pass-through does not build")?;
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let dist = target.join("dist");
    Ok(Built {
        sidecar: sidecar.unwrap_or_else(|| dist.join("brightstaff-exporter")),
        pass_through: pass_through.unwrap_or_else(|| dist.join("pass-through")),
    })
}

/// One running proxy.
pub(super) struct Proxy {
    process: Guarded,
    pub(super) address: SocketAddr,
}

impl Proxy {
    pub(super) fn start(name: Name, built: &Built, provider: SocketAddr) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let (program, arguments) = match name {
            Name::Sidecar => {
                let arguments = vec![
                    "serve".to_owned(),
                    format!("--upstream=openai=http://{provider}"),
                    format!("--bind={address}"),
                    format!("--metrics-bind=127.0.0.1:{}", free_port()?),
                ];
                (&built.sidecar, arguments)
            }
            Name::Axum => (&built.pass_through, peer("axum", address, provider)),
            Name::Hyper => (&built.pass_through, peer("hyper", address, provider)),
        };
        let dir = Path::new("target/bench-sidecar");
        fs::create_dir_all(dir)?;
        let log = dir.join(format!("{}.log", address.port()));
        let mut process = Guarded::start(program, &arguments, &log)?;
        let start = Instant::now();
        while !listens(address.port()) {
            process.check()?;
            if start.elapsed() > PATIENCE {
                bail!("{name} does not listen after {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, address })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Fails where the process has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        self.process.check()
    }

    /// Processor time that the process has used so far, in user mode and in the kernel.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let stat = self.proc("stat")?;
        // The name in brackets may hold anything; the state, which comes next, is field 3.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let mut fields = fields.split_ascii_whitespace().skip(14 - 3);
        let mut ticks =
            || -> Result<u64> { Ok(fields.next().context("no processor time")?.parse()?) };
        let ticks = ticks()? + ticks()?;
        Ok(Duration::from_millis(1000 / TICKS_PER_SECOND * ticks))
    }

    /// The memory that is resident, in bytes.
    pub(super) fn resident(&self) -> Result<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("no resident memory")?.parse::<u64>()? << 10)
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.process.pid());
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

fn peer(kind: &str, address: SocketAddr, provider: SocketAddr) -> Vec<String> {
    vec![kind.to_owned(), address.to_string(), provider.to_string()]
}
