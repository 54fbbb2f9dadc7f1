//! Lines for whoever reads the standard output.

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

/// Says lines on a thread of its own: a reader who is stuck holds nothing else up.
pub(crate) fn say_aside(lines: String) {
    let thread = std::thread::Builder::new().name("say".to_owned());
    // Without a thread to be had, nobody would be served either.
    let _ = thread.spawn(move || say!("{lines}"));
}
