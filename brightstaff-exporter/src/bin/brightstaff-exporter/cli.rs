//! The commands and their options.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args, Parser, Subcommand,
    error::{ContextKind, ContextValue, Error, ErrorKind},
};

use crate::{
    address::{Listen, Scrapers},
    commands::Simulate,
    config::duration,
    demo::Demo,
    inspect::Inspect,
};

/// Prometheus metrics that tell the truth about LLM traffic.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line. Where it cannot be read, or asks for help, the error is what to print.
    pub(crate) fn read() -> Result<Self, Error> {
        Self::try_parse().map_err(without_values)
    }
}

/// What is wrong with a command line, without repeating what was given: the value of an option or what is
/// no option at all may be a URL with its key. Which option it is about stays.
fn without_values(mut error: Error) -> Error {
    let is_option = error.kind() != ErrorKind::UnknownArgument;
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ] {
        let given = matches!(error.get(kind), Some(ContextValue::String(text)) if !text.is_empty());
        if given && !(is_option && kind == ContextKind::InvalidArg) {
            error.insert(kind, ContextValue::String("...".to_owned()));
        }
    }
    // How to write the same argument as a value.
    error.remove(ContextKind::Suggested);
    error
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Forward requests for LLM APIs to their providers, and measure them.
    Serve(Serve),
    /// Read recorded answers of providers, and tell what the metrics would say of each.
    Inspect(Inspect),
    /// Run the gateway between simulated providers and a load, and compare truth with metrics.
    Demo(Demo),
    /// Run simulated providers alone, for any client or gateway.
    Simulate(Simulate),
}

#[derive(Args, Debug)]
#[command(after_help = SERVE_HELP)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) source: Source,

    #[command(flatten)]
    pub(crate) listen: Listen,

    #[command(flatten)]
    pub(crate) scrapers: Scrapers,

    /// How long answers in flight may go on after SIGTERM or Ctrl-C; a second signal ends them at once.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    pub(crate) drain: Duration,

    /// Check the configuration and the keys that it names, and stop.
    #[arg(long)]
    pub(crate) check: bool,
}

/// What to forward to.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Source {
    /// The configuration: providers, their keys and models, agents, routes.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// A provider and its URL, as often as needed: openai=https://api.openai.com
    #[arg(long = "upstream", value_name = "NAME=URL")]
    pub(crate) upstreams: Vec<String>,
}

const SERVE_HELP: &str = "\
Examples:
  brightstaff-exporter serve --upstream openai=https://api.openai.com
  brightstaff-exporter serve --config gateway.toml --check

With one --upstream every model goes there; with several, clients write provider/model.
Clients' own keys pass to the provider unless the configuration names one (api_key_env); then it should
say, too, which clients may use it (client_tokens_env, cors_origins, allowed_hosts).
RUST_LOG sets what is logged (info, debug, brightstaff_exporter=debug, ...).";
