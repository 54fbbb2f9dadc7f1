//! The exporter's live page: compiled of its TypeScript, and looked at in a real browser.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{generate, lab::Exporter, npm, render::browser, stage::Outcome};

const SOURCES: &str = "brightstaff-exporter/page";

/// Where the compiled page is checked in.
const PAGE: &str = "brightstaff-exporter/src/page";

const SCRIPTS: &str = "xtask/page";

/// Where the scripts' packages stay.
const DIR: &str = "target/page";

#[derive(Args)]
pub(crate) struct Options {
    /// How many seconds of the demo the picture covers
    #[arg(long, default_value_t = 150)]
    seconds: u64,
    /// The picture; one in dark colours is left beside it
    #[arg(long, default_value = "target/page/page.png")]
    out: String,
}

/// Writes the page that the exporter serves.
pub(crate) fn generate(sh: &Shell, check: bool) -> Result<()> {
    if let Some(why) = npm::missing() {
        // Stage `page` says SKIPPED then, which CI takes for a failure.
        println!("the live page is not compiled: {why}");
        return Ok(());
    }
    npm::install(sh, Path::new(SCRIPTS), Path::new(DIR))?;
    let out = format!("{DIR}/out");
    cmd!(sh, "node {DIR}/build.mjs {SOURCES} {out}")
        .quiet()
        .run()
        .context("the live page does not compile")?;
    for name in ["page.html", "page.csp"] {
        let text = fs::read_to_string(Path::new(&out).join(name))?;
        generate::write(sh, &Path::new(PAGE).join(name), &text, check)?;
    }
    Ok(())
}

/// The stage: the page is up to date, and shows what happens.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = missing() {
        return Ok(Outcome::Skipped(why));
    }
    generate(sh, true)?;
    look(sh, &[])?;
    Ok(Outcome::Passed)
}

/// Draws the page of a demo.
pub(crate) fn draw(sh: &Shell, options: &Options) -> Result<()> {
    if let Some(why) = missing() {
        anyhow::bail!(why);
    }
    generate(sh, true)?;
    let seconds = options.seconds.to_string();
    look(
        sh,
        &[
            "--only=truth",
            "--seconds",
            &seconds,
            "--picture",
            &options.out,
        ],
    )
}

fn missing() -> Option<String> {
    npm::missing().or_else(|| browser().err().map(|error| error.to_string()))
}

fn look(sh: &Shell, options: &[&str]) -> Result<()> {
    Exporter::build(sh)?;
    let (program, browser) = (Exporter::program()?, browser()?);
    cmd!(
        sh,
        "node {DIR}/test.mjs {SOURCES} {PAGE} {program} {browser} {options...}"
    )
    .quiet()
    .run()
    .context("the live page is wrong")
}
