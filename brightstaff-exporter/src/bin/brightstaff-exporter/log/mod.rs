//! The log: lines on standard error, which nothing in the process waits for, and the access log on standard output.
//!
//! Standard error belongs to someone else. Its disk may be full, its reader gone or stuck; all of that is
//! no reason for a request to wait or to fail. So nobody writes to it but one thread, behind a bounded
//! queue. `tracing-appender` is not taken for it: it tells of no gap, and prints with the macros that
//! panic where it cannot end in time.

pub(crate) mod access;
mod queue;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    env, fmt,
    io::{self, IsTerminal},
    panic::{self, PanicHookInfo},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use brightstaff_metrics_core::catalogue::LOG_LINES_DROPPED;
use prometheus::IntCounter;
use tracing::Level;
use tracing_subscriber::{EnvFilter, filter::Directive, fmt::MakeWriter};

use self::queue::Queue;

/// How many lines may wait to be written: with the longest line 16 MiB.
const LINES: usize = 1024;

/// How long the process waits at its end for lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Standard error is one for the whole process, and so is its queue.
static QUEUE: LazyLock<Queue> = LazyLock::new(|| {
    let family = &LOG_LINES_DROPPED;
    let dropped = IntCounter::new(family.name, family.help);
    Queue::new(LINES, dropped.expect("the catalogue holds valid names"))
});

/// Logs to standard error from here on, as `RUST_LOG` says, and else from this level on. Panics go the
/// same way.
///
/// # Errors
///
/// The system has no thread left.
pub(crate) fn start(level: Level) -> io::Result<()> {
    let writer = thread::Builder::new().name("log".to_owned());
    writer.spawn(|| QUEUE.write_to(io::stderr(), missing))?;
    panic::set_hook(Box::new(panicked));
    let wanted = env::var("RUST_LOG").unwrap_or_default();
    let (filter, unknown) = filter(level, &wanted);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines)
        .with_ansi(io::stderr().is_terminal())
        // They would be printed with `eprintln!`, which panics where it cannot.
        .log_internal_errors(false)
        .init();
    for directive in unknown {
        tracing::warn!(
            "RUST_LOG: {directive:?} is no directive, and not used: write for example info"
        );
    }
    Ok(())
}

/// The counter of lines that found no room: `brightstaff_log_lines_dropped_total`.
pub(crate) fn dropped() -> IntCounter {
    QUEUE.dropped.clone()
}

/// Ends the log, with one last line if there is one: waits for what can be written, for a second at most.
pub(crate) fn end(last_line: Option<fmt::Arguments<'_>>) {
    if let Some(line) = last_line {
        QUEUE.push_last(format!("{line}\n").into_bytes());
    }
    let end = Instant::now() + LAST_LINES;
    QUEUE.flush(LAST_LINES);
    access::flush(end.saturating_duration_since(Instant::now()));
}

/// Says that so many lines are missing here.
fn missing(count: u64) -> String {
    let lines = if count == 1 { "line was" } else { "lines were" };
    format!("{count} log {lines} dropped\n")
}

/// What is logged, and the directives that nobody understands. `EnvFilter`'s own lossy way prints those.
fn filter(level: Level, wanted: &str) -> (EnvFilter, Vec<&str>) {
    let directives = wanted.split(',').filter(|directive| !directive.is_empty());
    let (known, unknown): (Vec<_>, Vec<_>) =
        directives.partition(|directive| directive.parse::<Directive>().is_ok());
    let builder = EnvFilter::builder().with_default_directive(level.into());
    let filter = builder.parse(known.join(","));
    (filter.expect("each directive was parsed"), unknown)
}

/// Takes the place of the standard hook, which would wait for standard error.
fn panicked(info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let mut line = format!("thread '{name}' {info}\n");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        line += &format!("{backtrace}");
    }
    QUEUE.push(line.into_bytes());
}

/// Gives the lines of the subscriber to the queue.
#[derive(Clone, Copy, Debug)]
struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl io::Write for Lines {
    /// The subscriber writes an event at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        QUEUE.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_that_are_none_are_set_apart() {
        let (filter, unknown) = filter(Level::WARN, "debug,,hyper=info,a=b=c,x=loud");
        assert_eq!(unknown, ["a=b=c", "x=loud"]);
        let text = filter.to_string();
        assert!(
            text.contains("hyper=info") && text.contains("debug"),
            "{text}"
        );
        let (filter, unknown) = super::filter(Level::WARN, "");
        assert_eq!((filter.to_string().as_str(), unknown.len()), ("warn", 0));
    }
}
