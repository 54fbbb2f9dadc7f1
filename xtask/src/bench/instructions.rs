//! Instructions, counted by callgrind, and held to the figures that are committed.
//!
//! They depend on the compiler, so the record names its version, and the check builds with that one: a new Rust
//! changes the figures when somebody blesses them, and at no other time.

use std::{collections::BTreeMap, env::consts::ARCH};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use toml::Table;
use xshell::{Shell, cmd};

use super::report::locked;
use crate::stage::{Outcome, has};

/// The figures that were blessed. `.ci/run` reads from it, too.
const RECORD: &str = ".ci/instructions.toml";

/// By how much a figure may grow; where it shrinks by as much, it wants to be blessed.
const TOLERANCE: f64 = 0.03;

/// By how much 1,000 pairs may cost a call more than one pair.
const FLAT: [&str; 2] = ["core/named/pairs_1", "core/named/pairs_1000"];

/// What is pushed may cost twice what the same takes as text.
const PUSHED: [[&str; 2]; 2] = [
    ["core/scrape/counter_line", "core/push/counter_line"],
    ["core/scrape/histogram_line", "core/push/histogram_line"],
];

const RUNNER: &str = "gungraun-runner";

type Counts = BTreeMap<String, f64>;

/// The stage: every figure is near the one that is committed.
pub(crate) fn test(sh: &Shell) -> Result<Outcome> {
    let record: Table = sh.read_file(RECORD)?.parse().context(RECORD)?;
    let rustc = record["rustc"].as_str().context("no rustc")?.to_owned();
    let arch = record["arch"].as_str().context("no arch")?;
    if arch != ARCH {
        return Ok(Outcome::Skipped(format!("the figures are of {arch}")));
    }
    let version = cmd!(sh, "cargo +{rustc} --version");
    if version.quiet().ignore_stderr().read().is_err() {
        return Ok(Outcome::Skipped(format!(
            "the figures are of another toolchain: rustup toolchain install {rustc} --profile minimal"
        )));
    }
    if let Some(missing) = missing(sh)? {
        return Ok(Outcome::Skipped(missing));
    }
    let counts = count(sh, Some(&rustc))?;
    let blessed = record["instructions"].as_table().context("no figures")?;
    let blessed = blessed.iter().map(|(id, figure)| {
        let figure = figure.as_float().context("a figure is a number")?;
        Ok((id.clone(), figure))
    });
    let (faults, wishes) = compare(&blessed.collect::<Result<_>>()?, &counts);
    for wish in &wishes {
        println!("{wish}");
    }
    if !wishes.is_empty() {
        println!("better than {RECORD} says; `cargo xtask bless instructions` keeps it so");
    }
    for (tool, here) in tools(sh)? {
        if record[tool].as_str() != Some(&here) {
            println!(
                "{tool} is {here}, and was {} when the figures were taken",
                record[tool]
            );
        }
    }
    ensure!(
        faults.is_empty(),
        "{}\nwhere that is meant: `cargo xtask bless instructions`, and the reason in the commit",
        faults.join("\n")
    );
    Ok(Outcome::Passed)
}

/// Writes what is counted now, with the toolchain of the workspace.
pub(crate) fn bless(sh: &Shell) -> Result<()> {
    if let Some(missing) = missing(sh)? {
        bail!(missing);
    }
    let counts = count(sh, None)?;
    let rustc = cmd!(sh, "rustc --version").quiet().read()?;
    let rustc = rustc.split(' ').nth(1).context("a version of rustc")?;
    let mut text = format!(
        "# Instructions of one request, call, chunk or line. Written by `cargo xtask bless instructions`,\n\
         # checked by `cargo xtask test instructions` with this version of Rust.\n\
         rustc = \"{rustc}\"\narch = \"{ARCH}\"\n"
    );
    for (tool, version) in tools(sh)? {
        text += &format!("{tool} = \"{version}\"\n");
    }
    text += "\n[instructions]\n";
    for (id, count) in counts {
        text += &format!("\"{id}\" = {count:.1}\n");
    }
    Ok(sh.write_file(RECORD, text)?)
}

/// What the tools to count with are missing, and what to do about it.
pub(super) fn missing(sh: &Shell) -> Result<Option<String>> {
    if !has(sh, "valgrind") {
        return Ok(Some(
            "valgrind is missing: apt-get install valgrind libc6-dbg".to_owned(),
        ));
    }
    let lock = sh.read_file("Cargo.lock")?;
    let wanted = locked(&lock, RUNNER)?;
    let there = cmd!(sh, "{RUNNER} --version")
        .quiet()
        .ignore_stderr()
        .read();
    let fits = there.is_ok_and(|said| said.split(' ').any(|word| word.trim() == wanted));
    Ok((!fits).then(|| {
        format!("{RUNNER} {wanted} is missing: cargo install --locked --debug {RUNNER} --version ={wanted}")
    }))
}

/// Counts all there is, by ids as `axum/request/inside`: for each of what one of them counts.
pub(super) fn count(sh: &Shell, toolchain: Option<&str>) -> Result<Counts> {
    let toolchain = toolchain.map(|toolchain| format!("+{toolchain}"));
    let files = ["core", "axum", "actix"]
        .iter()
        .flat_map(|file| ["--bench", file]);
    let said = cmd!(
        sh,
        "cargo {toolchain...} bench --quiet --package brightstaff-bench {files...} -- --output-format=json"
    )
    .quiet()
    .ignore_stderr()
    .read()
    .context("the benches that count instructions fail: `cargo bench --package brightstaff-bench` says why")?;
    let mut counts = Counts::new();
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let (id, count) = counted(&serde_json::from_str(line)?)?;
        counts.insert(id, count);
    }
    ensure!(!counts.is_empty(), "nothing was counted");
    Ok(counts)
}

