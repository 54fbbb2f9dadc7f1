//! What happened, by series: what the panels have to say.

use std::collections::BTreeMap;

use brightstaff_metrics_core::catalogue::Family;

use crate::api::Labels;

/// Numbers by the values of some labels.
pub(super) type Table = BTreeMap<Vec<String>, f64>;

/// By how much each series rose within a window, and the samples of the histograms.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// How long the window is that rates are taken over.
    pub(super) seconds: f64,
    rises: Vec<(&'static str, Labels, f64)>,
    samples: Vec<(&'static str, Labels, f64)>,
}

/// Only the series whose label has one of these values.
pub(super) type Only<'a> = (&'a str, &'a [&'a str]);

impl Truth {
    pub(super) fn rise(&mut self, family: &'static Family, labels: Labels, by: f64) {
        self.rises.push((family.name, labels, by));
    }

    pub(super) fn sample(&mut self, family: &'static Family, labels: Labels, value: f64) {
        self.samples.push((family.name, labels, value));
    }

    /// How much the series rose that agree in these labels.
    pub(super) fn sum(&self, family: &Family, only: &[Only<'_>], by: &[&str]) -> Table {
        let mut table = Table::new();
        for (_, labels, rise) in chosen(&self.rises, family, only) {
            *table.entry(key(labels, by)).or_default() += rise;
        }
        table
    }

    /// The same, each second.
    pub(super) fn rate(&self, family: &Family, only: &[Only<'_>], by: &[&str]) -> Table {
        let mut table = self.sum(family, only, by);
        for value in table.values_mut() {
            *value /= self.seconds;
        }
        table
    }

    /// How many samples there are, each second. A histogram rises by its samples, too.
    pub(super) fn samples(
        &self,
        family: &Family,
        only: &[Only<'_>],
        by: &[&str],
    ) -> BTreeMap<Vec<String>, Vec<f64>> {
        let mut table = BTreeMap::<_, Vec<f64>>::new();
        for (_, labels, value) in chosen(&self.samples, family, only) {
            table.entry(key(labels, by)).or_default().push(*value);
        }
        for values in table.values_mut() {
            values.sort_by(f64::total_cmp);
        }
        table
    }
}

fn chosen<'a>(
    all: &'a [(&'static str, Labels, f64)],
    family: &'a Family,
    only: &'a [Only<'a>],
) -> impl Iterator<Item = &'a (&'static str, Labels, f64)> {
    all.iter().filter(move |(name, labels, _)| {
        *name == family.name
            && only.iter().all(|(label, values)| {
                let value = labels.get(*label).map_or("", String::as_str);
                values.contains(&value)
            })
    })
}

fn key(labels: &Labels, by: &[&str]) -> Vec<String> {
    by.iter()
        .map(|label| labels.get(*label).cloned().unwrap_or_default())
        .collect()
}

/// One table as a share of another: absent where there is nothing to have a share of.
pub(super) fn share(part: &Table, whole: &Table) -> Table {
    let some = whole.iter().filter(|(_, whole)| **whole > 0.0);
    some.map(|(key, whole)| {
        let part = part.get(key).copied().unwrap_or_default();
        (key.clone(), part / whole)
    })
    .collect()
}

/// Each part as a share of one whole. Parts that are not there stay absent.
pub(super) fn parts(parts: &Table, whole: f64) -> Table {
    let some = parts.iter().filter(|_| whole > 0.0);
    some.map(|(key, part)| (key.clone(), part / whole))
        .collect()
}

/// The one number of a table without labels.
pub(super) fn total(table: &Table) -> f64 {
    table.values().sum()
}
