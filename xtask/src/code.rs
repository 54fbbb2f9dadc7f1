//! Stages that look at the code alone: lints, tests, features, docs.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::{
    dead_links,
    packages::PUBLISHED,
    stage::{Outcome, has},
};

/// What has all that the workspace holds in one build: stages that say the same share its artifacts.
const ALL: [&str; 2] = ["--workspace", "--all-features"];

pub(crate) fn fmt(sh: &Shell) -> Result<Outcome> {
    cmd!(sh, "cargo fmt --all --check").run()?;
    // A macro declares these modules, and `cargo fmt` does not look into macros.
    let apis = sh.read_dir("brightstaff-metrics-core/src/meter/apis")?;
    passes(&cmd!(sh, "rustfmt --check --edition 2024 {apis...}"))
}

/// Everything that is tested, and what stages of the lab start.
pub(crate) fn build(sh: &Shell) -> Result<Outcome> {
    passes(&cmd!(sh, "cargo test --quiet {ALL...} --no-run"))
}

pub(crate) fn clippy(sh: &Shell) -> Result<Outcome> {
    cmd!(
        sh,
        "cargo clippy --quiet {ALL...} --all-targets -- -D warnings"
    )
    .run()?;
    let libraries = PUBLISHED[..3].iter().flat_map(|name| ["--package", *name]);
    passes(&cmd!(
        sh,
        "cargo clippy --quiet {libraries...} --no-default-features --all-targets -- -D warnings"
    ))
}

/// With nextest where it is there: it runs the tests of all crates side by side.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if !has(sh, "cargo-nextest") {
        return passes(&cmd!(sh, "cargo test {ALL...}"));
    }
    cmd!(
        sh,
        "cargo nextest run {ALL...} --no-fail-fast --status-level slow --final-status-level slow"
    )
    .run()?;
    passes(&cmd!(sh, "cargo test --doc {ALL...}"))
}

/// The tests that need a Redis, which are of the other tests, too: told apart, where there may be none.
pub(crate) fn redis(sh: &Shell) -> Result<Outcome> {
    if !has(sh, "redis-server") {
        let why = "redis-server is not on the path: apt install redis-server";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    passes(&cmd!(sh, "cargo test {ALL...} --test gateway redis::"))
}

/// The tests that need recordings, which do not come with the repository.
pub(crate) fn corpus(sh: &Shell) -> Result<Outcome> {
    let said = cmd!(sh, "cargo test --quiet {ALL...} --test meter_corpus").read()?;
    println!("{said}");
    let skipped = said.lines().find_map(|line| line.split_once("SKIPPED, "));
    Ok(match skipped {
        Some((_, why)) => Outcome::Skipped(why.to_owned()),
        None => Outcome::Passed,
    })
}

/// Each feature of each package alone, none, and all: that a feature builds only beside another is seen by
/// nobody who builds with all of them.
pub(crate) fn features(sh: &Shell) -> Result<Outcome> {
    let core = PUBLISHED[0];
    cmd!(
        sh,
        "cargo test --quiet --package {core} --no-default-features"
    )
    .run()?;
    for (package, features) in declared(sh)? {
        let mut sets = vec![
            vec!["--no-default-features".to_owned()],
            vec!["--all-features".to_owned()],
        ];
        sets.extend(features.iter().map(|one| {
            vec![
                "--no-default-features".to_owned(),
                format!("--features={one}"),
            ]
        }));
        for set in sets {
            let set = &set;
            cmd!(sh, "cargo check --quiet --package {package} {set...}")
                .quiet()
                .run()
                .with_context(|| format!("{package} does not build with {}", set.join(" ")))?;
        }
        println!("{package}: none, all, each of {}", features.join(", "));
    }
    // Another crate of a user may switch it on, and it changes the names of what we call, and what other collectors give.
    let features = ["--package", core, "--features", "prometheus/protobuf"];
    cmd!(sh, "cargo check --quiet --tests {features...}").run()?;
    passes(&cmd!(
        sh,
        "cargo test --quiet --test exposition --test formats {features...}"
    ))
}

/// The features of every published package, but `default`.
fn declared(sh: &Shell) -> Result<BTreeMap<&'static str, Vec<String>>> {
    let metadata = cmd!(sh, "cargo metadata --no-deps --format-version 1")
        .quiet()
        .read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut declared = BTreeMap::new();
    for package in packages {
        let name = PUBLISHED.into_iter().find(|name| package["name"] == *name);
        let (Some(name), Some(features)) = (name, package["features"].as_object()) else {
            continue;
        };
        let features = features.keys().filter(|feature| *feature != "default");
        declared.insert(name, features.cloned().collect());
    }
    ensure!(declared.len() == PUBLISHED.len(), "a package is missing");
    Ok(declared)
}

pub(crate) fn doc(sh: &Shell) -> Result<Outcome> {
    dead_links::check(sh)?;
    passes(&cmd!(sh, "cargo doc --quiet {ALL...} --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}

fn passes(command: &xshell::Cmd<'_>) -> Result<Outcome> {
    command.run()?;
    Ok(Outcome::Passed)
}