/// One benchmark of gungraun. Its id ends in what to divide by: `inside_per_100`.
fn counted(bench: &Value) -> Result<(String, f64)> {
    let text = |key: &str| {
        bench[key]
            .as_str()
            .with_context(|| format!("no {key} in {bench}"))
    };
    let file = text("module_path")?.split("::").next().unwrap_or_default();
    let (id, per) = text("id")?
        .rsplit_once("_per_")
        .with_context(|| format!("{bench}: an id that does not say per how many"))?;
    let total = &bench["profiles"][0]["data"]["total"]["metrics"];
    let instructions = total["Ir"]["values"]["new"].as_f64();
    let instructions = instructions.with_context(|| format!("no instructions in {bench}"))?;
    let id = format!("{file}/{}/{id}", text("function_name")?);
    Ok((id, instructions / per.parse::<f64>()?))
}

/// What callgrind and the C library are: the figures depend on both, a little.
fn tools(sh: &Shell) -> Result<[(&'static str, String); 2]> {
    let valgrind = cmd!(sh, "valgrind --version").quiet().read()?;
    let libc = cmd!(sh, "getconf GNU_LIBC_VERSION")
        .quiet()
        .read()
        .unwrap_or_default();
    Ok([("valgrind", valgrind), ("libc", libc)])
}

/// What is worse than blessed, or not comparable; and what is better. Of floors, which are not ours, nothing is said.
fn compare(blessed: &Counts, counts: &Counts) -> (Vec<String>, Vec<String>) {
    let (mut faults, mut wishes) = (Vec::new(), Vec::new());
    for (id, was) in blessed {
        match counts.get(id) {
            None => faults.push(format!("{id}: nothing counts it any more")),
            Some(_) if is_beside(id) => {}
            Some(is) => {
                let line = format!(
                    "{id}: {was:.1} → {is:.1} ({:+.1} %)",
                    (is / was - 1.0) * 100.0
                );
                if *is > was * (1.0 + TOLERANCE) {
                    faults.push(line);
                } else if *is < was * (1.0 - TOLERANCE) {
                    wishes.push(line);
                }
            }
        }
    }
    let new = counts.keys().filter(|id| !blessed.contains_key(*id));
    faults.extend(new.map(|id| format!("{id}: has no figure yet")));
    if let [Some(one), Some(many)] = FLAT.map(|id| counts.get(id))
        && *many > one * (1.0 + TOLERANCE)
    {
        faults.push(format!(
            "with 1,000 pairs a call takes {many:.1}, with one {one:.1}"
        ));
    }
    for [text, pushed] in PUSHED {
        if let [Some(of_text), Some(of_pushed)] = [text, pushed].map(|id| counts.get(id))
            && *of_pushed > of_text * 2.0
        {
            faults.push(format!(
                "{pushed} takes {of_pushed:.1}, more than twice the {of_text:.1} of {text}"
            ));
        }
    }
    (faults, wishes)
}

/// Whether it is what ours is compared with.
fn is_beside(id: &str) -> bool {
    let name = id.rsplit('/').next().unwrap_or_default();
    ["bare", "floor"]
        .iter()
        .any(|beside| name.starts_with(beside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, f64)]) -> Counts {
        of.iter()
            .map(|(id, count)| ((*id).to_owned(), *count))
            .collect()
    }

    #[test]
    fn three_percent_more_is_a_fault_and_three_less_a_wish() {
        let blessed = counts(&[("a/b/one", 100.0), ("a/b/two", 100.0), ("a/b/three", 100.0)]);
        let now = counts(&[("a/b/one", 103.1), ("a/b/two", 96.9), ("a/b/three", 102.9)]);
        let (faults, wishes) = compare(&blessed, &now);
        assert_eq!(faults, ["a/b/one: 100.0 → 103.1 (+3.1 %)"]);
        assert_eq!(wishes, ["a/b/two: 100.0 → 96.9 (-3.1 %)"]);
    }

    #[test]
    fn what_is_compared_with_may_change_but_not_come_or_go() {
        let blessed = counts(&[("a/b/floor", 100.0), ("a/b/bare_known", 100.0)]);
        let now = counts(&[("a/b/floor", 300.0), ("a/b/new", 1.0)]);
        let (faults, wishes) = compare(&blessed, &now);
        assert_eq!(
            faults,
            [
                "a/b/bare_known: nothing counts it any more",
                "a/b/new: has no figure yet"
            ]
        );
        assert_eq!(wishes, [""; 0]);
    }

    #[test]
    fn what_is_pushed_costs_twice_its_text_at_most() {
        let [[text, pushed], _] = PUSHED;
        let twice = counts(&[(text, 100.0), (pushed, 200.0)]);
        assert_eq!(compare(&twice, &twice).0, [""; 0]);
        let more = counts(&[(text, 100.0), (pushed, 201.0)]);
        assert_eq!(compare(&more, &more).0.len(), 1);
    }

    #[test]
    fn many_pairs_cost_what_one_costs() {
        let same = counts(&[(FLAT[0], 100.0), (FLAT[1], 102.0)]);
        assert_eq!(compare(&same, &same).0, [""; 0]);
        let steep = counts(&[(FLAT[0], 100.0), (FLAT[1], 104.0)]);
        assert_eq!(compare(&steep, &steep).0.len(), 1);
    }
}
