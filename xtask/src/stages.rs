//! The checks of `cargo xtask test`. Those of a lane start in this order.

use std::path::Path;

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::{
    bench, cardinality, code, config_checks, demo, dependencies, examples, generate, kubernetes,
    layout, link, newcomer, packages, page, proof, render, runner, sdks, soak,
    stage::{Lane, Outcome, Stage},
};

const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "the code is formatted",
        lane: Lane::Build,
        run: code::fmt,
    },
    Stage {
        name: "layout",
        about: "every module imports only what stands below it",
        lane: Lane::Build,
        run: layout::test,
    },
    Stage {
        name: runner::BUILD,
        about: "everything that is tested or started compiles",
        lane: Lane::Build,
        run: code::build,
    },
    Stage {
        name: "generated",
        about: "generated files are up to date",
        lane: Lane::Build,
        run: |sh| generate::all(sh, true).map(|()| Outcome::Passed),
    },
    Stage {
        name: "test",
        about: "unit, golden, property, socket and end-to-end tests, and examples in the docs",
        lane: Lane::Build,
        run: code::test,
    },
    Stage {
        name: "redis",
        about: "gateways share sessions in a real Redis, and outlive its faults",
        lane: Lane::Build,
        run: code::redis,
    },
    Stage {
        name: "corpus",
        about: "the meter reads recorded responses of real providers right",
        lane: Lane::Build,
        run: code::corpus,
    },
    Stage {
        name: "examples",
        about: "both example gateways run, and tell the same of the same traffic",
        lane: Lane::Build,
        run: examples::agree,
    },
    Stage {
        name: "clippy",
        about: "no lint speaks, with all features and with none",
        lane: Lane::Build,
        run: code::clippy,
    },
    Stage {
        name: "doc",
        about: "no link in the documents is dead, and the docs build without a warning",
        lane: Lane::Build,
        run: code::doc,
    },
    Stage {
        name: "features",
        about: "core's tests hold without default features, and every feature builds alone",
        lane: Lane::Build,
        run: code::features,
    },
    Stage {
        name: "weight",
        about: "the libraries stay light",
        lane: Lane::Build,
        run: dependencies::weight,
    },
    Stage {
        name: "deny",
        about: "bans, licences and sources of the dependencies; advisories where their database is",
        lane: Lane::Build,
        run: dependencies::deny,
    },
    Stage {
        name: "package",
        about: "every crate can be packaged, with its readme and licences, and builds from its package",
        lane: Lane::Build,
        run: packages::package,
    },
    Stage {
        name: "newcomer",
        about: "the README's gateways build with the README's dependencies, in projects of their own",
        lane: Lane::Build,
        run: newcomer::builds,
    },
    Stage {
        name: "lowest",
        about: "the libraries build with the Rust that they state and the lowest versions that they allow",
        lane: Lane::Build,
        run: packages::lowest_versions,
    },
    Stage {
        name: "instructions",
        about: "a request, a call, a chunk and a line of a scrape take the instructions that are committed",
        lane: Lane::Build,
        run: bench::instructions::test,
    },
    Stage {
        name: "demo",
        about: "the README's demo tells the truth, in metrics that promtool likes",
        lane: Lane::Build,
        run: demo::test,
    },
    Stage {
        name: "cardinality",
        about: "20 gateways cost the series that the budget says, and a remote store answers the dashboards",
        lane: Lane::Lab,
        run: cardinality::test,
    },
    Stage {
        name: "prometheus",
        about: "every panel and rule, asked of a real Prometheus, tells what happened",
        lane: Lane::Lab,
        run: proof::prometheus,
    },
    Stage {
        name: "formats",
        about: "real Prometheus servers, a new one and an old one, read every format alike, and native histograms and exemplars",
        lane: Lane::Lab,
        run: proof::formats,
    },
    Stage {
        name: "otlp",
        about: "what is pushed over OTLP is what is scraped, in Prometheus, in VictoriaMetrics and to Python's decoder",
        lane: Lane::Lab,
        run: proof::otlp,
    },
    Stage {
        name: "render",
        about: "every panel of the dashboard, drawn on Grafana's own components, can be read",
        lane: Lane::Lab,
        run: render::test,
    },
    Stage {
        name: "page",
        about: "the live page tells the demo's truth in a real browser, and takes no label for HTML",
        lane: Lane::Lab,
        run: page::test,
    },
    Stage {
        name: "soak",
        about: "every fault that clients and providers make, for a minute, and what the example on actix-web knows of them, is counted right, and leaves nothing",
        lane: Lane::Lab,
        run: soak::test,
    },
    Stage {
        name: "sdks",
        about: "the real SDKs of every provider, over what they can call, get what they ask for, and are counted exactly",
        lane: Lane::Lab,
        run: sdks::test,
    },
    Stage {
        name: "link",
        about: "a real Envoy and the gateway count the same requests",
        lane: Lane::Lab,
        run: link::test,
    },
    Stage {
        name: "kubernetes",
        about: "the manifests are what Kubernetes and the Prometheus operator expect",
        lane: Lane::Lab,
        run: kubernetes::test,
    },
    Stage {
        name: "rules",
        about: "promtool reads the scrape configurations and the rules, and every alert fires when it should",
        lane: Lane::Lab,
        run: config_checks::rules,
    },
    Stage {
        name: "dashboards",
        about: "the dashboards fit the types that Grafana reads them with",
        lane: Lane::Lab,
        run: config_checks::dashboards,
    },
    Stage {
        name: "unit",
        about: "systemd takes its unit, and finds the service well confined",
        lane: Lane::Lab,
        run: config_checks::unit,
    },
    Stage {
        name: "compose",
        about: "the compose file and the collector's configuration fit their schemas",
        lane: Lane::Lab,
        run: config_checks::compose,
    },
];

/// Prints the stages.
pub(crate) fn list() {
    for stage in STAGES {
        println!("{:<12} {}", stage.name, stage.about);
    }
}

/// Runs the named stages, or all; with `verdict`, the one that is named, in this process.
pub(crate) fn test(
    sh: &Shell,
    names: &[String],
    may_skip: &[String],
    verdict: Option<&Path>,
) -> Result<()> {
    for name in names.iter().chain(may_skip) {
        ensure!(
            STAGES.iter().any(|stage| stage.name == name),
            "no stage is called {name}; `cargo xtask test --list` tells which there are"
        );
    }
    let chosen: Vec<_> = STAGES
        .iter()
        .filter(|stage| names.is_empty() || names.iter().any(|name| name == stage.name))
        .collect();
    match (verdict, &chosen[..]) {
        (Some(verdict), [stage]) => runner::run_one(sh, stage, verdict),
        _ => runner::run(&chosen, may_skip),
    }
}
