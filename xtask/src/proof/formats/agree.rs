//! Counts and sums, to the last digit.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use brightstaff_metrics_core::catalogue::{self, Family, Kind};

use super::told::Told;
use crate::api::{self, Labels};

/// The series of a job, without the labels that Prometheus adds.
pub(in crate::proof) type All = BTreeMap<Labels, f64>;

/// All of a job but native histograms, which a query returns in a form of their own.
fn series(server: &str, job: &str) -> Result<All> {
    let names = "brightstaff_.+_(total|bucket|sum|count|requests|in_flight|info)";
    let returned = api::query(server, &format!("{{job=\"{job}\",__name__=~\"{names}\"}}"))?;
    returned
        .into_iter()
        .map(|(mut labels, value)| {
            own(&mut labels);
            // What is one bound has several spellings.
            if let Some(le) = labels.get_mut("le") {
                *le = le.parse::<f64>()?.to_string();
            }
            Ok((labels, value))
        })
        .collect()
}

fn own(labels: &mut Labels) {
    labels.remove("job");
    labels.remove("instance");
}

/// Compares the jobs with the truth and with each other; tells how many values of the truth there are, and how many
/// series.
pub(super) fn formats(server: &str, jobs: &[&str], told: &Told) -> Result<(usize, usize)> {
    let mut first: Option<All> = None;
    let mut values = 0;
    for job in jobs {
        let all = series(server, job)?;
        values = with_truth(&all, told).with_context(|| format!("job {job}"))?;
        let Some(first) = &first else {
            first = Some(all);
            continue;
        };
        for (labels, value) in first {
            let other = all.get(labels);
            ensure!(
                other == Some(value),
                "{job}: {labels:?}: {other:?}, and {value} as {}",
                jobs[0]
            );
        }
        ensure!(
            all.len() == first.len(),
            "{job} has series that {} has not",
            jobs[0]
        );
    }
    Ok((values, first.map_or(0, |first| first.len())))
}

/// Compares the series with the truth; tells how many values it has.
pub(in crate::proof) fn with_truth(all: &All, told: &Told) -> Result<usize> {
    let mut values = 0;
    let mut check = |name: String, labels: &Labels, truth: f64| {
        let mut labels = labels.clone();
        labels.insert("__name__".to_owned(), name);
        let value = all.get(&labels);
        let is_true = value.is_some_and(|value| equal(*value, truth));
        ensure!(is_true, "{labels:?}: {value:?}, and {truth} in truth");
        values += 1;
        Ok(())
    };
    for family in catalogue::ALL {
        for series in told.series(family.name) {
            if let Kind::Histogram(_) = family.kind {
                check(
                    format!("{}_count", family.name),
                    &series.labels,
                    series.count,
                )?;
                check(format!("{}_sum", family.name), &series.labels, series.sum)?;
            } else {
                check(family.name.to_owned(), &series.labels, series.count)?;
            }
        }
    }
    ensure!(values > 0, "the demo tells nothing");
    Ok(values)
}

/// A sum went through decimal digits and back.
fn equal(one: f64, other: f64) -> bool {
    (one - other).abs() <= other.abs() * 1e-12
}

/// Compares the native histograms of a job with the truth; tells how many there are.
pub(in crate::proof) fn natives(server: &str, job: &str, told: &Told) -> Result<usize> {
    let mut histograms = 0;
    for family in histogram_families() {
        let of = |function: &str| -> Result<All> {
            let expression = format!("{function}({}{{job=\"{job}\"}})", family.name);
            let returned = api::query(server, &expression)?.into_iter();
            Ok(returned
                .map(|(mut labels, value)| {
                    own(&mut labels);
                    (labels, value)
                })
                .collect())
        };
        let (counts, sums) = (of("histogram_count")?, of("histogram_sum")?);
        for series in told.series(family.name) {
            let found = (counts.get(&series.labels), sums.get(&series.labels));
            let (Some(count), Some(sum)) = found else {
                anyhow::bail!("{job}: no {} of {:?}", family.name, series.labels);
            };
            let is_true = equal(*count, series.count) && equal(*sum, series.sum);
            ensure!(
                is_true,
                "{job}: {} of {:?}: {count} and {sum}, and {} and {} in truth",
                family.name,
                series.labels,
                series.count,
                series.sum
            );
            histograms += 1;
        }
    }
    ensure!(histograms > 0, "{job}: no native histogram");
    Ok(histograms)
}

/// A job that would take classic buckets finds none.
pub(super) fn no_classic(server: &str, job: &str) -> Result<()> {
    let classic = format!("{{job=\"{job}\",__name__=~\"brightstaff_.+_bucket\"}}");
    let found = api::query(server, &classic)?;
    ensure!(found.is_empty(), "{job}: {} classic buckets", found.len());
    // The text formats know no others, and tell them always.
    let text = format!("count({{job=\"text of {job}\",__name__=~\"brightstaff_.+_bucket\"}})");
    ensure!(super::one(server, &text)? > 0.0, "{text} is 0");
    Ok(())
}

/// How many series a pair of provider and model has, in text and with native histograms alone.
pub(super) fn series_of_a_pair(server: &str) -> Result<String> {
    let of = |job: &str| {
        let count = format!("count by (provider, model) ({{job=\"{job}\",model!=\"\"}})");
        api::query(server, &count)
    };
    let (text, native) = (of("text")?, of("native")?);
    let mut least: Option<(f64, f64, &Labels)> = None;
    for (labels, series) in &text {
        let in_native = native.iter().find(|(other, _)| other == labels);
        let (_, few) = in_native.with_context(|| format!("{labels:?} is missing"))?;
        ensure!(
            few * 3.0 < *series,
            "{labels:?}: {few} series instead of {series}"
        );
        if least.is_none_or(|(_, fewest, _)| *few < fewest) {
            least = Some((*series, *few, labels));
        }
    }
    let (series, few, labels) = least.context("no pairs")?;
    let all = |samples: &api::Samples| samples.iter().map(|(_, series)| series).sum::<f64>();
    Ok(format!(
        "a pair has {few} series instead of {series} ({} of {}), all {} pairs {} instead of {}",
        labels["model"],
        labels["provider"],
        text.len(),
        all(&native),
        all(&text)
    ))
}

fn histogram_families() -> impl Iterator<Item = &'static Family> {
    let all = catalogue::ALL.iter().copied();
    all.filter(|family| matches!(family.kind, Kind::Histogram(_)))
}
