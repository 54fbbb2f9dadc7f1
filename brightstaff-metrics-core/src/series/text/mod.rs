//! The two text formats, which differ in what stands around the samples.

mod numbers;

use std::io::{self, Write};

use self::numbers::{float, timestamp, unsigned};
use super::{Counter, Exemplar, Gauge, Histogram, LabelSet, Visitor};
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
    family: Option<Begun>,
    /// Whether it is told when series began.
    created: bool,
    /// The first error of the output, after which nothing is written.
    failed: Option<io::Error>,
}

/// The family whose children follow.
struct Begun {
    family: &'static Family,
    /// From its first child on: a family without children is left out.
    heads: Option<Heads>,
}

/// What the samples of a family begin with, up to and with the brace.
#[derive(Default)]
struct Heads {
    /// Its own name; of a histogram, that of its buckets.
    first: Vec<u8>,
    /// Of a histogram.
    sum: Vec<u8>,
    /// Of a histogram.
    count: Vec<u8>,
    created: Vec<u8>,
}

/// How much is handed on at a time, in bytes; a child more, where one does not fit. So little that an output that
/// copies it has it in memory by the time of the next: of 16 KiB it takes twice as long.
const PIECE_BYTES: usize = 1024;

/// Room for that child, if it is no larger than a histogram most often is.
const CHILD_BYTES: usize = 8 * 1024;

impl<'a> TextWriter<'a> {
    pub(crate) fn new(dialect: Dialect, out: &'a mut dyn Write) -> Self {
        Self {
            dialect,
            out,
            piece: Vec::with_capacity(PIECE_BYTES + CHILD_BYTES),
            family: None,
            created: false,
            failed: None,
        }
    }

    /// Nothing follows.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.dialect == Dialect::OpenMetrics {
            self.piece.extend_from_slice(b"# EOF\n");
        }
        self.hand_on(0);
        self.failed.map_or(Ok(()), Err)
    }

    #[inline]
    fn hand_on(&mut self, limit: usize) {
        if self.piece.len() > limit {
            self.hand_on_all();
        }
    }

    #[cold]
    fn hand_on_all(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(&self.piece).err();
        }
        self.piece.clear();
    }

    /// Where children are written: behind what stands before the first one of their family.
    #[inline]
    fn begin(&mut self) -> (&mut Vec<u8>, &Heads) {
        let begun = self.family.as_mut();
        let begun = begun.expect("children come after their family");
        let begin = || Heads::begin(begun.family, self.dialect, &mut self.piece);
        let heads = begun.heads.get_or_insert_with(begin);
        (&mut self.piece, heads)
    }

    #[inline]
    fn plain(&mut self, labels: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let (out, heads) = self.begin();
        sample(out, &heads.first, labels.as_bytes());
        write(out);
        out.push(b'\n');
        self.hand_on(PIECE_BYTES);
    }

    /// When a series began, behind its samples.
    #[inline]
    fn created(&mut self, labels: &LabelSet) {
        if self.created && self.dialect == Dialect::OpenMetrics {
            let (out, heads) = self.begin();
            sample(out, &heads.created, labels.as_str().as_bytes());
            timestamp(out, labels.created());
            out.push(b'\n');
        }
    }
}

/// Text that is there already, line by line what the format wants.
impl Write for TextWriter<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(text);
        self.hand_on(PIECE_BYTES);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Heads {
    /// Writes what stands before the first child.
    #[cold]
    fn begin(family: &Family, dialect: Dialect, out: &mut Vec<u8>) -> Self {
        let head = |suffix: &str| [family.name, suffix, "{"].concat().into();
        let stem = family.name.strip_suffix("_total").unwrap_or(family.name);
        let plain = Self {
            first: head(""),
            created: [stem, "_created{"].concat().into(),
            ..Self::default()
        };
        let (kind, heads) = match family.kind {
            Kind::Counter => ("counter", plain),
            Kind::Gauge => ("gauge", plain),
            Kind::Histogram(_) => {
                let heads = Self {
                    first: head("_bucket"),
                    sum: head("_sum"),
                    count: head("_count"),
                    ..plain
                };
                ("histogram", heads)
            }
        };
        header(out, dialect, family.name, family.help, kind);
        heads
    }
}

impl Visitor for TextWriter<'_> {
    fn created_samples(&mut self, wanted: bool) {
        self.created = wanted;
    }

    fn family(&mut self, family: &'static Family) {
        let heads = None;
        self.family = Some(Begun { family, heads });
    }

    fn counter(&mut self, counter: &Counter) {
        let value = counter.get();
        self.plain(counter.labels().as_str(), |out| unsigned(out, value));
        self.created(counter.labels());
    }

    fn gauge(&mut self, gauge: &Gauge) {
        let value = gauge.get();
        self.plain(gauge.labels().as_str(), |out| {
            if value < 0 {
                out.push(b'-');
            }
            unsigned(out, value.unsigned_abs());
        });
    }

    fn histogram(&mut self, histogram: &Histogram) {
        // In the other dialect they break the scrape.
        let exemplars = (self.dialect == Dialect::OpenMetrics).then(|| histogram.exemplars());
        let mut exemplars = exemplars.into_iter().flatten().peekable();
        let has_exemplars = exemplars.peek().is_some();
        let (out, heads) = self.begin();
        let labels = histogram.labels().as_str().as_bytes();
        let start = out.len();
        out.extend_from_slice(&heads.first);
        out.extend_from_slice(labels);
        if !labels.is_empty() {
            out.push(b',');
        }
        // All lines of buckets begin alike.
        let lead = start..out.len();
        let mut number = 0;
        let all = histogram.each_bucket(|le, count| {
            if count == 0 {
                out.extend_from_slice(le.zero_line());
            } else {
                out.extend_from_slice(le.line_head());
                unsigned(out, count);
                out.push(b'\n');
            }
            if has_exemplars && let Some((_, shown)) = exemplars.next_if(|(at, _)| *at == number) {
                out.pop();
                exemplar(out, &shown);
                out.push(b'\n');
            }
            number += 1;
            out.extend_from_within(lead.clone());
        });
        // That of one bucket more than there are.
        out.truncate(out.len() - lead.len());
        sample(out, &heads.sum, labels);
        numbers::sum(out, histogram.samples(), histogram.unit());
        out.push(b'\n');
        sample(out, &heads.count, labels);
        unsigned(out, all);
        out.push(b'\n');
        self.created(histogram.labels());
        self.hand_on(PIECE_BYTES);
    }

    fn reading(&mut self, value: f64) {
        self.plain("", |out| float(out, value));
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
    if dialect == Dialect::OpenMetrics
        && let Some(unit) = unit(name)
    {
        line("UNIT", unit);
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

/// A line up to its value, by what it begins with, the brace included.
#[inline]
fn sample(out: &mut Vec<u8>, head: &[u8], labels: &[u8]) {
    if labels.is_empty() {
        out.extend_from_slice(&head[..head.len() - 1]);
        out.push(b' ');
    } else {
        out.extend_from_slice(head);
        out.extend_from_slice(labels);
        out.extend_from_slice(b"} ");
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
