//! Runs benches, and reads what they found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::{
    row::{Bench, Kind},
    verdict::median,
};
use crate::sidecar;

/// What was measured, by id: one value for each round.
#[derive(Default)]
pub(super) struct Figures(BTreeMap<String, Vec<f64>>);

/// For how long each is measured, and how often.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    pub(super) rounds: usize,
    warm_up_seconds: &'static str,
    seconds: &'static str,
    quick: bool,
}

impl Effort {
    pub(super) const NORMAL: Self = Self {
        rounds: 7,
        warm_up_seconds: "0.1",
        seconds: "0.3",
        quick: false,
    };
    pub(super) const QUICK: Self = Self {
        rounds: 3,
        warm_up_seconds: "0.05",
        seconds: "0.2",
        quick: true,
    };
}

impl Figures {
    pub(super) fn push(&mut self, id: String, value: f64) {
        self.0.entry(id).or_default().push(value);
    }

    /// What each round gave.
    pub(super) fn rounds(&self, id: &str) -> Result<&[f64]> {
        let rounds = self.0.get(id);
        Ok(rounds.with_context(|| format!("no bench gave the figure {id:?}"))?)
    }

    /// All that are named so, by the rest of their names.
    pub(super) fn named<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let figures = self.0.iter();
        figures.filter_map(move |(id, rounds)| Some((id.strip_prefix(start)?, median(rounds))))
    }

    /// Runs a bench for those of its figures that are asked for.
    pub(super) fn run(
        &mut self,
        sh: &Shell,
        bench: &Bench,
        ids: &BTreeSet<&str>,
        effort: Effort,
    ) -> Result<()> {
        let Bench {
            name,
            package,
            target,
            kind,
        } = *bench;
        if kind == Kind::Sidecar {
            return self.run_sidecar(sh, name, effort);
        }
        let home = sh.current_dir().join("target/bench").join(name);
        sh.remove_path(&home)?;
        let mut arguments = Vec::new();
        if kind == Kind::Criterion {
            let Effort {
                warm_up_seconds,
                seconds,
                ..
            } = effort;
            let options = format!(
                "--noplot --sample-size 10 --nresamples 1000 --warm-up-time {warm_up_seconds} --measurement-time {seconds}"
            );
            arguments.extend(options.split(' ').map(str::to_owned));
            let names = ids.iter().filter_map(|id| local(bench, id));
            let names: Vec<_> = names.map(escaped).collect();
            arguments.push(format!("^({})$", names.join("|")));
        } else if effort.quick {
            arguments.push("--quick".to_owned());
        }
        let said = cmd!(
            sh,
            "cargo bench --quiet --package {package} --bench {target} -- {arguments...}"
        )
        .env("CRITERION_HOME", &home)
        .quiet()
        .ignore_stderr()
        .read()
        .with_context(|| {
            format!("a bench failed; `cargo bench --package {package} --bench {target}` says why")
        })?;
        for line in said.lines().filter_map(|line| line.strip_prefix("figure ")) {
            let (of, value) = line
                .split_once(" = ")
                .with_context(|| format!("{name}: {line:?} is no figure"))?;
            self.push(format!("{name}: {of}"), value.trim().parse()?);
        }
        for (of, value) in estimates(&home)? {
            self.push(format!("{name}: {of}"), value);
        }
        Ok(())
    }

    fn run_sidecar(&mut self, sh: &Shell, name: &str, effort: Effort) -> Result<()> {
        let options = if effort.quick {
            sidecar::Options::brief(3, 4_000)
        } else {
            sidecar::Options::brief(7, 10_000)
        };
        for row in sidecar::rows(sh, &options)? {
            self.push(format!("{name}: {}", row.name), row.ratio);
        }
        Ok(())
    }
}

/// The name that a figure has in its bench, where it is one of this bench.
pub(super) fn local<'a>(bench: &Bench, id: &'a str) -> Option<&'a str> {
    id.strip_prefix(bench.name)?.strip_prefix(": ")
}

/// What a regular expression matches literally.
fn escaped(name: &str) -> String {
    let literal = |c: char| c.is_alphanumeric() || "_ <>".contains(c) || !c.is_ascii();
    let escape = |c| {
        if literal(c) {
            c.to_string()
        } else {
            format!("\\{c}")
        }
    };
    name.chars().map(escape).collect()
}

/// The medians that Criterion left: nanoseconds for each element, or each byte.
fn estimates(home: &Path) -> Result<Vec<(String, f64)>> {
    let mut found = Vec::new();
    for directory in directories(home)? {
        let read = |file: &str| -> Result<Value> {
            let path = directory.join(file);
            let text = fs::read_to_string(&path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            Ok(serde_json::from_str(&text)?)
        };
        let (bench, estimates) = (read("benchmark.json")?, read("estimates.json")?);
        let id = bench["full_id"].as_str().context("a bench without id")?;
        let nanos = &estimates["median"]["point_estimate"];
        let nanos = nanos.as_f64().context("an estimate without median")?;
        let throughput = &bench["throughput"];
        let of = throughput["Elements"]
            .as_f64()
            .or(throughput["Bytes"].as_f64());
        found.push((id.to_owned(), nanos / of.unwrap_or(1.0)));
    }
    Ok(found)
}

/// Every directory `new` below this one; none where nothing was measured.
fn directories(home: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![home.to_owned()]);
    while let Some(directory) = open.pop() {
        if directory.file_name().is_some_and(|name| name == "new") {
            found.push(directory);
            continue;
        }
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(found)
}
