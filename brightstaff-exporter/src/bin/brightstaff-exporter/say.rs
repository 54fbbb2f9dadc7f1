//! Lines for whoever reads the standard output.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// `println!` without its panic where the reader is gone, as after `demo | head`: the work goes on, and
/// the exit code tells of it.
macro_rules! say {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($line)*);
    }};
}

/// `eprintln!` without its panic, for commands that may wait for their reader.
macro_rules! complain {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($line)*);
    }};
}

pub(crate) use {complain, say};

/// Prints what was made, unless its reader is gone.
pub(crate) fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to the standard output"),
    }
}

/// Says lines on a thread of its own: a reader who is stuck holds nothing else up.
pub(crate) fn say_aside(lines: String) {
    let thread = std::thread::Builder::new().name("say".to_owned());
    // Without a thread to be had, nobody would be served either.
    let _ = thread.spawn(move || say!("{lines}"));
}
