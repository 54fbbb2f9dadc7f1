//! Tells the binary which commit it is built of: `BRIGHTSTAFF_GIT_SHA` whole, or `unknown`, and
//! `BRIGHTSTAFF_VERSION` for people.
//!
//! The first that knows: the variable `GIT_SHA`, the packaged crate, the git checkout. Nothing of the machine or of the
//! time goes in, so that a commit gives the same binary wherever it is built.

use std::{env, fs, path::Path, process::Command};

/// How much of a commit's hash is shown to people.
const SHOWN_DIGITS: usize = 12;

/// What stands for a commit that nobody knows.
const UNKNOWN: &str = "unknown";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The library has no use for it.
    if env::var_os("CARGO_FEATURE_CLI").is_none() {
        return;
    }
    println!("cargo::rerun-if-env-changed=GIT_SHA");
    let given = env::var("GIT_SHA").ok();
    let given = given.filter(|sha| is_word(sha) && sha != UNKNOWN);
    let (head, date) = checkout().unzip();
    let sha = given.or_else(packaged).or_else(|| head.clone());
    let date = date.filter(|_| sha == head);

    let mut version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    if let Some(sha) = &sha {
        let shown: String = sha.chars().take(SHOWN_DIGITS).collect();
        let date = date.map(|date| format!(" {date}")).unwrap_or_default();
        version += &format!(" ({shown}{date})");
    }
    println!("cargo::rustc-env=BRIGHTSTAFF_VERSION={version}");
    let sha = sha.as_deref().unwrap_or(UNKNOWN);
    println!("cargo::rustc-env=BRIGHTSTAFF_GIT_SHA={sha}");
}

/// The commit that `cargo package` wrote into a crate.
fn packaged() -> Option<String> {
    let file = ".cargo_vcs_info.json";
    if !Path::new(file).exists() {
        return None;
    }
    println!("cargo::rerun-if-changed={file}");
    let text = fs::read_to_string(file).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let sha = rest.split('"').nth(1)?;
    is_word(sha).then(|| sha.to_owned())
}

/// The commit that is checked out, and its day; `None` without git, or where this is no file of a checkout.
fn checkout() -> Option<(String, String)> {
    git(&["ls-files", "--error-unmatch", "Cargo.toml"])?;
    // What changes with the commit. A file that is not there would have this run each time.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "logs/HEAD"].into_iter().chain(branch.as_deref()) {
        let path = git(&["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let head = git(&["log", "-1", "--format=%H %cs"])?;
    let (sha, date) = head.split_once(' ')?;
    Some((sha.to_owned(), date.to_owned()))
}

/// What git answers in one line.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Whether it is one word, which can be printed and be the value of a label.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
