//! The exporter's live page: compiled of its TypeScript, and looked at in a real browser.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{lab::Exporter, npm, stage::Outcome};

const SOURCES: &str = "brightstaff-exporter/page";

/// Where the compiled page is checked in.
const PAGE: &str = "brightstaff-exporter/src/page";

const SCRIPTS: &str = "xtask/page";

/// Where the scripts' packages stay: two places, since two stages may be at it at once.
const COMPILER: &str = "target/page/compiler";
const BROWSER: &str = "target/page/browser";

#[derive(Args)]
pub(crate) struct Options {
    /// How many seconds of the demo the picture covers
    #[arg(long, default_value_t = 150)]
    seconds: u64,
    /// The picture; one in dark colours is left beside it
    #[arg(long, default_value = "target/page/page.png")]
    out: String,
}

/// The files that the exporter serves, as their sources compile; none without Node.
pub(crate) fn files(sh: &Shell) -> Result<Vec<(PathBuf, String)>> {
    if let Some(why) = npm::missing() {
        // Stage `page` says SKIPPED then, which CI takes for a failure.
        println!("the live page is not compiled: {why}");
        return Ok(Vec::new());
    }
    npm::install(sh, Path::new(SCRIPTS), Path::new(COMPILER))?;
    let out = format!("{COMPILER}/out");
    cmd!(sh, "node {COMPILER}/build.mjs {SOURCES} {out}")
        .quiet()
        .run()
        .context("the live page does not compile")?;
    let compiled = ["page.html", "page.csp"].map(|name| {
        let text = fs::read_to_string(Path::new(&out).join(name))?;
        Ok((Path::new(PAGE).join(name), text))
    });
    compiled.into_iter().collect()
}

/// The stage: the page shows what happens. That it is up to date, `generated` says.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = missing() {
        return Ok(Outcome::Skipped(why));
    }
    look(sh, &[])?;
    Ok(Outcome::Passed)
}

/// Draws the page of a demo.
pub(crate) fn draw(sh: &Shell, options: &Options) -> Result<()> {
    if let Some(why) = missing() {
        anyhow::bail!(why);
    }
    let seconds = options.seconds.to_string();
    let picture = ["--seconds", &seconds, "--picture", &options.out];
    look(sh, &[&["--only=truth"][..], &picture].concat())
}

fn missing() -> Option<String> {
    npm::missing().or_else(|| npm::browser().err().map(|error| error.to_string()))
}

fn look(sh: &Shell, options: &[&str]) -> Result<()> {
    npm::install(sh, Path::new(SCRIPTS), Path::new(BROWSER))?;
    Exporter::build(sh)?;
    let (program, browser) = (Exporter::program()?, npm::browser()?);
    cmd!(
        sh,
        "node {BROWSER}/test.mjs {SOURCES} {PAGE} {program} {browser} {options...}"
    )
    .quiet()
    .run()
    .context("the live page is wrong")
}
