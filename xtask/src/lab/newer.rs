//! A newer Prometheus than the one of Debian's stable release: that of its testing release, unpacked under `target`.

use std::{
    fs,
    io::copy,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

/// The package, as Debian's testing and unstable releases had it on 2026-10-30.
const PACKAGE: &str = "prometheus_3.5.3+ds1-6_amd64.deb";

/// Of that file.
const SHA256: &str = "593bcced02d8082688ea034dfc543848ad145c5f793aae5aad756c4dbdfa98da";

/// Where it is: as long as no newer one replaces it, and for good. What is fetched is known by its checksum.
const PLACES: [&str; 2] = [
    "http://deb.debian.org/debian/pool/main/p/prometheus",
    "http://snapshot.debian.org/archive/debian/20261030T000000Z/pool/main/p/prometheus",
];

/// A Prometheus 3: the one on the path if it is one, else Debian's.
pub(crate) fn find(sh: &Shell) -> Result<PathBuf> {
    if let Ok(program) = which::which("prometheus")
        && is_3(sh, &program)
    {
        return Ok(program);
    }
    let dir = Path::new("target/prometheus").join(PACKAGE.trim_end_matches(".deb"));
    let program = dir.join("usr/bin/prometheus");
    if is_3(sh, &program) {
        return Ok(program);
    }
    which::which("dpkg").context("no dpkg on the path, and no prometheus 3")?;
    fs::create_dir_all(&dir)?;
    let package = dir.join(PACKAGE);
    fetch(sh, &package)?;
    cmd!(sh, "dpkg -x {package} {dir}").quiet().run()?;
    fs::remove_file(&package)?;
    ensure!(
        is_3(sh, &program),
        "{} does not run here: {PACKAGE} is for Debian on amd64",
        program.display()
    );
    Ok(program)
}

fn is_3(sh: &Shell, program: &Path) -> bool {
    let version = cmd!(sh, "{program} --version").quiet().ignore_stderr();
    version
        .read()
        .is_ok_and(|version| version.starts_with("prometheus, version 3."))
}

/// Fetches the package from the first place that has it.
fn fetch(sh: &Shell, package: &Path) -> Result<()> {
    println!("fetching {PACKAGE} from Debian");
    let mut faults = Vec::new();
    for place in PLACES {
        let url = format!("{place}/{PACKAGE}");
        let fetched = download(&url, package).and_then(|()| check(sh, package));
        match fetched {
            Ok(()) => return Ok(()),
            Err(error) => faults.push(format!("{url}: {error:#}")),
        }
    }
    bail!(
        "{PACKAGE} cannot be had ({}): name a newer package in xtask/src/lab/newer.rs, or put a prometheus 3 on the path",
        faults.join("; ")
    )
}

fn download(url: &str, to: &Path) -> Result<()> {
    let mut response = ureq::get(url).call()?;
    let mut file = fs::File::create(to)?;
    copy(&mut response.body_mut().as_reader(), &mut file)?;
    Ok(())
}

fn check(sh: &Shell, package: &Path) -> Result<()> {
    let told = cmd!(sh, "sha256sum {package}").quiet().read()?;
    ensure!(
        told.starts_with(SHA256),
        "its SHA-256 is {told}, and not {SHA256}"
    );
    Ok(())
}
