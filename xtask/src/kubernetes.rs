//! The manifests against the schemas of Kubernetes and of the Prometheus operator, offline.

use std::path::Path;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{npm, stage::Outcome};

pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = npm::missing() {
        return Ok(Outcome::Skipped(why));
    }
    let dir = Path::new("target/kubernetes");
    npm::install(sh, Path::new("xtask/kubernetes"), dir)?;
    cmd!(sh, "node {dir}/validate.mjs config/kubernetes")
        .quiet()
        .run()
        .context("the manifests are at fault")?;
    Ok(Outcome::Passed)
}
