//! Generated files: one function writes them, or with `check` fails and names the command to run.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::{grafana, metrics_md, monitoring_md, page, readme, rules};

/// Writes every generated file.
pub(crate) fn all(sh: &Shell, check: bool) -> Result<()> {
    write(sh, Path::new("METRICS.md"), &metrics_md::render(), check)?;
    let text = readme::render(sh, &sh.read_file("README.md")?)?;
    write(sh, Path::new("README.md"), &text, check)?;
    rules(sh, check)?;
    dashboards(sh, check)?;
    let text = monitoring_md::render()?;
    write(sh, Path::new(monitoring_md::PATH), &text, check)?;
    for (path, text) in page::files(sh)? {
        write(sh, &path, &text, check)?;
    }
    Ok(())
}

/// Writes the rules.
pub(crate) fn rules(sh: &Shell, check: bool) -> Result<()> {
    for (path, text) in rules::files() {
        write(sh, &path, &text, check)?;
    }
    Ok(())
}

/// Writes the dashboards.
pub(crate) fn dashboards(sh: &Shell, check: bool) -> Result<()> {
    for (path, render) in grafana::DASHBOARDS {
        write(sh, Path::new(path), &render(), check)?;
    }
    Ok(())
}

/// Writes one of them.
fn write(sh: &Shell, path: &Path, text: &str, check: bool) -> Result<()> {
    let there = sh.read_file(path).unwrap_or_default();
    if there == text {
        return Ok(());
    }
    if check {
        bail!(
            "{} is not up to date: run `cargo xtask generate`",
            path.display()
        );
    }
    sh.write_file(path, text)
        .with_context(|| format!("cannot write {}", path.display()))
}
