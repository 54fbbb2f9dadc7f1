//! The files of `config/` against what will read them.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::{
    grafana::DASHBOARDS,
    npm, rules,
    stage::{Outcome, has},
    workspace,
};

/// Knows the schema of compose files.
const CHECK_JSONSCHEMA: &str = "check-jsonschema==0.39.0";

/// What Prometheus scrapes, and what it scrapes where gateways push.
const SCRAPED: [&str; 2] = [
    "config/grafana/prometheus_scrape.yaml",
    "config/otel/prometheus_scrape.yaml",
];

/// The collector's configuration, and the parts of one that it uses.
const COLLECTOR: &str = "config/otel/collector.yaml";
const COLLECTOR_SCHEMA: &str = "xtask/otlp/collector.schema.json";

/// The scrape configurations, the rules and their tests, in `promtool`'s eyes.
pub(crate) fn rules(sh: &Shell) -> Result<Outcome> {
    if !has(sh, "promtool") {
        return Ok(Outcome::Skipped(
            "promtool is missing: Debian's package prometheus has it".to_owned(),
        ));
    }
    let files = sh.read_dir(rules::DIRECTORY)?;
    let files = files.iter().filter(|path| path.extension().is_some());
    let tests = sh.read_dir(Path::new(rules::DIRECTORY).join("tests"))?;
    for scraped in SCRAPED {
        cmd!(sh, "promtool check config {scraped}").run()?;
    }
    cmd!(sh, "promtool check rules {files...}").run()?;
    cmd!(sh, "promtool test rules {tests...}").run()?;
    Ok(Outcome::Passed)
}

/// The dashboards, in the types of Grafana's own package.
pub(crate) fn dashboards(sh: &Shell) -> Result<Outcome> {
    if let Some(why) = npm::missing() {
        return Ok(Outcome::Skipped(why));
    }
    let project = workspace::root().join("target/schema");
    if let Err(error) = npm::install(sh, Path::new("xtask/schema"), &project) {
        return Ok(Outcome::Skipped(format!("{error:#}")));
    }
    for (path, _) in DASHBOARDS {
        let name = Path::new(path).file_stem().context("a file has a name")?;
        let name = name.to_string_lossy();
        let json = sh.read_file(path)?;
        let text = format!(
            "import type {{ Shipped }} from \"./dashboard\";\nexport const {name}: Shipped = {json};\n"
        );
        sh.write_file(project.join(format!("{name}.ts")), text)?;
    }
    let _directory = sh.push_dir(&project);
    cmd!(sh, "npx --no-install tsc --project .").run()?;
    Ok(Outcome::Passed)
}

/// The program as the unit starts it, once it is installed.
const INSTALLED: &str = "/usr/local/bin/brightstaff-exporter";

/// What systemd makes of how far the service is confined: 10 is not at all, and below 2 is its best grade. In tenths.
const MAX_EXPOSURE: &str = "19";

/// The unit of systemd, in its own eyes.
pub(crate) fn unit(sh: &Shell) -> Result<Outcome> {
    if !has(sh, "systemd-analyze") {
        return Ok(Outcome::Skipped(
            "systemd-analyze is missing: Debian's package systemd has it".to_owned(),
        ));
    }
    let text = sh.read_file("config/systemd/brightstaff-exporter.service")?;
    ensure!(text.contains(INSTALLED), "the unit starts another program");
    // One that is there.
    let unit = workspace::root().join("target/unit/brightstaff-exporter.service");
    sh.write_file(&unit, text.replace(INSTALLED, "/bin/true"))?;
    let said = cmd!(sh, "systemd-analyze verify --man=no {unit}").output()?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    ensure!(said.is_empty(), "systemd-analyze verify: {said}");
    cmd!(
        sh,
        "systemd-analyze security --offline=true --no-pager --threshold={MAX_EXPOSURE} {unit}"
    )
    .ignore_stdout()
    .run()?;
    Ok(Outcome::Passed)
}

