//! The tasks of this workspace: `cargo xtask --help`.

mod api;
mod bench;
mod cardinality;
mod code;
mod config_checks;
mod dead_links;
mod demo;
mod dependencies;
mod examples;
mod fuzz;
mod generate;
mod grafana;
mod http;
mod incidents;
mod kubernetes;
mod lab;
mod layout;
mod link;
mod links;
mod metrics_md;
mod monitoring_md;
mod newcomer;
mod npm;
mod packages;
mod page;
mod process;
mod promql;
mod proof;
mod readme;
mod render;
mod rules;
mod runner;
mod sdks;
mod sidecar;
mod soak;
mod stack;
mod stage;
mod stages;
mod unplotted;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use xshell::{Shell, cmd};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The tasks of brightstaff-metrics")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the gateway, simulated providers and a load, and compare the metrics with the truth
    Demo {
        /// Arguments of `brightstaff-exporter demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run every check: format, lints, tests, docs, licences, generated files
    Test {
        /// Run only these stages
        stages: Vec<String>,
        /// List the stages
        #[arg(long)]
        list: bool,
        /// A stage that CI lets be skipped, as often as needed
        #[arg(long, value_name = "STAGE")]
        may_skip: Vec<String>,
        /// Run one stage in this process, and leave its verdict in this file
        #[arg(long, hide = true, value_name = "FILE")]
        verdict: Option<PathBuf>,
    },
    /// Run what CI runs: installs the tools that the checks need, and lets none be skipped
    Ci,
    /// Rewrite the golden files from what the tests see
    Bless {
        /// Write anew what is not a matter of right and wrong: the instructions that each thing takes
        what: Option<Blessing>,
    },
    /// Write the files that are generated from the catalogue
    Generate {
        /// Write nothing; fail where a file is not up to date
        #[arg(long)]
        check: bool,
    },
    /// Prometheus and Grafana with the shipped dashboard
    #[command(subcommand)]
    Grafana(Grafana),
    /// Draw the exporter's live page before a demo
    Page(page::Options),
    /// The series that replicas cost, from the catalogue: per replica, and in Prometheus
    Cardinality(cardinality::Options),
    /// Check bans, licences and sources of the dependencies, and record that this lock file has passed
    Deny,
    /// The gateway under a mixed load of faults, and what is counted and left of it at the end
    Soak(soak::Options),
    /// Play the incidents of docs/monitoring.md before a real Prometheus, and see which alerts fire
    Incidents(incidents::Options),
    /// Fuzz the meter, from recorded responses on
    Fuzz(fuzz::Options),
    /// What the sidecar costs beside a pass-through that measures nothing
    BenchSidecar(sidecar::Options),
    /// Measure every row of BENCHMARKS.md beside its peers, and write the page
    Bench(bench::Options),
}

#[derive(Clone, Copy, ValueEnum)]
enum Blessing {
    Instructions,
}

#[derive(Subcommand)]
enum Grafana {
    /// Write the dashboards and the rules
    Generate {
        /// Write nothing; fail where a file is not up to date
        #[arg(long)]
        check: bool,
    },
    /// Draw the dashboard on Grafana's own components, and fail where it cannot be read
    Render(render::Options),
    #[command(flatten)]
    Stack(stack::Task),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Without the backtrace that the environment may ask for: it tells a user nothing.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let sh = Shell::new()?;
    sh.change_dir(workspace::root());
    std::env::set_current_dir(workspace::root())?;
    match cli.task {
        Task::Demo { args } => cmd!(sh, "cargo xtask demo {args...}").quiet().run()?,
        Task::Test { list: true, .. } => stages::list(),
        Task::Test {
            stages,
            may_skip,
            verdict,
            ..
        } => stages::test(&sh, &stages, &may_skip, verdict.as_deref())?,
        Task::Ci => cmd!(sh, "bash .ci/run").env("CI", "true").quiet().run()?,
        Task::Bless {
            what: Some(Blessing::Instructions),
        } => bench::instructions::bless(&sh)?,
        Task::Bless { what: None } => {
            generate::all(&sh, false)?;
            // Goldens are core's; its driver alone writes those of the contract.
            cmd!(sh, "cargo test -p brightstaff-metrics-core --tests --quiet")
                .env("UPDATE_EXPECT", "1")
                .quiet()
                .run()?;
        }
        Task::Generate { check } => generate::all(&sh, check)?,
        Task::Grafana(Grafana::Generate { check }) => {
            generate::rules(&sh, check)?;
            generate::dashboards(&sh, check)?;
        }
        Task::Grafana(Grafana::Render(options)) => render::run(&sh, &options)?,
        Task::Grafana(Grafana::Stack(task)) => stack::run(&task)?,
        Task::Page(options) => page::draw(&sh, &options)?,
        Task::Deny => dependencies::record(&sh)?,
        Task::Cardinality(options) => cardinality::run(&sh, &options)?,
        Task::Soak(options) => soak::run(&sh, &options)?,
        Task::Incidents(options) => incidents::run(&sh, &options)?,
        Task::Fuzz(options) => fuzz::run(&sh, &options)?,
        Task::BenchSidecar(options) => sidecar::run(&sh, &options)?,
        Task::Bench(options) => bench::run(&sh, &options)?,
    }
    Ok(())
}
