//! `cargo xtask fuzz`: the meter's properties, over inputs that libFuzzer makes of recorded answers.

mod seeds;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use seeds::Answer;

use crate::stage::has;

const FUZZ: &str = "brightstaff-metrics-core/fuzz";
const TESTS: &str = "brightstaff-metrics-core/tests";
/// What was found is kept here from one run to the next, beside the seeds.
const CORPUS: &str = "target/fuzz-corpus";
const ARTIFACTS: &str = "target/fuzz-artifacts";

/// Longer inputs find nothing that shorter ones do not, and take longer.
const MAX_LEN: usize = 16 << 10;
/// No allocation may be larger, in MiB: the window of zstd, in a buffer that doubles.
const MAX_ALLOCATION: usize = 17;
/// What the meter looks for, as libFuzzer reads it.
const WORDS: &str = "target/fuzz-words.dict";

#[derive(Args)]
pub(crate) struct Options {
    /// The fuzz target; without, all of them in turn
    target: Option<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    let all = targets()?;
    let chosen: Vec<_> = all
        .iter()
        .filter(|name| options.target.as_ref().is_none_or(|target| target == *name))
        .collect();
    ensure!(
        !chosen.is_empty(),
        "there is no target {}: there are {}",
        options.target.as_deref().unwrap_or_default(),
        all.join(", ")
    );
    if !has(sh, "cargo-fuzz") {
        bail!("cargo-fuzz is missing: cargo install --locked cargo-fuzz");
    }
    let nightly = cmd!(sh, "cargo +nightly --version").quiet();
    if nightly.ignore_stdout().ignore_stderr().run().is_err() {
        bail!(
            "the nightly compiler is missing: rustup toolchain install nightly --profile minimal"
        );
    }
    let answers = seeds::answers(MAX_LEN)?;
    fs::write(WORDS, words::dictionary()?)?;
    for target in chosen {
        let seeds = seed(target, &answers)?;
        println!("{target}: {seeds} seeds, {} s", options.seconds);
        fuzz(sh, target, options.seconds)?;
    }
    Ok(())
}

fn fuzz(sh: &Shell, target: &str, seconds: u64) -> Result<()> {
    let corpus = Path::new(CORPUS).join(target);
    let artifacts = Path::new(ARTIFACTS).join(target);
    fs::create_dir_all(&artifacts)?;
    // A trailing slash, or it is the start of a file's name.
    let prefix = format!("-artifact_prefix={}/", artifacts.display());
    let limits = [
        format!("-max_total_time={seconds}"),
        format!("-max_len={MAX_LEN}"),
        format!("-malloc_limit_mb={MAX_ALLOCATION}"),
        format!("-dict={WORDS}"),
    ];
    cmd!(
        sh,
        "cargo +nightly fuzz run --fuzz-dir {FUZZ} --target-dir target/fuzz {target} {corpus} -- {limits...} {prefix} -timeout=20 -print_final_stats=1"
    )
    .run()
    .with_context(|| {
        format!(
            "{target} does not hold for what lies in {0} now: make it small with `cargo +nightly fuzz tmin \
             --fuzz-dir {FUZZ} --target-dir target/fuzz {target} FILE`, and keep it in {TESTS}/fuzz_regressions/{target}",
            artifacts.display()
        )
    })
}

/// The targets, by the names of their files.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for path in files(&Path::new(FUZZ).join("fuzz_targets"))? {
        if let Some(stem) = path.file_stem() {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Writes the seeds of a target to its corpus, and tells how many there are.
fn seed(target: &str, answers: &[Answer]) -> Result<usize> {
    let corpus = Path::new(CORPUS).join(target);
    fs::create_dir_all(&corpus)?;
    let mut seeds: Vec<Vec<u8>> = answers
        .iter()
        .flat_map(|answer| seeds::of(target, answer))
        .collect();
    let regressions = Path::new(TESTS).join("fuzz_regressions").join(target);
    if regressions.is_dir() {
        for path in files(&regressions)? {
            seeds.push(fs::read(path)?);
        }
    }
    for (at, seed) in seeds.iter().enumerate() {
        fs::write(corpus.join(format!("seed-{at:04}")), seed)?;
    }
    Ok(seeds.len())
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
