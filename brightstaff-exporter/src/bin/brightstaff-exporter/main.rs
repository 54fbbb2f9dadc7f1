//! The gateway sidecar, and the tools around it: `brightstaff-exporter --help`.

// Their macros panic where nothing can be written: see `say`.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod address;
mod cli;
mod commands;
mod config;
mod demo;
mod exposition;
mod gateway;
mod inspect;
mod log;
mod say;
mod serve;
mod sim;
mod top;
mod usage;

use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use clap::CommandFactory;
use tracing::Level;

use crate::{
    cli::{Cli, Command},
    usage::UsageError,
};

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(told) => return tell(&told),
    };
    // What goes wrong in the demo is what it is about: its table tells. That of `top` is not to be written over.
    let level = match cli.command {
        Command::Demo(_) | Command::Top(_) => Level::ERROR,
        _ => Level::INFO,
    };
    if let Err(error) = log::start(level) {
        let _ = writeln!(io::stderr(), "error: cannot start the log: {error}");
        return ExitCode::FAILURE;
    }
    let ran = match cli.command {
        Command::Serve(options) => commands::serve(&options),
        Command::Inspect(options) => options.run(),
        Command::Demo(options) => demo::demo(&options),
        Command::Simulate(options) => commands::simulate(&options),
        Command::Top(options) => top::top(&options),
        Command::Completions(options) => options.run(Cli::command()),
        Command::Man(options) => options.run(Cli::command()),
    };
    match ran {
        Ok(()) => {
            log::end(None);
            ExitCode::SUCCESS
        }
        Err(error) => {
            log::end(Some(format_args!("error: {error:#}")));
            // As clap does where the command line itself is at fault.
            let usage = error.is::<UsageError>() || error.is::<config::ConfigError>();
            ExitCode::from(if usage { 2 } else { 1 })
        }
    }
}

/// What clap has to say: the help or the version, which someone may have wanted to read to their end, or
/// what is wrong with the command line.
fn tell(told: &clap::Error) -> ExitCode {
    let unwritten = told.print().and_then(|()| io::stdout().flush()).err();
    match (told.exit_code(), unwritten) {
        (0, Some(error)) if error.kind() != ErrorKind::BrokenPipe => ExitCode::FAILURE,
        (code, _) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
    }
}
