//! The gateway sidecar, and the tools around it: `brightstaff-exporter --help`.

mod address;
mod cli;
mod commands;
mod config;
mod demo;
mod gateway;
mod inspect;
mod say;
mod serve;
mod sim;

use std::{io::IsTerminal, process::ExitCode};

use tracing::Level;
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Cli, Command},
    commands::UsageError,
};

fn main() -> ExitCode {
    let cli = Cli::read();
    // What goes wrong in the demo is what it is about: its table tells.
    log(match cli.command {
        Command::Demo(_) => Level::ERROR,
        _ => Level::INFO,
    });
    let ran = match cli.command {
        Command::Serve(options) => commands::serve(&options),
        Command::Inspect(options) => options.run(),
        Command::Demo(options) => demo::demo(&options),
        Command::Simulate(options) => commands::simulate(&options),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            // As clap does where the command line itself is at fault.
            let usage = error.is::<UsageError>() || error.is::<config::ConfigError>();
            ExitCode::from(if usage { 2 } else { 1 })
        }
    }
}

/// Logs to standard error, as `RUST_LOG` says, and else from this level on.
fn log(level: Level) {
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
