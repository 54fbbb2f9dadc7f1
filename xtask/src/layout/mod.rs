//! Which module may import which: each crate has floors, and what stands on one imports what is below.

mod check;
mod floors;
mod source;
#[cfg(test)]
mod tests;

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use xshell::Shell;

use self::{check::check, floors::CRATES};
use crate::stage::Outcome;

/// Floors of a crate, or of a binary of its own in a folder of one.
#[derive(Debug)]
struct Crate {
    /// Where its sources are, from the root of the workspace on.
    sources: &'static str,
    /// From top to bottom. `lib.rs` or `main.rs` stands above them all.
    floors: &'static [Floor],
}

#[derive(Debug)]
struct Floor {
    name: &'static str,
    /// Each with all that is in it, but for what is named by itself, as `meter::apis` may be beside `meter`.
    modules: &'static [&'static str],
}

/// A source: its path below the crate's folder, with `/`, and its text.
type File = (String, String);

/// The stage: every crate keeps to its floors.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    let mut faults = Vec::new();
    for one in CRATES {
        let files = files(&sh.current_dir().join(one.sources))?;
        faults.extend(check(one, &files)?);
    }
    if !faults.is_empty() {
        bail!("the layout does not hold:\n{}", faults.join("\n"));
    }
    Ok(Outcome::Passed)
}

/// Every source of a crate. Those in `bin` are of crates of their own, as they are for Cargo.
fn files(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).with_context(|| next.display().to_string())? {
            let path = entry?.path();
            let below = path
                .strip_prefix(folder)?
                .to_string_lossy()
                .replace('\\', "/");
            if path.is_dir() {
                if below != "bin" {
                    open.push(path);
                }
            } else if below.ends_with(".rs") {
                let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                files.push((below, text));
            }
        }
    }
    files.sort();
    Ok(files)
}
