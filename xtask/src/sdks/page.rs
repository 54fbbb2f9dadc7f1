//! The table of what passed, in the README of the exporter.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
};

use anyhow::{Context, Result, ensure};

use super::{
    expected::Said,
    table::{SDKS, Sdk},
};

const PATH: &str = "brightstaff-exporter/README.md";
const BEGIN: &str = "<!-- what `cargo xtask test sdks` called; UPDATE_EXPECT=1 writes it -->\n";
const END: &str = "<!-- end -->\n";

/// Fails where the README does not say what was called, or writes it where that is wanted.
pub(super) fn check(said: &[Vec<Said>]) -> Result<()> {
    let page = fs::read_to_string(PATH)?;
    let (before, rest) = page
        .split_once(BEGIN)
        .with_context(|| format!("{PATH} has no table of SDKs any more"))?;
    let (there, after) = rest.split_once(END).context("the table has no end")?;
    let table = render(said);
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(PATH, format!("{before}{BEGIN}{table}{END}{after}"))?;
        return Ok(());
    }
    ensure!(
        there == table,
        "{PATH} does not say what was called: run `UPDATE_EXPECT=1 cargo xtask test sdks`"
    );
    Ok(())
}

fn render(said: &[Vec<Said>]) -> String {
    let mut table = "\n| SDK | pointed here by | measured as calls (\\* streamed, too) | passed on, and no call |\n\
        | --- | --- | --- | --- |\n"
        .to_owned();
    for (sdk, said) in SDKS.iter().zip(said) {
        table += &row(sdk, said);
    }
    table + "\n"
}

fn row(sdk: &Sdk, said: &[Said]) -> String {
    let first = said.first().expect("a script that calls nothing fails");
    let mut measured: BTreeMap<&str, bool> = BTreeMap::new();
    let mut others: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for said in said {
        // How it is called comes after a comma.
        let name = said.call.split(',').next().unwrap_or_default();
        let call = said
            .requests
            .iter()
            .find(|request| !request["call"].is_null());
        if let Some(request) = call {
            *measured.entry(name).or_default() |= request["call"]["streamed"] == true;
        } else {
            let group = name.rsplit_once('.').map_or(name, |(group, _)| group);
            others.entry(group).or_default().insert(name);
        }
    }
    let measured = measured.iter().map(|(name, streamed)| {
        let streamed = if *streamed { "\\*" } else { "" };
        format!("`{name}`{streamed}")
    });
    let others = others.iter().map(|(group, names)| match names.len() {
        1 => format!("`{group}`"),
        count => format!("`{group}` ({count})"),
    });
    format!(
        "| {} {} | {} | {} | {} |\n",
        first.sdk,
        first.version,
        sdk.base,
        measured.collect::<Vec<_>>().join(", "),
        others.collect::<Vec<_>>().join(", "),
    )
}
