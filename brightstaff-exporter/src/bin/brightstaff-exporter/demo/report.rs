//! Truth against measured.

use brightstaff_metrics_core::catalogue::{self, Family, Kind};

use super::{
    scrape::Scrape,
    truth::{Truth, Value},
};
use crate::exposition::Labels;

/// How far a mean may lie outside of its bounds: 5 ms and one percent. The bounds hold by cause and
/// effect, but each of them is read a moment before or after what it stands for, and on a machine with
/// more to do than cores, another thread may run in that moment.
const MEAN_SECONDS: f64 = 0.005;
const MEAN_SHARE: f64 = 0.01;

/// The same for people.
pub(super) const TOLERANCE: &str = "5 ms and 1 % outside of what provider and client saw";

/// What the process and the build say of themselves, which nobody else knows.
const OF_ITSELF: [&str; 3] = [
    catalogue::BUILD_INFO.name,
    catalogue::OTLP_EXPORTS.name,
    catalogue::LOG_LINES_DROPPED.name,
];

/// What came of the comparison.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) families: Vec<Compared>,
    /// Families in the scrape that no truth is known of.
    pub(crate) strangers: Vec<String>,
}

/// One family.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) family: &'static Family,
    pub(crate) lines: Vec<Line>,
}

/// One series.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) labels: Labels,
    /// None where the truth knows of no such series, which then must have counted nothing.
    pub(crate) truth: Option<Value>,
    /// The count, or that of the samples.
    pub(crate) count: f64,
    /// The sum of the samples.
    pub(crate) sum: f64,
}

impl Line {
    /// Whether the two agree.
    pub(crate) fn agrees(&self) -> bool {
        let Some(truth) = self.truth else {
            return self.count == 0.0;
        };
        if !equal(self.count, truth.count()) {
            return false;
        }
        match truth {
            Value::Count(_) => true,
            Value::Sizes { sum, .. } => equal(self.sum, sum),
            Value::Times { count, least, most } => {
                let (least, most) = mean_bounds(count, least, most);
                let mean = mean(self.sum, self.count);
                (least..=most).contains(&mean)
            }
        }
    }
}

