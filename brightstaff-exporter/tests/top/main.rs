//! `top`, as a user runs it: over real sockets, in files, and on a terminal.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

mod access;
mod once;
#[cfg(unix)]
mod terminal;

mod server;

use std::process::Command;

/// `top` of this URL. The machine's own settings have no say.
fn top(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brightstaff-exporter"));
    command
        .args(["top", url])
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color");
    command
}
