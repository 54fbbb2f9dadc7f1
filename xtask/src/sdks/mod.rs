//! The real SDKs of the providers, each over what it can call, through the gateway to simulated providers: what they
//! return is what the gateway must have counted.

mod expected;
mod page;
mod scrape;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use xshell::Shell;

use self::{
    expected::{Expected, Said},
    scrape::Scrape,
    table::{PROVIDERS, SDKS, Sdk},
};
use crate::{
    lab::{self, Exporter},
    stage::Outcome,
};

/// The scripts, and what they need.
const SCRIPTS: &str = "xtask/sdks";

/// How long what is counted wrong after the last client may still come right.
const REST: Duration = Duration::from_secs(10);

pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    let requirements = fs::read_to_string(format!("{SCRIPTS}/requirements.txt"))?;
    let python = match lab::python(sh, "sdks", &requirements) {
        Ok(python) => python,
        Err(error) => return Ok(Outcome::Skipped(format!("{error:#}"))),
    };
    Exporter::build(sh)?;
    let dir = Path::new("target/sdks");
    let providers = Exporter::simulate_each(dir)?;
    let gateway = Exporter::configured(dir, &configuration(providers.port), &[])?;
    let said = play(&python, gateway.port)?;
    let mut expected = Expected::default();
    for said in said.iter().flatten() {
        expected.add(said)?;
    }
    let rest = at_rest(gateway.metrics_port, &expected)?;
    let faults = expected.differences(&rest);
    ensure!(
        faults.is_empty(),
        "{} differences:\n  {}",
        faults.len(),
        faults.join("\n  ")
    );
    println!(
        "{} series are exactly what the SDKs were told",
        expected.series()
    );
    page::check(&said)?;
    Ok(Outcome::Passed)
}

/// A gateway before every provider that is simulated at this port.
fn configuration(port: u16) -> String {
    let provider =
        |(name, base)| format!("[providers.{name}]\nurl = \"http://127.0.0.1:{port}/{base}\"\n");
    PROVIDERS.into_iter().map(provider).collect()
}

/// Runs all scripts at once, and gives what each of them said. Fails with every call that failed.
fn play(python: &Path, gateway: u16) -> Result<Vec<Vec<Said>>> {
    let root = format!("http://127.0.0.1:{gateway}");
    let said = thread::scope(|scope| {
        let scripts = SDKS.map(|sdk| scope.spawn(|| run(python, sdk, &root)));
        let said = scripts.map(|script| script.join().expect("a script's thread does not panic"));
        said.into_iter().collect::<Result<Vec<_>>>()
    })?;
    let mut failed = Vec::new();
    for said in &said {
        if let Some(first) = said.first() {
            println!("{} {}: {} calls", first.sdk, first.version, said.len());
        }
        failed.extend(said.iter().filter_map(Said::fault));
    }
    ensure!(
        failed.is_empty(),
        "calls failed:\n  {}",
        failed.join("\n  ")
    );
    Ok(said)
}

fn run(python: &Path, sdk: &Sdk, root: &str) -> Result<Vec<Said>> {
    let script = PathBuf::from(format!("{SCRIPTS}/{}", sdk.script));
    let output = Command::new(python)
        // Nothing is left beside the scripts, and nobody's proxy or key is used.
        .args(["-B", "-W", "ignore"])
        .arg(&script)
        .arg(root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "target/sdks")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} does not run", script.display()))?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let said: Result<Vec<_>> = lines.lines().map(Said::parse).collect();
    let said = said.with_context(|| script.display().to_string())?;
    let failed = said.iter().any(|said| said.fault().is_some());
    ensure!(
        output.status.success() || failed,
        "{}: {}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(!said.is_empty(), "{} calls nothing", script.display());
    Ok(said)
}

/// What the gateway says once it says what is expected, or some time after it has come to rest with something else.
fn at_rest(port: u16, expected: &Expected) -> Result<Scrape> {
    let begin = Instant::now();
    loop {
        let scrape = Scrape::get(&format!("http://127.0.0.1:{port}/metrics"))?;
        let patience = if scrape.rests() { REST } else { 6 * REST };
        if expected.differences(&scrape).is_empty() || begin.elapsed() > patience {
            return Ok(scrape);
        }
        thread::sleep(Duration::from_millis(100));
    }
}
