//! Files of Debian's archive that are newer than the stable release, fetched under `target` and known by their
//! checksums.

use std::{fs, io::copy, path::Path};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

/// A file of the archive, as it was on the day that `snapshot` names.
pub(super) struct Archived {
    pub(super) name: &'static str,
    /// Below the archive's `pool/main`.
    pub(super) pool: &'static str,
    pub(super) snapshot: &'static str,
    pub(super) sha256: &'static str,
    /// The file that names a newer one, once Debian has no more of this one.
    pub(super) named_in: &'static str,
}

impl Archived {
    /// Unpacks a package into this directory.
    pub(super) fn unpack(&self, sh: &Shell, dir: &Path) -> Result<()> {
        which::which("dpkg").context("no dpkg on the path")?;
        fs::create_dir_all(dir)?;
        let package = dir.join(self.name);
        self.fetch(sh, &package)?;
        cmd!(sh, "dpkg -x {package} {dir}").quiet().run()?;
        fs::remove_file(&package)?;
        Ok(())
    }

    /// Fetches the file from the first place that has it: the archive as long as no newer one replaces it there, and
    /// its history for good.
    pub(super) fn fetch(&self, sh: &Shell, to: &Path) -> Result<()> {
        println!("fetching {} from Debian", self.name);
        let mut faults = Vec::new();
        for place in [
            "http://deb.debian.org/debian".to_owned(),
            format!(
                "http://snapshot.debian.org/archive/debian/{}",
                self.snapshot
            ),
        ] {
            let url = format!("{place}/pool/main/{}/{}", self.pool, self.name);
            let fetched = download(&url, to).and_then(|()| self.check(sh, to));
            match fetched {
                Ok(()) => return Ok(()),
                Err(error) => faults.push(format!("{url}: {error:#}")),
            }
        }
        bail!(
            "{} cannot be had ({}): name a newer one in {}",
            self.name,
            faults.join("; "),
            self.named_in
        )
    }

    fn check(&self, sh: &Shell, file: &Path) -> Result<()> {
        let told = cmd!(sh, "sha256sum {file}").quiet().read()?;
        ensure!(
            told.starts_with(self.sha256),
            "its SHA-256 is {told}, and not {}",
            self.sha256
        );
        Ok(())
    }
}

fn download(url: &str, to: &Path) -> Result<()> {
    let mut response = ureq::get(url).call()?;
    let mut file = fs::File::create(to)?;
    copy(&mut response.body_mut().as_reader(), &mut file)?;
    Ok(())
}
