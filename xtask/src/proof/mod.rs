//! The dashboard and the rules against a real Prometheus: `cargo xtask test prometheus`.

mod compare;
mod expect;
mod fill;
mod formats;
mod history;
mod live;
mod otlp;
mod play;
mod truth;

use anyhow::Result;
use xshell::Shell;

use crate::{
    lab::Prometheus,
    stage::{Outcome, has},
};

pub(crate) use self::{fill::Variables, formats::prove as formats, otlp::prove as otlp};

/// Every panel against traffic that is known to the sample, and against the demo.
pub(crate) fn prometheus(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = Prometheus::missing() {
        return Ok(Outcome::Skipped(why));
    }
    if !has(sh, "promtool") {
        let why = "promtool is missing: Debian's package prometheus has it";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    println!("{}", history::prove(sh)?);
    println!("{}", live::prove(sh)?);
    Ok(Outcome::Passed)
}
