//! The commands and their options.

use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue, Error, ErrorKind},
};

use crate::{
    commands::{Completions, Man, Serve, Simulate},
    demo::Demo,
    inspect::Inspect,
    top::Top,
};

/// Prometheus metrics that tell the truth about LLM traffic.
#[derive(Debug, Parser)]
#[command(version = env!("BRIGHTSTAFF_VERSION"), arg_required_else_help = true)]
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
    /// Read recorded responses of providers, and tell what the metrics would say of each.
    Inspect(Inspect),
    /// Show in a terminal what a gateway does: providers and models, warnings, rates.
    Top(Top),
    /// Run the gateway between simulated providers and a load, and compare truth with metrics.
    Demo(Demo),
    /// Run simulated providers alone, for any client or gateway.
    Simulate(Simulate),
    /// Write completions for a shell.
    Completions(Completions),
    /// Write the manual pages.
    Man(Man),
}
