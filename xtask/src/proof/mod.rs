//! The dashboard and the rules against a real Prometheus: `cargo xtask test prometheus`.

mod compare;
mod expect;
mod fill;
mod history;
mod live;
mod server;
mod truth;

use anyhow::Result;
use xshell::Shell;

use crate::stage::{Outcome, has};

pub(crate) use fill::Variables;

/// Every panel against traffic that is known to the sample, and against the demo.
pub(crate) fn prometheus(sh: &Shell) -> Result<Outcome> {
    for tool in ["prometheus", "promtool"] {
        if !has(sh, tool) {
            return Ok(Outcome::Skipped(format!(
                "{tool} is missing: Debian's package prometheus has it"
            )));
        }
    }
    println!("{}", history::prove(sh)?);
    println!("{}", live::prove(sh)?);
    Ok(Outcome::Passed)
}
