//! The rows of `BENCHMARKS.md`, and the benches that they are made from.

mod meter;
mod requests;
mod scrapes;
mod whole;

use super::row::{Bench, Kind, Row, Unit};

/// In this order: what is compared stands in one bench.
pub(super) static BENCHES: &[Bench] = &[
    criterion("layer", "brightstaff-metrics-axum"),
    criterion("middleware", "brightstaff-metrics-actix"),
    criterion("call", "brightstaff-metrics-core"),
    criterion("meter", "brightstaff-metrics-core"),
    criterion("json", "brightstaff-metrics-core"),
    criterion("scrape", "brightstaff-metrics-core"),
    Bench {
        target: "scrape",
        ..criterion("exporter", "brightstaff-exporter")
    },
    figures("stream", "brightstaff-metrics-axum"),
    figures("scale", "brightstaff-bench"),
    Bench {
        name: "sidecar",
        package: "xtask",
        target: "",
        kind: Kind::Sidecar,
    },
];

/// Packages that we are compared with.
pub(super) static PEERS: &[&str] = &[
    "axum-prometheus",
    "actix-web-prom",
    "prometheus",
    "prometheus-client",
    "measured",
    "fastmetrics",
    "metrics-exporter-prometheus",
    "serde_json",
];

const fn criterion(name: &'static str, package: &'static str) -> Bench {
    Bench {
        name,
        package,
        target: name,
        kind: Kind::Criterion,
    }
}

const fn figures(name: &'static str, package: &'static str) -> Bench {
    Bench {
        name,
        package,
        target: name,
        kind: Kind::Figures,
    }
}

/// Every row, in the order of the page.
pub(super) fn all() -> impl Iterator<Item = &'static Row> {
    let parts = [requests::ROWS, meter::ROWS, scrapes::ROWS, whole::ROWS];
    parts.into_iter().flatten()
}

/// Nanoseconds, without anything beside.
const TIME: Row = Row {
    id: "",
    what: "",
    unit: Unit::Nanos,
    bare: None,
    floor: None,
    peers: &[],
    ours: "",
    targets: &[],
    drawn: false,
};

const ALLOCATIONS: Row = Row {
    unit: Unit::Allocations,
    ..TIME
};

const MEMORY: Row = Row {
    unit: Unit::Bytes,
    ..TIME
};

/// Of what is there without us.
const RATIO: Row = Row {
    unit: Unit::Times,
    ..TIME
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bench::{INSTRUCTIONS, figures::local, ids_of};

    #[test]
    fn every_figure_has_a_bench() {
        for id in all().flat_map(ids_of) {
            let counted = id.starts_with(INSTRUCTIONS);
            let measured = BENCHES.iter().any(|bench| local(bench, id).is_some());
            assert!(counted || measured, "{id}");
        }
    }

    #[test]
    fn rows_are_told_apart() {
        let mut ids = BTreeSet::new();
        for row in all() {
            assert!(ids.insert(row.id), "{}", row.id);
        }
    }

    /// What one figure of a row has, all have: they are compared round by round.
    #[test]
    fn figures_of_a_row_come_from_one_bench() {
        for row in all() {
            let bench = |id: &'static str| id.split(": ").next();
            let ours = bench(row.ours);
            assert!(ids_of(row).all(|id| bench(id) == ours), "{}", row.id);
        }
    }
}