/// The mean, and 0 where there is nothing.
pub(crate) fn mean(sum: f64, count: f64) -> f64 {
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Between what the measured mean has to lie.
fn mean_bounds(count: u64, least: f64, most: f64) -> (f64, f64) {
    let count = float(count);
    let (least, most) = (mean(least, count), mean(most, count));
    (
        least - MEAN_SECONDS - least * MEAN_SHARE,
        most + MEAN_SECONDS + most * MEAN_SHARE,
    )
}

/// Counts are far below 2^52.
#[expect(clippy::cast_precision_loss)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// A count is exact, so what is read must be that very number.
fn equal(measured: f64, truth: u64) -> bool {
    measured.to_bits() == float(truth).to_bits()
}

impl Report {
    /// Compares every family of the catalogue, and every series of either side.
    pub(crate) fn of(truth: &Truth, scrape: &Scrape) -> Self {
        let known = catalogue::ALL.iter().copied();
        let compared = known.clone().filter(|family| {
            !family.name.starts_with("process_") && !OF_ITSELF.contains(&family.name)
        });
        let families = compared.map(|family| Compared::of(family, truth, scrape));
        let strangers = scrape.names().filter(|name| {
            let base = ["_bucket", "_count", "_sum"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name);
            !known
                .clone()
                .any(|family| [*name, base].contains(&family.name))
        });
        Self {
            families: families.collect(),
            strangers: strangers.map(str::to_owned).collect(),
        }
    }

    /// Whether all agrees.
    pub(crate) fn agrees(&self) -> bool {
        self.strangers.is_empty() && self.families.iter().all(Compared::agrees)
    }

    /// How many means are so loosely bound that they prove little: the upper bound is more than half as
    /// much again as the lower one, by more than a little.
    pub(crate) fn loose(&self) -> usize {
        let lines = self.families.iter().flat_map(|family| &family.lines);
        let loose = lines.filter(|line| match line.truth {
            Some(Value::Times { count, least, most }) => {
                let (least, most) = (mean(least, float(count)), mean(most, float(count)));
                most > 1.5 * least + 10.0 * MEAN_SECONDS
            }
            _ => false,
        });
        loose.count()
    }

    /// How many series were compared, and how many of them differ.
    pub(crate) fn series(&self) -> (usize, usize) {
        let lines = || self.families.iter().flat_map(|family| &family.lines);
        (
            lines().count(),
            lines().filter(|line| !line.agrees()).count(),
        )
    }
}

impl Compared {
    fn of(family: &'static Family, truth: &Truth, scrape: &Scrape) -> Self {
        let histogram = matches!(family.kind, Kind::Histogram(_));
        let (count, sum) = if histogram {
            (
                format!("{}_count", family.name),
                format!("{}_sum", family.name),
            )
        } else {
            (family.name.to_owned(), String::new())
        };
        let mut labels: Vec<&Labels> = truth
            .series(family.name)
            .map(|(labels, _)| labels)
            .collect();
        labels.extend(scrape.samples(&count).map(|(labels, _)| labels));
        labels.sort_unstable();
        labels.dedup();
        let lines = labels.into_iter().map(|labels| Line {
            labels: labels.clone(),
            truth: truth.get(family.name, labels),
            count: scrape.value(&count, labels),
            sum: scrape.value(&sum, labels),
        });
        Self {
            family,
            lines: lines.collect(),
        }
    }

    pub(crate) fn agrees(&self) -> bool {
        self.lines.iter().all(Line::agrees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
brightstaff_http_requests_total{handler=\"llm_chat\",method=\"POST\",status_class=\"2xx\"} 3
brightstaff_http_in_flight_requests{handler=\"llm_chat\"} 0
brightstaff_http_request_duration_seconds_count{handler=\"llm_chat\"} 3
brightstaff_http_request_duration_seconds_sum{handler=\"llm_chat\"} 1.5
brightstaff_llm_request_tokens_count{provider=\"openai\",model=\"m\",kind=\"prompt\"} 2
brightstaff_llm_request_tokens_sum{provider=\"openai\",model=\"m\",kind=\"prompt\"} 40
brightstaff_build_info{version=\"1\",git_sha=\"2\"} 1
process_open_fds 9
";

    fn truth() -> Truth {
        use catalogue as c;
        let mut truth = Truth::default();
        let chat = [("handler", "llm_chat")];
        let requests = [
            ("handler", "llm_chat"),
            ("method", "POST"),
            ("status_class", "2xx"),
        ];
        truth.add(c::HTTP_REQUESTS.name, requests, Value::Count(3));
        truth.add(c::HTTP_IN_FLIGHT.name, chat, Value::Count(0));
        let (count, least, most) = (3, 1.4, 1.6);
        let times = Value::Times { count, least, most };
        truth.add(c::HTTP_REQUEST_DURATION.name, chat, times);
        let prompt = [("provider", "openai"), ("model", "m"), ("kind", "prompt")];
        let sizes = Value::Sizes { count: 2, sum: 40 };
        truth.add(c::REQUEST_TOKENS.name, prompt, sizes);
        truth
    }

    fn differing(truth: &Truth, text: &str) -> Vec<&'static str> {
        let report = Report::of(truth, &Scrape::parse(text).unwrap());
        let differing = report.families.iter().filter(|family| !family.agrees());
        let names: Vec<_> = differing.map(|family| family.family.name).collect();
        assert_eq!(
            report.agrees(),
            names.is_empty() && report.strangers.is_empty()
        );
        names
    }

    #[test]
    fn what_is_true_agrees() {
        assert_eq!(differing(&truth(), TEXT), [""; 0]);
    }

    #[test]
    fn a_wrong_count_differs() {
        for (right, wrong, family) in [
            ("\"2xx\"} 3", "\"2xx\"} 4", catalogue::HTTP_REQUESTS.name),
            ("\"2xx\"} 3", "\"4xx\"} 3", catalogue::HTTP_REQUESTS.name),
            (
                "requests{handler=\"llm_chat\"} 0",
                "requests{handler=\"llm_chat\"} 1",
                catalogue::HTTP_IN_FLIGHT.name,
            ),
            (
                "count{handler=\"llm_chat\"} 3",
                "count{handler=\"llm_chat\"} 4",
                catalogue::HTTP_REQUEST_DURATION.name,
            ),
            ("} 1.5", "} 1.9", catalogue::HTTP_REQUEST_DURATION.name),
            ("} 1.5", "} 1.1", catalogue::HTTP_REQUEST_DURATION.name),
            ("} 40", "} 41", catalogue::REQUEST_TOKENS.name),
        ] {
            assert!(TEXT.contains(right), "{right}");
            let text = TEXT.replace(right, wrong);
            assert_eq!(differing(&truth(), &text), [family], "{wrong}");
        }
    }

    #[test]
    fn a_falsified_truth_differs() {
        let mut truth = truth();
        let more = [("label", "upstream")];
        truth.add(catalogue::LABEL_OVERFLOW.name, more, Value::Count(1));
        assert_eq!(differing(&truth, TEXT), [catalogue::LABEL_OVERFLOW.name]);
    }

    #[test]
    fn what_nobody_knows_of_differs() {
        let text = format!("{TEXT}brightstaff_surprises_total 1\n");
        let report = Report::of(&truth(), &Scrape::parse(&text).unwrap());
        assert_eq!(report.strangers, ["brightstaff_surprises_total"]);
        assert!(!report.agrees());
        let counted = "brightstaff_metrics_label_overflow_total{label=\"handler\"} 2\n";
        let text = format!("{TEXT}{counted}");
        assert_eq!(differing(&truth(), &text), [catalogue::LABEL_OVERFLOW.name]);
    }
}
