//! Lines for whoever reads the standard output.

/// `println!` without its panic where the reader is gone, as after `demo | head`: the work goes on, and
/// the exit code tells of it.
macro_rules! say {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($line)*);
    }};
}

pub(crate) use say;
