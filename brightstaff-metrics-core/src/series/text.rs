//! The two text formats, which differ in what stands around the samples.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::{Counter, Exemplar, Gauge, Histogram, Visitor};
use crate::catalogue::{Family, Kind};

/// Which of the text formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// [Version 0.0.4](https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
    Plain,
    /// [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/).
    OpenMetrics,
}

/// Writes series as text, piece by piece, without ever holding all of it.
pub(crate) struct TextWriter<'a> {
    dialect: Dialect,
    out: &'a mut dyn Write,
    piece: Vec<u8>,
    /// The family whose children follow, and whether anything was said of it: one without children is left out.
    family: Option<(&'static Family, bool)>,
    /// Whether it is told when series began.
    created: bool,
    /// The first error of the output, after which nothing is written.
    failed: Option<io::Error>,
}

/// How much is handed on at a time, in bytes; a line more, where one does not fit.
const PIECE_BYTES: usize = 16 * 1024;

impl<'a> TextWriter<'a> {
    pub(crate) fn new(dialect: Dialect, out: &'a mut dyn Write) -> Self {
        Self {
            dialect,
            out,
            piece: Vec::with_capacity(PIECE_BYTES + 1024),
            family: None,
            created: false,
            failed: None,
        }
    }

    /// Text that is there already, line by line what the format wants.
    pub(crate) fn ready(&mut self, text: &str) {
        self.piece.extend_from_slice(text.as_bytes());
        self.hand_on(PIECE_BYTES);
    }

    /// Nothing follows.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.dialect == Dialect::OpenMetrics {
            self.piece.extend_from_slice(b"# EOF\n");
        }
        self.hand_on(0);
        self.failed.map_or(Ok(()), Err)
    }

    fn hand_on(&mut self, limit: usize) {
        if self.piece.len() > limit {
            if self.failed.is_none() {
                self.failed = self.out.write_all(&self.piece).err();
            }
            self.piece.clear();
        }
    }

    /// What stands before the first child of a family.
    fn begin(&mut self) -> &'static Family {
        let (family, begun) = self.family.expect("children come after their family");
        if !begun {
            self.family = Some((family, true));
            self.hand_on(PIECE_BYTES);
            header(
                &mut self.piece,
                self.dialect,
                family.name,
                family.help,
                kind(family),
            );
        }
        family
    }

    /// When a series began, behind its samples.
    fn created(&mut self, family: &Family, labels: &str, at: Duration) {
        if self.created && self.dialect == Dialect::OpenMetrics {
            let stem = family.name.strip_suffix("_total").unwrap_or(family.name);
            sample(&mut self.piece, stem, "_created", labels);
            timestamp(&mut self.piece, at);
            self.piece.push(b'\n');
        }
    }

    fn integer(&mut self, labels: &str, write: impl FnOnce(&mut Vec<u8>)) -> &'static Family {
        let family = self.begin();
        sample(&mut self.piece, family.name, "", labels);
        write(&mut self.piece);
        self.piece.push(b'\n');
        self.hand_on(PIECE_BYTES);
        family
    }
}

impl Visitor for TextWriter<'_> {
    fn created_samples(&mut self, wanted: bool) {
        self.created = wanted;
    }

    fn family(&mut self, family: &'static Family) {
        self.family = Some((family, false));
    }

    fn counter(&mut self, counter: &Counter) {
        let value = counter.get();
        let labels = counter.labels().as_str();
        let family = self.integer(labels, |out| unsigned(out, value));
        self.created(family, labels, counter.created());
    }

    fn gauge(&mut self, gauge: &Gauge) {
        let value = gauge.get();
        self.integer(gauge.labels().as_str(), |out| {
            if value < 0 {
                out.push(b'-');
            }
            unsigned(out, value.unsigned_abs());
        });
    }

    fn histogram(&mut self, histogram: &Histogram) {
        let family = self.begin();
        let labels = histogram.labels().as_str();
        // In the other dialect they break the scrape.
        let exemplars = (self.dialect == Dialect::OpenMetrics).then(|| histogram.exemplars());
        let mut exemplars = exemplars.into_iter().flatten().peekable();
        let mut bucket = 0;
        let out = &mut self.piece;
        let count = histogram.each_bucket(|le, count| {
            out.extend_from_slice(family.name.as_bytes());
            out.extend_from_slice(b"_bucket{");
            out.extend_from_slice(labels.as_bytes());
            if !labels.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(b"le=\"");
            out.extend_from_slice(le.as_bytes());
            out.extend_from_slice(b"\"} ");
            unsigned(out, count);
            if let Some((_, shown)) = exemplars.next_if(|(at, _)| *at == bucket) {
                exemplar(out, &shown);
            }
            bucket += 1;
            out.push(b'\n');
        });
        sample(out, family.name, "_sum", labels);
        float(out, histogram.sum());
        out.push(b'\n');
        sample(out, family.name, "_count", labels);
        unsigned(out, count);
        out.push(b'\n');
        self.created(family, labels, histogram.created());
        self.hand_on(PIECE_BYTES);
    }

    fn reading(&mut self, value: f64) {
        self.integer("", |out| float(out, value));
    }
}

