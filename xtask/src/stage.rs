//! One check of `cargo xtask test`: it passes, fails, or says why it was skipped.

use std::time::Instant;

use anyhow::{Result, bail};
use xshell::Shell;

/// What became of a stage that did not fail.
pub(crate) enum Outcome {
    /// It ran, and held.
    Passed,
    /// It could not run here, and this is why. In CI that is a failure.
    Skipped(String),
}

/// One check.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Shell) -> Result<Outcome>,
}

/// Runs the stages one after the other, each printed with its time, and tells at the end how many
/// passed. All of them run, whichever fails.
pub(crate) fn run(sh: &Shell, stages: &[&Stage]) -> Result<()> {
    let ci = std::env::var_os("CI").is_some();
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    let mut summary = Vec::new();
    for stage in stages {
        println!("\n==> {}: {}", stage.name, stage.about);
        let start = Instant::now();
        let outcome = (stage.run)(sh);
        let seconds = start.elapsed().as_secs_f64();
        let verdict = match outcome {
            Ok(Outcome::Passed) => {
                passed += 1;
                "ok".to_owned()
            }
            Ok(Outcome::Skipped(why)) if ci => {
                failed.push(stage.name);
                format!("FAILED: skipped, which CI does not allow: {why}")
            }
            Ok(Outcome::Skipped(why)) => {
                skipped += 1;
                format!("SKIPPED: {why}")
            }
            Err(error) => {
                failed.push(stage.name);
                format!("FAILED: {error:#}")
            }
        };
        println!("<== {}: {verdict} ({seconds:.1} s)", stage.name);
        summary.push(format!("{:<12} {seconds:>7.1} s  {verdict}", stage.name));
    }
    println!("\n{}", summary.join("\n"));
    println!(
        "\n{passed} passed, {} failed, {skipped} skipped",
        failed.len()
    );
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Whether a program is on the path and answers to `--version`.
pub(crate) fn has(sh: &Shell, program: &str) -> bool {
    xshell::cmd!(sh, "{program} --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
}
