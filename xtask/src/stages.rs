//! The checks of `cargo xtask test`, in the order in which they run.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::{
    cardinality, config_checks, demo, examples, generate, kubernetes, link, newcomer, packages,
    proof, render,
    stage::{self, Outcome, Stage, has},
};

const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "the code is formatted",
        run: |sh| {
            cmd!(sh, "cargo fmt --all --check").run()?;
            // A macro declares these modules, and `cargo fmt` does not look into macros.
            let apis = sh.read_dir("brightstaff-metrics-core/src/meter/apis")?;
            passes(&cmd!(sh, "rustfmt --check --edition 2024 {apis...}"))
        },
    },
    Stage {
        name: "generated",
        about: "generated files are up to date",
        run: |sh| generate::all(sh, true).map(|()| Outcome::Passed),
    },
    Stage {
        name: "clippy",
        about: "no lint speaks, with all features and with none",
        run: |sh| {
            cmd!(
                sh,
                "cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings"
            )
            .run()?;
            passes(&cmd!(
                sh,
                "cargo clippy --quiet --package brightstaff-metrics-core --package brightstaff-metrics-axum --package brightstaff-metrics-actix --no-default-features --all-targets -- -D warnings"
            ))
        },
    },
    Stage {
        name: "test",
        about: "unit, golden, property, socket and end-to-end tests",
        run: |sh| passes(&cmd!(sh, "cargo test --workspace")),
    },
    Stage {
        name: "features",
        about: "core's tests without default features, with all, and with prometheus' protobuf on; actix's with all",
        run: |sh| {
            let core = "brightstaff-metrics-core";
            cmd!(
                sh,
                "cargo test --quiet --package {core} --no-default-features"
            )
            .run()?;
            cmd!(sh, "cargo test --quiet --package {core} --all-features").run()?;
            let actix = "brightstaff-metrics-actix";
            cmd!(sh, "cargo test --quiet --package {actix} --all-features").run()?;
            passes(&cmd!(
                sh,
                "cargo test --quiet --package {core} --features prometheus/protobuf"
            ))
        },
    },
    Stage {
        name: "doc",
        about: "the docs build without a warning",
        run: |sh| {
            passes(
                &cmd!(sh, "cargo doc --quiet --workspace --no-deps --all-features")
                    .env("RUSTDOCFLAGS", "-D warnings"),
            )
        },
    },
    Stage {
        name: "demo",
        about: "the README's demo tells the truth, in metrics that promtool likes",
        run: demo::test,
    },
    Stage {
        name: "link",
        about: "a real Envoy and the gateway count the same requests",
        run: link::test,
    },
    Stage {
        name: "render",
        about: "every panel of the dashboard, drawn on Grafana's own components, can be read",
        run: render::test,
    },
    Stage {
        name: "cardinality",
        about: "20 gateways cost the series that the budget says, and a remote store answers the dashboards",
        run: cardinality::test,
    },
    Stage {
        name: "kubernetes",
        about: "the manifests are what Kubernetes and the Prometheus operator expect",
        run: kubernetes::test,
    },
    Stage {
        name: "weight",
        about: "the libraries stay light",
        run: weight,
    },
    Stage {
        name: "examples",
        about: "both example gateways run, and tell the same of the same traffic",
        run: examples::agree,
    },
    Stage {
        name: "lowest",
        about: "the libraries build with the Rust that they state and the lowest versions that they allow",
        run: packages::lowest_versions,
    },
    Stage {
        name: "package",
        about: "every crate can be packaged, with its readme and licences",
        run: packages::package,
    },
    Stage {
        name: "newcomer",
        about: "the README's gateways build with the README's dependencies, in projects of their own",
        run: newcomer::builds,
    },
    Stage {
        name: "rules",
        about: "promtool reads the scrape configuration and the rules, and every alert fires when it should",
        run: config_checks::rules,
    },
    Stage {
        name: "dashboards",
        about: "the dashboards fit the types that Grafana reads them with",
        run: config_checks::dashboards,
    },
    Stage {
        name: "compose",
        about: "the compose file fits the schema of compose files",
        run: config_checks::compose,
    },
    Stage {
        name: "prometheus",
        about: "every panel and rule, asked of a real Prometheus, tells what happened",
        run: proof::prometheus,
    },
    Stage {
        name: "deny",
        about: "bans, licences and sources of the dependencies; advisories where their database is",
        run: deny,
    },
];

/// Runs the named stages, or all.
pub(crate) fn test(sh: &Shell, names: &[String], list: bool) -> Result<()> {
    if list {
        for stage in STAGES {
            println!("{:<12} {}", stage.name, stage.about);
        }
        return Ok(());
    }
    for name in names {
        ensure!(
            STAGES.iter().any(|stage| stage.name == name),
            "no stage is called {name}; `cargo xtask test --list` tells which there are"
        );
    }
    let chosen: Vec<_> = STAGES
        .iter()
        .filter(|stage| names.is_empty() || names.iter().any(|name| name == stage.name))
        .collect();
    stage::run(sh, &chosen)
}

fn passes(command: &xshell::Cmd<'_>) -> Result<Outcome> {
    command.run()?;
    Ok(Outcome::Passed)
}

/// What a library drags in is part of the product.
fn weight(sh: &Shell) -> Result<Outcome> {
    let format = "{p}";
    let tree = |arguments: &[&str]| -> Result<Vec<String>> {
        let tree = cmd!(
            sh,
            "cargo tree --edges normal --prefix none --format {format} {arguments...}"
        )
        .quiet()
        .read()?;
        let mut crates: Vec<_> = tree
            .lines()
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect();
        crates.sort_unstable();
        crates.dedup();
        Ok(crates)
    };
    let core = tree(&["--package", "brightstaff-metrics-core"])?;
    let exporter = tree(&["--package", "brightstaff-exporter", "--no-default-features"])?;
    println!(
        "core: {} crates; exporter library: {}",
        core.len(),
        exporter.len()
    );
    for (what, crates, banned) in [
        (
            "core",
            &core,
            &["tokio", "axum", "actix-web", "serde", "serde_json"][..],
        ),
        (
            "the exporter's library",
            &exporter,
            &["clap", "reqwest", "rustls", "moka", "rand"][..],
        ),
    ] {
        if let Some(found) = banned.iter().find(|name| crates.iter().any(|c| c == *name)) {
            bail!("{what} depends on {found}");
        }
    }
    Ok(Outcome::Passed)
}

fn deny(sh: &Shell) -> Result<Outcome> {
    if !has(sh, "cargo-deny") {
        return Ok(Outcome::Skipped(
            "cargo-deny is missing: cargo install --locked cargo-deny".to_owned(),
        ));
    }
    cmd!(
        sh,
        "cargo deny --log-level error --offline check bans licenses sources"
    )
    .run()?;
    if has_advisories(sh)? {
        cmd!(
            sh,
            "cargo deny --log-level error --offline check advisories"
        )
        .run()?;
    } else {
        println!("advisories: NOT CHECKED, their database is not on this machine");
    }
    Ok(Outcome::Passed)
}

/// Whether cargo-deny has fetched the advisory database at some time.
fn has_advisories(sh: &Shell) -> Result<bool> {
    let home = match sh.var("CARGO_HOME") {
        Ok(home) => home,
        Err(_) => sh.var("HOME")? + "/.cargo",
    };
    let databases = std::fs::read_dir(Path::new(&home).join("advisory-dbs"));
    Ok(databases.is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir()))
    }))
}
