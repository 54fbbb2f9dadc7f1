//! Runs stages, each in a process of its own: the builds one after the other, and beside them what mostly
//! waits. What a stage prints comes in one piece, when it is done.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::{
    lab::Exporter,
    stage::{Lane, Outcome, Stage},
};

/// Stages of [`Lane::Lab`] that run at once.
const LABS: usize = 2;

/// The stage that builds what those of the lab start.
pub(crate) const BUILD: &str = "build";

/// Where each stage's output and verdict are left.
const DIR: &str = "target/stages";

/// What became of a stage.
enum Verdict {
    Passed,
    Skipped(String),
    Failed(String),
}

/// A stage that has run.
struct Run {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

/// Runs the stages, and tells at the end what became of each. All of them run, whichever fails. In CI only
/// those of `may_skip` may be skipped. A stage alone prints as it goes.
pub(crate) fn run(stages: &[&'static Stage], may_skip: &[String]) -> Result<()> {
    let started = Instant::now();
    fs::create_dir_all(DIR)?;
    // Named before a stage builds it anew.
    let program = env::current_exe()?;
    let done = Mutex::new(Vec::new());
    let lane = |lane| stages.iter().copied().filter(move |s| s.lane == lane);
    let labs = Mutex::new(lane(Lane::Lab));
    let next = || labs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let jobs = Jobs {
        program: &program,
        may_skip,
        live: stages.len() == 1,
        done: &done,
    };
    thread::scope(|scope| {
        let (first, others): (Vec<_>, Vec<_>) =
            lane(Lane::Build).partition(|stage| stage.name == BUILD);
        first.iter().for_each(|stage| jobs.finish(stage, None));
        // Where nothing was built, or it cannot be kept, each stage builds for itself.
        let exporter = first.first().and_then(|_| Exporter::keep().ok());
        for _ in 0..LABS {
            let (exporter, next, jobs) = (exporter.clone(), &next, &jobs);
            scope.spawn(move || {
                while let Some(stage) = next() {
                    jobs.finish(stage, exporter.as_deref());
                }
            });
        }
        others.iter().for_each(|stage| jobs.finish(stage, None));
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|run| stages.iter().position(|stage| stage.name == run.name));
    summary(&done, started.elapsed())
}

/// Runs one stage here, and leaves its verdict in this file: what [`run`] starts.
pub(crate) fn run_one(sh: &Shell, stage: &Stage, verdict: &Path) -> Result<()> {
    let text = match (stage.run)(sh) {
        Ok(Outcome::Passed) => "passed".to_owned(),
        Ok(Outcome::Skipped(why)) => format!("skipped {why}"),
        Err(error) => format!("failed {error:#}"),
    };
    fs::write(verdict, text).with_context(|| format!("cannot write {}", verdict.display()))
}

/// What the processes of all stages have in common.
struct Jobs<'a> {
    program: &'a Path,
    may_skip: &'a [String],
    live: bool,
    done: &'a Mutex<Vec<Run>>,
}

impl Jobs<'_> {
    /// Runs a stage in a process of its own, and prints what it said.
    fn finish(&self, stage: &'static Stage, exporter: Option<&Path>) {
        let start = Instant::now();
        let log = PathBuf::from(format!("{DIR}/{}.log", stage.name));
        if self.live {
            println!("==> {}: {}", stage.name, stage.about);
        }
        let verdict = match self.start_and_wait(stage, exporter, &log) {
            Ok(verdict) => judge(stage, verdict, self.may_skip),
            Err(error) => Verdict::Failed(format!("{error:#}")),
        };
        let took = start.elapsed();
        // Held while printing, so that no two stages mix their lines.
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.live {
            let said = fs::read(&log).unwrap_or_default();
            println!("\n==> {}: {}", stage.name, stage.about);
            print!("{}", String::from_utf8_lossy(&said));
        }
        println!(
            "<== {}: {verdict} ({:.1} s)",
            stage.name,
            took.as_secs_f64()
        );
        done.push(Run {
            name: stage.name,
            verdict,
            took,
        });
    }

    fn start_and_wait(
        &self,
        stage: &Stage,
        exporter: Option<&Path>,
        log: &Path,
    ) -> Result<Verdict> {
        let verdict = PathBuf::from(format!("{DIR}/{}.verdict", stage.name));
        // There is nothing to remove the first time.
        let _ = fs::remove_file(&verdict);
        let mut command = Command::new(self.program);
        command
            .args(["test", stage.name, "--verdict"])
            .arg(&verdict)
            .envs(exporter.map(|path| (Exporter::BUILT, path)))
            .stdin(Stdio::null());
        if !self.live {
            let out =
                File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
            command.stdout(out.try_clone()?).stderr(out);
        }
        let status = command.status().context("cannot start the stage")?;
        let text = fs::read_to_string(verdict).unwrap_or_default();
        Ok(match text.split_once(' ') {
            _ if !status.success() => Verdict::Failed(format!("it ended with {status}")),
            None if text == "passed" => Verdict::Passed,
            Some(("skipped", why)) => Verdict::Skipped(why.to_owned()),
            Some(("failed", why)) => Verdict::Failed(why.to_owned()),
            _ => Verdict::Failed("it left no verdict".to_owned()),
        })
    }
}

/// In CI a check that did not run has not passed.
fn judge(stage: &Stage, verdict: Verdict, may_skip: &[String]) -> Verdict {
    match verdict {
        Verdict::Skipped(why)
            if env::var_os("CI").is_some() && !may_skip.iter().any(|name| name == stage.name) =>
        {
            Verdict::Failed(format!("skipped, which CI does not allow: {why}"))
        }
        verdict => verdict,
    }
}

fn summary(done: &[Run], took: Duration) -> Result<()> {
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    println!();
    for Run {
        name,
        verdict,
        took,
    } in done
    {
        println!("{name:<12} {:>7.1} s  {verdict}", took.as_secs_f64());
        match verdict {
            Verdict::Passed => passed += 1,
            Verdict::Skipped(_) => skipped += 1,
            Verdict::Failed(_) => failed.push(*name),
        }
    }
    println!("{:<12} {:>7.1} s", "in all", took.as_secs_f64());
    println!(
        "\n{passed} passed, {} failed, {skipped} skipped",
        failed.len()
    );
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed => f.write_str("ok"),
            Self::Skipped(why) => write!(f, "SKIPPED: {why}"),
            Self::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}
