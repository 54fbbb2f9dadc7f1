//! The access log: one line a request on standard output, written at its end, with the values that its metrics recorded.
//!
//! Nothing waits for it. Where nobody takes its lines in time, they are dropped, counted with those of the log, and the
//! next that is written tells how many are missing.

mod fields;
mod line;

use std::{
    io,
    sync::{Arc, LazyLock, OnceLock},
    thread,
    time::Duration,
};

use clap::ValueEnum;

pub(crate) use self::line::Line;
use super::{dropped, queue::Queue};

/// How many lines may wait to be written: four times those of the log, since requests may end all at once.
const LINES: usize = 4096;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// An object of JSON, with all fields in each line.
    Json,
    /// `key=value`, without the fields that a request has not.
    Text,
    /// No access log.
    Off,
}

/// Standard output is one for the whole process, and so is its queue.
static QUEUE: LazyLock<Queue> = LazyLock::new(|| Queue::new(LINES, dropped()));

/// Set once, if there is an access log.
static FORMAT: OnceLock<Format> = OnceLock::new();

/// Writes the lines of all requests from here on.
///
/// # Errors
///
/// The system has no thread left.
pub(crate) fn start(format: Format) -> io::Result<()> {
    if format == Format::Off || FORMAT.set(format).is_err() {
        return Ok(());
    }
    let missing = move |count| fields::missing(format, count);
    let writer = thread::Builder::new().name("access-log".to_owned());
    writer.spawn(move || QUEUE.write_to(io::stdout(), missing))?;
    Ok(())
}

/// The line of a request that arrives, with its id and its path where it has them, if there is an access log.
pub(crate) fn line(asked: Option<(&str, &str)>) -> Option<Arc<Line>> {
    let format = *FORMAT.get()?;
    Some(Arc::new(Line::new(format, asked)))
}

/// Waits for what can be written, for so long at most.
pub(super) fn flush(patience: Duration) {
    if FORMAT.get().is_some() {
        QUEUE.flush(patience);
    }
}
