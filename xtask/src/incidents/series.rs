//! Whether an incident raises the series that its case for `promtool` is made of, and no others that alerts read.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::Result;
use brightstaff_metrics_core::catalogue::{
    FAILOVER_REQUESTS, Family, HTTP_CANCELLED, HTTP_INTERRUPTED, HTTP_REQUESTS, LABEL_OVERFLOW,
    SESSION_CACHE_EVENTS, UPSTREAM_REQUESTS, USAGE_MISSING,
};

use crate::{api, rules::incidents};

/// The counters that alerts read.
const READ: [&Family; 8] = [
    &HTTP_REQUESTS,
    &HTTP_CANCELLED,
    &HTTP_INTERRUPTED,
    &UPSTREAM_REQUESTS,
    &USAGE_MISSING,
    &LABEL_OVERFLOW,
    &SESSION_CACHE_EVENTS,
    &FAILOVER_REQUESTS,
];

/// What differs, where a gateway that is still there raised others between these two instants.
pub(super) fn differences(
    prometheus: &str,
    job: &str,
    incident: &str,
    (from, to): (f64, f64),
) -> Result<Vec<String>> {
    let mut raised = BTreeSet::new();
    for family in READ {
        let name = family.name;
        let series = format!("{name}{{job=\"{job}\"}}");
        let since = to - from;
        let rise = format!(
            "({series} - {series} offset {since:.0}s > 0) or ({series} > 0 unless {series} offset {since:.0}s)"
        );
        for (mut labels, _) in api::query_at(prometheus, &rise, to)? {
            let mut text = format!("{name}{{");
            for label in ["__name__", "job", "instance"] {
                labels.remove(label);
            }
            for (label, value) in labels {
                let _ = write!(text, "{label}=\"{value}\",");
            }
            raised.insert(text.trim_end_matches(',').to_owned() + "}");
        }
    }
    let all = incidents::ALL.iter();
    let told = all.filter(|told| told.name == incident);
    let told: BTreeSet<_> = told
        .flat_map(|told| told.rises)
        .filter(|(series, rise)| *rise > 0 && series.contains("_total{"))
        .map(|(series, _)| sorted(series))
        .collect();
    let silent = told
        .difference(&raised)
        .map(|series| format!("{incident}: {series} does not rise"));
    let strange = raised
        .difference(&told)
        .map(|series| format!("{incident}: {series} rises"));
    Ok(silent.chain(strange).collect())
}

/// A series with its labels in the order of their names.
fn sorted(series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let mut labels: Vec<_> = labels.trim_end_matches('}').split(',').collect();
    labels.sort_unstable();
    format!("{name}{{{}}}", labels.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_of_incidents_name_only_counters_that_are_looked_at() {
        for incident in incidents::ALL {
            for (series, _) in incident.rises {
                let name = series.split('{').next().unwrap_or_default();
                let known = READ.iter().any(|family| family.name == name);
                assert!(
                    known || name.ends_with("_bucket"),
                    "{}: {name}",
                    incident.name
                );
            }
        }
    }

    #[test]
    fn labels_may_stand_in_any_order() {
        assert_eq!(
            sorted("a_total{c=\"1\",b=\"2\"}"),
            "a_total{b=\"2\",c=\"1\"}"
        );
    }
}
