//! `inspect`: what the meter reads in recorded responses, for people who ask why their tokens are missing.

mod record;
mod report;
mod table;

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use brightstaff_metrics_core::meter::Meter;
use clap::Args;

use self::{record::Record, report::Report, table::Table};
use crate::say::complain;

/// How many bytes are fed at a time unless told otherwise. Any number gives the same result.
const CHUNK: NonZeroUsize = NonZeroUsize::new(64 * 1024).unwrap();

/// What to read, and how.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Recorded response bodies; `-` is the standard input
    #[arg(value_name = "FILE", default_value = "-", conflicts_with = "jsonl")]
    files: Vec<PathBuf>,

    /// The Content-Type of the responses; recognised from their content where not given
    #[arg(long, value_name = "TYPE", conflicts_with = "jsonl")]
    content_type: Option<String>,

    /// The Content-Encoding of the responses: gzip, deflate, br or zstd
    #[arg(long, value_name = "ENCODING", conflicts_with = "jsonl")]
    content_encoding: Option<String>,

    /// The status code of the responses
    #[arg(long, value_name = "CODE", default_value_t = 200, conflicts_with = "jsonl",
          value_parser = clap::value_parser!(u16).range(100..=999))]
    status: u16,

    /// Feed this many bytes at a time, which may change nothing
    #[arg(long, value_name = "BYTES", default_value_t = CHUNK)]
    chunk: NonZeroUsize,

    /// Read a file of records instead, one JSON object a line: `id`, `status`, `content_type`,
    /// `content_encoding`, `body_b64`
    #[arg(long, value_name = "CORPUS")]
    jsonl: Option<PathBuf>,

    /// Print one JSON object a line, on a terminal too
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Prints one report for each response, in the order in which they were given.
    ///
    /// A response that cannot be read from its file does not keep the others from being reported. Where
    /// nobody reads the reports any more, as after `inspect | head`, there is no more to do.
    pub(crate) fn run(&self) -> Result<()> {
        let mut out = Output::new(self.json);
        let read = match &self.jsonl {
            Some(corpus) => self.records(corpus, &mut out),
            None => self.answers(&mut out),
        };
        let unread = match read.and_then(|unread| out.finish().map(|()| unread)) {
            Err(error) if error.is::<ReaderGone>() => return Ok(()),
            read => read?,
        };
        if unread > 0 {
            bail!("{unread} could not be read");
        }
        Ok(())
    }

    fn answers(&self, out: &mut Output) -> Result<usize> {
        let mut unread = 0;
        for path in &self.files {
            let meter = Meter::new(
                self.content_type.as_deref(),
                self.content_encoding.as_deref(),
            );
            match open(path).and_then(|file| self.feed(meter, file)) {
                Ok(meter) => {
                    let file = path.display().to_string();
                    out.push(&Report::of_file(file, self.status, meter.facts()))?;
                }
                Err(error) => {
                    unread += 1;
                    complain!("error: cannot read {}: {error}", path.display());
                }
            }
        }
        Ok(unread)
    }

    fn records(&self, corpus: &Path, out: &mut Output) -> Result<usize> {
        let cannot = || format!("cannot read {}", corpus.display());
        let lines = BufReader::new(open(corpus).with_context(cannot)?).lines();
        let mut unread = 0;
        for (number, line) in (1..).zip(lines) {
            let line = line.with_context(cannot)?;
            if line.trim().is_empty() {
                continue;
            }
            match Record::parse(&line) {
                Ok(record) => {
                    let meter = Meter::new(
                        record.content_type.as_deref(),
                        record.content_encoding.as_deref(),
                    );
                    let meter = self.feed(meter, &*record.body)?;
                    out.push(&Report::of_record(record.id, record.status, meter.facts()))?;
                }
                Err(error) => {
                    unread += 1;
                    complain!("error: {}, line {number}: {error:#}", corpus.display());
                }
            }
        }
        Ok(unread)
    }

    /// Feeds a whole body, in chunks of exactly the size that was asked for.
    fn feed(&self, mut meter: Meter, mut body: impl Read) -> io::Result<Meter> {
        let size = self.chunk.get();
        let mut chunk = Vec::with_capacity(size.min(CHUNK.get()));
        loop {
            chunk.clear();
            body.by_ref().take(size as u64).read_to_end(&mut chunk)?;
            if chunk.is_empty() {
                meter.finish();
                return Ok(meter);
            }
            meter.push(&chunk);
        }
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path)?))
    })
}

/// JSON as it comes, or a table at the end.
enum Output {
    Json(io::StdoutLock<'static>),
    Table(Table),
}

impl Output {
    fn new(json: bool) -> Self {
        let stdout = io::stdout();
        if json || !stdout.is_terminal() {
            Self::Json(stdout.lock())
        } else {
            Self::Table(Table::new())
        }
    }

    fn push(&mut self, report: &Report) -> Result<()> {
        match self {
            Self::Json(out) => {
                let line = serde_json::to_string(report)?;
                writeln!(out, "{line}").or_else(unwritten)
            }
            Self::Table(table) => {
                table.push(report);
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<()> {
        let written = match self {
            Self::Json(mut out) => out.flush(),
            Self::Table(table) => write!(io::stdout().lock(), "{table}"),
        };
        written.or_else(unwritten)
    }
}

/// Nobody reads the standard output any more.
#[derive(Debug)]
struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the standard output")
    }
}

impl std::error::Error for ReaderGone {}

fn unwritten(error: io::Error) -> Result<()> {
    if error.kind() == ErrorKind::BrokenPipe {
        bail!(ReaderGone);
    }
    Err(error).context("cannot write to the standard output")
}
