use std::collections::BTreeMap;

/// The samples of a scrape, by series as it stands in the exposition.
#[derive(Debug)]
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(crate) fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            (series.to_owned(), value.parse().expect("a number"))
        };
        Self(samples.map(sample).collect())
    }

    /// The sum of the series of this name, without its prefix, that have all of these labels:
    /// `http_requests_total{handler="llm_chat"}`.
    pub(crate) fn sum(&self, selector: &str) -> f64 {
        let (name, labels) = selector.split_once('{').unwrap_or((selector, "}"));
        let wanted: Vec<&str> = labels
            .trim_end_matches('}')
            .split(',')
            .filter(|label| !label.is_empty())
            .collect();
        let matching = self.0.iter().filter(|(series, _)| {
            let (found, labels) = series.split_once('{').unwrap_or((series, ""));
            found.trim_start_matches("brightstaff_") == name
                && wanted.iter().all(|label| labels.contains(label))
        });
        matching.map(|(_, value)| value).sum()
    }

    /// The value of exactly this series.
    pub(crate) fn of(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// Every series of which this is a part.
    pub(crate) fn naming(&self, part: &str) -> Vec<&str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(|series| series.contains(part)).collect()
    }
}
