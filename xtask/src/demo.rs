//! The demo, run as the README says, and its metrics before the eyes of promtool.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{
    http::{free_port, get},
    stage::{Outcome, has},
};

/// Runs the demo, lints a scrape of it while it lasts, and lets it compare truth with metrics.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    if !has(sh, "promtool") {
        let why = "promtool is not on the path: apt install prometheus";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    // What the README's command builds, so that the load does not wait for it.
    cmd!(sh, "cargo build --quiet --package brightstaff-exporter").run()?;
    let metrics = format!("127.0.0.1:{}", free_port()?);
    let arguments = [
        "--duration=10s",
        "--bind=127.0.0.1:0",
        &format!("--metrics-bind={metrics}"),
    ]
    .map(str::to_owned);
    let url = format!("http://{metrics}/metrics");
    let over = Arc::new(AtomicBool::new(false));
    let linting = {
        let over = Arc::clone(&over);
        thread::spawn(move || scrape(&url, &over).and_then(|text| lint(&text)))
    };
    let ran = cmd!(sh, "cargo xtask demo {arguments...}").run();
    over.store(true, Ordering::Relaxed);
    ran?;
    linting
        .join()
        .map_err(|_| anyhow::anyhow!("the lint panicked"))??;
    Ok(Outcome::Passed)
}

/// A scrape in the middle of the load, before it is over.
fn scrape(url: &str, over: &AtomicBool) -> Result<String> {
    loop {
        let ending = over.load(Ordering::Relaxed);
        match get(url) {
            Ok(text) if text.contains("brightstaff_llm_time_to_first_token_seconds") => {
                return Ok(text);
            }
            Ok(_) | Err(_) if !ending => thread::sleep(Duration::from_millis(200)),
            Ok(_) => bail!("{url} shows no first token while the demo runs"),
            Err(error) => return Err(error.context("the demo serves no metrics")),
        }
    }
}

/// Silence is praise.
fn lint(text: &str) -> Result<()> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = promtool.stdin.take().context("promtool takes no input")?;
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    let said = promtool.wait_with_output()?;
    let said = [said.stdout, said.stderr].concat();
    if !said.is_empty() {
        bail!("promtool says: {}", String::from_utf8_lossy(&said).trim());
    }
    println!(
        "promtool check metrics: nothing to say of {} lines",
        text.lines().count()
    );
    Ok(())
}