/// The compose file in the schema of compose files, and the collector's configuration in one of its own.
pub(crate) fn compose(sh: &Shell) -> Result<Outcome> {
    let venv = workspace::root().join("target/compose-schema");
    let check = venv.join("bin/check-jsonschema");
    if !check.exists() {
        if cmd!(sh, "python3 -m venv {venv}")
            .quiet()
            .ignore_stderr()
            .run()
            .is_err()
        {
            return Ok(Outcome::Skipped(
                "python3 with venv is missing: Debian's package python3-venv has it".to_owned(),
            ));
        }
        let pip = venv.join("bin/pip");
        let install = cmd!(
            sh,
            "{pip} install --quiet --disable-pip-version-check {CHECK_JSONSCHEMA}"
        );
        if let Err(error) = install.run() {
            sh.remove_path(&venv)?;
            return Ok(Outcome::Skipped(format!(
                "the schema of compose files: {error}"
            )));
        }
    }
    let file = "config/grafana/docker-compose.yaml";
    cmd!(sh, "{check} --builtin-schema vendor.compose-spec {file}").run()?;
    cmd!(sh, "{check} --schemafile {COLLECTOR_SCHEMA} {COLLECTOR}").run()?;
    compose_config(sh, file)?;
    // The schema knows nothing of the files that the compose file mounts.
    let text = sh.read_file(file)?;
    for line in text.lines() {
        let Some(mount) = line
            .trim()
            .strip_prefix("- .")
            .and_then(|rest| rest.strip_suffix(":ro"))
        else {
            continue;
        };
        let (here, _) = mount.split_once(':').context("a mount has two sides")?;
        let here = Path::new("config/grafana").join(format!(".{here}"));
        ensure!(
            fs::exists(workspace::root().join(&here))?,
            "{} is mounted, and not there",
            here.display()
        );
    }
    Ok(Outcome::Passed)
}

/// What docker compose itself makes of the file, where it can be had; it needs no engine for that.
/// Version 1 reads another format.
fn compose_config(sh: &Shell, file: &str) -> Result<()> {
    for compose in [&["docker", "compose"][..], &["docker-compose"]] {
        let (program, first) = (compose[0], &compose[1..]);
        let version = cmd!(sh, "{program} {first...} version --short");
        let version = version.quiet().ignore_stderr().read().unwrap_or_default();
        if version.is_empty() || version.trim_start_matches('v').starts_with("1.") {
            continue;
        }
        cmd!(sh, "{program} {first...} --file {file} config --quiet").run()?;
        return Ok(());
    }
    println!("docker compose config: NOT CHECKED, its version 2 is not on this machine");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::alerts;

    #[test]
    fn every_alert_is_tested_firing_and_not() {
        let tests = workspace::root().join(rules::DIRECTORY).join("tests");
        let mut text = String::new();
        for file in fs::read_dir(tests).unwrap() {
            text += &fs::read_to_string(file.unwrap().path()).unwrap();
        }
        for alert in alerts::all() {
            let name = alert.name;
            let firing = format!("alertname=\"{name}\", alertstate=\"firing\"");
            assert!(text.contains(&firing), "{name} is never seen to fire");
            let alert = format!("- alertname: {name}\n");
            let mut quiet = text
                .split(&alert)
                .skip(1)
                .map(|rest| rest.lines().nth(1).unwrap_or_default());
            assert!(
                quiet.any(|line| line.trim() == "exp_alerts: []"),
                "{name} is never seen not to fire"
            );
        }
    }

    #[test]
    fn descriptions_use_labels_that_the_expressions_return() {
        for alert in alerts::all() {
            let used = alert.description.split("$labels.").skip(1);
            for label in used.filter_map(|rest| rest.split_whitespace().next()) {
                let known = alert.expr.labels().contains(&label);
                assert!(known, "{}: {label}", alert.name);
            }
        }
    }
}
