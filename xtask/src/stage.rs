//! One check of `cargo xtask test`: it passes, fails, or says why it was skipped.

use anyhow::Result;
use xshell::Shell;

/// What became of a stage that did not fail.
pub(crate) enum Outcome {
    /// It ran, and held.
    Passed,
    /// It could not run here, and this is why. In CI that is a failure.
    Skipped(String),
}

/// What a stage spends its time on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// It builds or computes, on every core there is: one at a time.
    Build,
    /// It starts real programs, and mostly waits for them: beside the builds.
    Lab,
}

/// One check.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) lane: Lane,
    pub(crate) run: fn(&Shell) -> Result<Outcome>,
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
