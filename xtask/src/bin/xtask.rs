//! What `cargo xtask` starts: the demo at once, any other task once the tasks are built.
//!
//! Without a single dependency, so that the first numbers of a fresh clone wait for nothing but the gateway.

#![forbid(unsafe_code)]

use std::{
    env,
    process::{Command, ExitCode},
};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--manifest-path", MANIFEST]);
    if arguments.first().is_some_and(|task| task == "demo") {
        // Not quiet: the first time it builds for a minute or two, and says so.
        command.args(["--package", "brightstaff-exporter", "--"]);
    } else {
        command.args([
            "--quiet",
            "--package",
            "xtask",
            "--bin",
            "xtask-tasks",
            "--",
        ]);
    }
    command.args(arguments);
    run(command)
}

/// Becomes the command, so that signals and the exit code are its own.
#[cfg(unix)]
fn run(mut command: Command) -> ExitCode {
    failed(&std::os::unix::process::CommandExt::exec(&mut command))
}

/// Runs the command, and ends as it does.
#[cfg(not(unix))]
fn run(mut command: Command) -> ExitCode {
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

fn failed(error: &std::io::Error) -> ExitCode {
    eprintln!("error: cannot run cargo: {error}");
    ExitCode::FAILURE
}
