//! What the libraries drag in: how much, and by whose licence.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::stage::{Outcome, has};

/// What the last check of licences, bans and sources was of: nothing else decides it.
const RECORD: &str = ".ci/deny.checked";

/// What a library drags in is part of the product.
pub(crate) fn weight(sh: &Shell) -> Result<Outcome> {
    let format = "{p}";
    let tree = |arguments: &[&str]| -> Result<Vec<String>> {
        let tree = cmd!(
            sh,
            "cargo tree --edges normal --prefix none --format {format} {arguments...}"
        )
        .quiet()
        .read()?;
        let mut crates: Vec<_> = tree
            .lines()
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect();
        crates.sort_unstable();
        crates.dedup();
        Ok(crates)
    };
    let core = tree(&["--package", "brightstaff-metrics-core"])?;
    let exporter = tree(&["--package", "brightstaff-exporter", "--no-default-features"])?;
    println!(
        "core: {} crates; exporter library: {}",
        core.len(),
        exporter.len()
    );
    for (what, crates, banned) in [
        (
            "core",
            &core,
            &["tokio", "axum", "actix-web", "serde", "serde_json"][..],
        ),
        (
            "the exporter's library",
            &exporter,
            &[
                "clap", "reqwest", "rustls", "moka", "rand", "ring", "saphyr", "tracing",
            ][..],
        ),
    ] {
        if let Some(found) = banned.iter().find(|name| crates.iter().any(|c| c == *name)) {
            bail!("{what} depends on {found}");
        }
    }
    Ok(Outcome::Passed)
}

/// Checks with cargo-deny where it is, which builds for minutes. Elsewhere a lock file that it has passed
/// already has passed: the same crates have the same licences.
pub(crate) fn deny(sh: &Shell) -> Result<Outcome> {
    if has(sh, "cargo-deny") {
        check(sh)?;
        if !recorded(sh) {
            println!("`cargo xtask deny` records that this lock file has passed");
        }
        return Ok(Outcome::Passed);
    }
    if recorded(sh) {
        println!("{RECORD}: cargo-deny has passed this lock file");
        println!("advisories: NOT CHECKED, cargo-deny is missing");
        return Ok(Outcome::Passed);
    }
    let why = "cargo-deny is missing, and has not passed this lock file: cargo install --locked cargo-deny";
    Ok(Outcome::Skipped(why.to_owned()))
}

/// Checks, and records what has passed.
pub(crate) fn record(sh: &Shell) -> Result<()> {
    check(sh)?;
    Ok(sh.write_file(RECORD, state(sh)?)?)
}

fn check(sh: &Shell) -> Result<()> {
    // Those of other systems, too, which no build here needed.
    cmd!(sh, "cargo fetch --quiet --locked").run()?;
    cmd!(
        sh,
        "cargo deny --log-level error --offline check bans licenses sources"
    )
    .run()?;
    if has_advisories(sh)? {
        cmd!(
            sh,
            "cargo deny --log-level error --offline check advisories"
        )
        .run()?;
    } else {
        println!("advisories: NOT CHECKED, their database is not on this machine");
    }
    Ok(())
}

fn recorded(sh: &Shell) -> bool {
    let (record, state) = (sh.read_file(RECORD), state(sh));
    record.is_ok_and(|record| state.is_ok_and(|state| state == record))
}

/// The lock file and the rules, by their contents. `.ci/run` asks the same way.
fn state(sh: &Shell) -> Result<String> {
    let hashes = cmd!(sh, "git hash-object --no-filters Cargo.lock deny.toml")
        .quiet()
        .read()
        .context("git cannot tell the contents of Cargo.lock")?;
    Ok(hashes + "\n")
}

/// Whether cargo-deny has fetched the advisory database at some time.
fn has_advisories(sh: &Shell) -> Result<bool> {
    let home = match sh.var("CARGO_HOME") {
        Ok(home) => home,
        Err(_) => sh.var("HOME")? + "/.cargo",
    };
    let databases = std::fs::read_dir(Path::new(&home).join("advisory-dbs"));
    Ok(databases.is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir()))
    }))
}
