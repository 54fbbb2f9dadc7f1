//! What is pushed beside what is scraped, series by series.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};

use crate::api::{self, Labels};

/// The series of one source by their labels, names included, without those that tell the source.
pub(super) type All = BTreeMap<Labels, f64>;

/// What differs between two looks at the same process a moment apart.
const MOVING: [&str; 2] = ["process_", "brightstaff_otlp_exports_total"];

/// What a scrape adds to what is scraped, and a push to what is pushed.
const ADDED: [&str; 3] = ["up", "scrape_", "target_info"];

/// The series of a job, each from this instance.
pub(super) fn of_job(server: &str, job: &str, instance: &str) -> Result<All> {
    // Those that rules record have a colon in their names.
    let own = format!("{{job=\"{job}\",__name__!~\".*:.*|ALERTS.*\"}}");
    let returned = api::query(server, &own)?;
    let mut all = All::new();
    for (mut labels, value) in returned {
        labels.remove("job");
        let from = labels.remove("instance");
        ensure!(
            from.as_deref() == Some(instance),
            "{job}: {labels:?} is of instance {from:?}"
        );
        if let Some((labels, value)) = one(labels, value)? {
            let twice = all.insert(labels, value);
            ensure!(twice.is_none(), "{job}: one bucket under two names");
        }
    }
    ensure!(!all.is_empty(), "no series of job {job}");
    Ok(all)
}

/// A series with its bound as a number, which servers spell differently; nothing where it is not the gateway's.
pub(super) fn one(mut labels: Labels, value: f64) -> Result<Option<(Labels, f64)>> {
    let name = labels.get("__name__").context("a series has a name")?;
    if ADDED.iter().any(|added| name.starts_with(added)) {
        return Ok(None);
    }
    if let Some(le) = labels.get_mut("le") {
        *le = le.parse::<f64>()?.to_string();
    }
    // An empty value is no label.
    labels.retain(|_, value| !value.is_empty());
    Ok(Some((labels, value)))
}

/// Compares them; tells how many there are.
pub(super) fn same(scraped: &All, pushed: &All, receiver: &str) -> Result<usize> {
    for (labels, value) in scraped {
        let other = pushed.get(labels);
        let other = other.with_context(|| format!("{receiver} has no {labels:?}"))?;
        let is_moving = MOVING
            .iter()
            .any(|moving| labels["__name__"].starts_with(moving));
        ensure!(
            is_moving || other == value,
            "{receiver}: {labels:?}: {other}, and {value} where it is scraped"
        );
    }
    let stranger = pushed.keys().find(|labels| !scraped.contains_key(*labels));
    ensure!(
        stranger.is_none(),
        "{receiver} has {stranger:?}, which is not scraped"
    );
    Ok(scraped.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(pairs: &[(&str, &str)], value: f64) -> (Labels, f64) {
        let labels = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let one = one(labels.collect(), value).unwrap();
        one.expect("a series of the gateway")
    }

    #[test]
    fn a_missing_series_a_strange_one_and_another_value_are_seen() {
        let all = || {
            All::from([
                series(&[("__name__", "a_bucket"), ("le", "1.0")], 1.0),
                series(&[("__name__", "b"), ("empty", "")], 2.0),
                series(&[("__name__", "process_open_fds")], 9.0),
            ])
        };
        let pushed = All::from([
            series(&[("__name__", "a_bucket"), ("le", "1")], 1.0),
            series(&[("__name__", "b")], 2.0),
            series(&[("__name__", "process_open_fds")], 10.0),
        ]);
        assert_eq!(same(&all(), &pushed, "test").unwrap(), 3);
        let mut one_more = pushed.clone();
        one_more.extend([series(&[("__name__", "b_total")], 2.0)]);
        assert!(same(&all(), &one_more, "test").is_err());
        let mut another = pushed.clone();
        another.extend([series(&[("__name__", "b")], 3.0)]);
        assert!(same(&all(), &another, "test").is_err());
        let mut one_less = pushed;
        one_less.retain(|labels, _| labels["__name__"] != "process_open_fds");
        assert!(same(&all(), &one_less, "test").is_err());
    }
}
