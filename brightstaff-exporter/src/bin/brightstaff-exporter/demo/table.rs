//! The report as people read it.

use std::fmt;

use super::{
    report::{Compared, Line, Report, float, mean},
    truth::Value,
};

/// Prints a report: a line for each family, with the series that differ under it, or all of them.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) report: &'a Report,
    pub(super) verbose: bool,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, series, truth, measured) = ("family", "series", "truth", "measured");
        writeln!(f, "  {name:<49} {series:>6} {truth:>17} {measured:>10}")?;
        for family in &self.report.families {
            self.family(f, family)?;
        }
        for stranger in &self.report.strangers {
            writeln!(f, "✗ {stranger}: nothing is known of it")?;
        }
        Ok(())
    }
}

impl Table<'_> {
    fn family(&self, f: &mut fmt::Formatter<'_>, compared: &Compared) -> fmt::Result {
        let total = Total::of(&compared.lines);
        let name = compared.family.name;
        let (series, truth, count) = (compared.lines.len(), total.truth, total.count);
        let agrees = mark(compared.agrees());
        writeln!(f, "{agrees} {name:<49} {series:>6} {truth:>17} {count:>10}")?;
        if total.timed {
            let (least, most) = (total.mean(total.least), total.mean(total.most));
            let bounds = format!("{least:.4}..{most:.4}");
            let measured = mean(total.sum, total.count);
            writeln!(
                f,
                "    {:<54} {bounds:>17} {measured:>10.4}",
                "mean, seconds"
            )?;
        }
        for line in &compared.lines {
            if self.verbose || !line.agrees() {
                writeln!(f, "    {} {}", mark(line.agrees()), Row(line))?;
            }
        }
        Ok(())
    }
}

fn mark(agrees: bool) -> char {
    if agrees { '✓' } else { '✗' }
}

/// All series of a family together.
#[derive(Default)]
struct Total {
    truth: u64,
    least: f64,
    most: f64,
    timed: bool,
    count: f64,
    sum: f64,
}

impl Total {
    fn of(lines: &[Line]) -> Self {
        let mut total = Self::default();
        for line in lines {
            total.count += line.count;
            total.sum += line.sum;
            total.truth += line.truth.map_or(0, Value::count);
            if let Some(Value::Times { least, most, .. }) = line.truth {
                total.timed = true;
                total.least += least;
                total.most += most;
            }
        }
        total
    }

    fn mean(&self, sum: f64) -> f64 {
        mean(sum, float(self.truth))
    }
}

/// One series on a line.
struct Row<'a>(&'a Line);

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line {
            labels,
            truth,
            count,
            sum,
        } = self.0;
        write!(f, "{labels} truth ")?;
        match truth {
            None => write!(f, "0, measured {count}"),
            Some(Value::Count(truth)) => write!(f, "{truth}, measured {count}"),
            Some(Value::Sizes {
                count: truth,
                sum: size,
            }) => {
                write!(f, "{truth} of {size}, measured {count} of {sum}")
            }
            Some(Value::Times {
                count: truth,
                least,
                most,
            }) => {
                let of = |sum: f64| mean(sum, float(*truth));
                let measured = mean(*sum, *count);
                write!(
                    f,
                    "{truth} of {:.4}..{:.4} s, measured {count} of {measured:.4} s",
                    of(*least),
                    of(*most),
                )
            }
        }
    }
}
