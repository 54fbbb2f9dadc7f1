//! A newer Prometheus than the one of Debian's stable release: that of its testing release, unpacked under `target`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use super::debian::Archived;

/// As Debian's testing and unstable releases had it on 2026-10-30.
const PACKAGE: Archived = Archived {
    name: "prometheus_3.5.3+ds1-6_amd64.deb",
    pool: "p/prometheus",
    snapshot: "20261030T000000Z",
    sha256: "593bcced02d8082688ea034dfc543848ad145c5f793aae5aad756c4dbdfa98da",
    named_in: "xtask/src/lab/newer.rs, or put a prometheus 3 on the path",
};

/// A Prometheus 3: the one on the path if it is one, else Debian's.
pub(crate) fn find(sh: &Shell) -> Result<PathBuf> {
    if let Ok(program) = which::which("prometheus")
        && is_3(sh, &program)
    {
        return Ok(program);
    }
    let dir = Path::new("target/prometheus").join(PACKAGE.name.trim_end_matches(".deb"));
    let program = dir.join("usr/bin/prometheus");
    if is_3(sh, &program) {
        return Ok(program);
    }
    PACKAGE.unpack(sh, &dir).context("no prometheus 3")?;
    ensure!(
        is_3(sh, &program),
        "{} does not run here: {} is for Debian on amd64",
        program.display(),
        PACKAGE.name
    );
    Ok(program)
}

fn is_3(sh: &Shell, program: &Path) -> bool {
    let version = cmd!(sh, "{program} --version").quiet().ignore_stderr();
    version
        .read()
        .is_ok_and(|version| version.starts_with("prometheus, version 3."))
}
