//! A Python with packages in it, put under `target`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// The Python of a virtual environment in `target/<name>` with these requirements in it, made once for them.
pub(crate) fn python(sh: &Shell, name: &str, requirements: &str) -> Result<PathBuf> {
    let system = which::which("python3").context("no python3 on the path")?;
    let version = cmd!(sh, "{system} --version").quiet().read()?;
    let venv = fs::canonicalize("target")?.join(name).join("venv");
    let python = venv.join("bin/python");
    // Written last, so that half an environment is none.
    let (mark, complete) = (venv.join("made-for"), version + "\n" + requirements);
    if fs::read_to_string(&mark).is_ok_and(|made| made == complete) {
        return Ok(python);
    }
    cmd!(sh, "{system} -m venv --clear {venv}").quiet().run()?;
    install(sh, &python, &venv.join("requirements.txt"), requirements)?;
    fs::write(mark, complete)?;
    Ok(python)
}

fn install(sh: &Shell, python: &Path, file: &Path, requirements: &str) -> Result<()> {
    fs::write(file, requirements)?;
    cmd!(
        sh,
        "{python} -m pip install --quiet --disable-pip-version-check -r {file}"
    )
    .quiet()
    .run()
    .context("the packages cannot be installed from PyPI")
}