/// The lines that describe a family. In OpenMetrics the name of a counter's family lacks the `_total` of its
/// samples, and a unit is told where the name ends in one.
pub(crate) fn header(out: &mut Vec<u8>, dialect: Dialect, name: &str, help: &str, kind: &str) {
    let name = match dialect {
        Dialect::OpenMetrics if kind == "counter" => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    let mut line = |keyword: &str, text: &str| {
        for part in ["# ", keyword, " ", name, " ", text, "\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    };
    if !help.is_empty() {
        line("HELP", &escape_help(dialect, help));
    }
    line("TYPE", kind);
    if dialect == Dialect::OpenMetrics {
        if let Some(unit) = unit(name) {
            line("UNIT", unit);
        }
    }
}

/// The unit that the name of a family, without `_total`, ends in.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    let units = ["seconds", "bytes", "tokens"];
    units.into_iter().find(|unit| {
        let before = name.strip_suffix(unit);
        before.is_some_and(|before| before.ends_with('_'))
    })
}

fn escape_help(dialect: Dialect, help: &str) -> String {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    match dialect {
        Dialect::Plain => help,
        Dialect::OpenMetrics => help.replace('"', "\\\""),
    }
}

fn kind(family: &Family) -> &'static str {
    match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    }
}

/// A line up to its value.
fn sample(out: &mut Vec<u8>, name: &str, suffix: &str, labels: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(suffix.as_bytes());
    if !labels.is_empty() {
        out.push(b'{');
        out.extend_from_slice(labels.as_bytes());
        out.push(b'}');
    }
    out.push(b' ');
}

/// A sample of a bucket, and the trace that it came from, behind the line of the bucket.
fn exemplar(out: &mut Vec<u8>, exemplar: &Exemplar) {
    out.extend_from_slice(b" # {trace_id=\"");
    out.extend_from_slice(&exemplar.trace.trace_id());
    out.extend_from_slice(b"\",span_id=\"");
    out.extend_from_slice(&exemplar.trace.span_id());
    out.extend_from_slice(b"\"} ");
    float(out, exemplar.value);
    out.push(b' ');
    timestamp(out, exemplar.at);
}

/// Seconds since the Unix epoch, with milliseconds.
fn timestamp(out: &mut Vec<u8>, at: Duration) {
    unsigned(out, at.as_secs());
    // Writing to memory does not fail.
    let _ = write!(out, ".{:03}", at.subsec_millis());
}

/// As the library's encoder writes floats.
fn float(out: &mut Vec<u8>, value: f64) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

/// Digits from the last to the first: most numbers have few.
fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_library_writes_them() {
        for value in [0, 7, 10, 99, 100, 12_345, u64::from(u32::MAX), 1 << 53] {
            let mut out = Vec::new();
            unsigned(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
        let mut out = Vec::new();
        unsigned(&mut out, u64::MAX);
        assert_eq!(out, u64::MAX.to_string().as_bytes());
    }

    #[test]
    fn openmetrics_names_families_without_total_and_with_their_unit() {
        let mut out = Vec::new();
        header(
            &mut out,
            Dialect::OpenMetrics,
            "a_seconds_total",
            "Say \"a\"\\\n.",
            "counter",
        );
        header(&mut out, Dialect::OpenMetrics, "seconds", "", "gauge");
        header(
            &mut out,
            Dialect::Plain,
            "b_seconds_total",
            "Say \"b\"\\\n.",
            "counter",
        );
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "# HELP a_seconds Say \\\"a\\\"\\\\\\n.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n\
             # TYPE seconds gauge\n\
             # HELP b_seconds_total Say \"b\"\\\\\\n.\n# TYPE b_seconds_total counter\n"
        );
    }
}
