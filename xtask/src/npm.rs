//! Packages of the npm registry, as a committed lock file has them, under `target`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// What is not on this machine, if anything.
pub(crate) fn missing() -> Option<String> {
    [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .find(|(program, _)| which::which(program).is_err())
        .map(|(program, package)| format!("{program} is not on the path: apt install {package}"))
}

/// The browser of this machine, which scripts drive.
pub(crate) fn browser() -> Result<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(|name| which::which(name).ok())
        .context("no Chromium or Chrome is on the path: apt install chromium")
}

/// Copies the scripts in `from` to `to`, and installs their packages there.
pub(crate) fn install(sh: &Shell, from: &Path, to: &Path) -> Result<()> {
    let lock = fs::read(from.join("package-lock.json"))?;
    let installed = fs::read(to.join("node_modules/lock")).is_ok_and(|there| there == lock);
    copy(from, to)?;
    if !installed {
        println!("installing npm packages into {}", to.display());
        let _dir = sh.push_dir(to);
        cmd!(
            sh,
            "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error"
        )
        .quiet()
        .run()
        .with_context(|| format!("the packages of {} cannot be installed", from.display()))?;
        fs::write(to.join("node_modules/lock"), lock)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}
