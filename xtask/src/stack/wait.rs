//! Waiting until the two are healthy, in sight of the user.

use std::{
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Runner, Urls};
use crate::http;

/// Returns once both answer; fails at once where one has given up.
pub(super) fn healthy(urls: &Urls, runner: &Runner, timeout: Duration) -> Result<()> {
    for (name, url) in urls.health() {
        let start = Instant::now();
        print!("waiting for {name} ");
        while !answers(&url) {
            let stuck = || format!("\n{}\n{name} is not healthy", runner.last_words());
            runner.check().with_context(stuck)?;
            if start.elapsed() > timeout {
                bail!(
                    "{}: {url} did not answer in {} s. What it said last is above; `--timeout` waits longer",
                    stuck(),
                    timeout.as_secs()
                );
            }
            print!(".");
            // The dots are for the eye alone.
            let _ = std::io::stdout().flush();
            thread::sleep(Duration::from_millis(500));
        }
        println!(" healthy after {:.1} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Whether this address answers well.
pub(super) fn answers(url: &str) -> bool {
    http::get(url).is_ok()
}
