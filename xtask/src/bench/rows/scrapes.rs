//! What a scrape costs, and an export, and what is held for it.

use super::{MEMORY, TIME};
use crate::bench::row::{
    Row,
    Target::{AtMost, OfFloor, OfPeer},
    Unit,
};

pub(super) static ROWS: &[Row] = &[
    Row {
        id: "scrape/counters-10k",
        what: "A line of a scrape, 10,000 counters",
        peers: SCRAPED_10K,
        ours: "scrape: scrape/counters_10k/ours",
        targets: &[AtMost(30.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "scrape/counters-100k",
        what: "… 100,000 counters",
        peers: SCRAPED_100K,
        ours: "scrape: scrape/counters_100k/ours",
        targets: &[AtMost(30.0)],
        ..TIME
    },
    Row {
        id: "scrape/histograms-10k",
        what: "A line of a scrape, 10,000 histograms",
        peers: SCRAPED_HISTOGRAMS,
        ours: "scrape: scrape/histograms_10k/ours",
        targets: &[AtMost(50.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "push/counters-10k",
        what: "A series of an OTLP export, 10,000 counters",
        peers: &[("as text", "scrape: push/counters_10k/text")],
        ours: "scrape: push/counters_10k/ours",
        targets: &[OfPeer(2.0)],
        ..TIME
    },
    Row {
        id: "push/counters-10k/instructions",
        what: "… in instructions, beside its line of text",
        unit: Unit::Instructions,
        floor: Some("instructions: core/scrape/counter_line"),
        ours: "instructions: core/push/counter_line",
        targets: &[OfFloor(2.0)],
        ..TIME
    },
    Row {
        id: "push/histograms-10k",
        what: "A series of an OTLP export, 10,000 histograms",
        peers: &[("as text", "scrape: push/histograms_10k/text")],
        ours: "scrape: push/histograms_10k/ours",
        targets: &[OfPeer(2.0)],
        ..TIME
    },
    Row {
        id: "scrape/usual",
        what: "A line of a usual scrape with gzip, from the request to the last byte",
        peers: &[
            (
                "prometheus, without gzip",
                "exporter: scrape/typical/prometheus",
            ),
            (
                "prometheus, gzip",
                "exporter: scrape/typical/prometheus, gzip",
            ),
        ],
        ours: "exporter: scrape/typical/ours, gzip",
        // 0.4 ms for 1,770 lines.
        targets: &[AtMost(400_000.0 / 1_770.0)],
        ..TIME
    },
    Row {
        id: "scrape/held",
        what: "Held by a scrape of 100,000 counters beyond its output",
        peers: &[("prometheus", "scale: held by a scrape/prometheus")],
        ours: "scale: held by a scrape/ours",
        targets: &[AtMost(262_144.0)],
        ..MEMORY
    },
    Row {
        id: "memory/pair",
        what: "Memory of a pair of provider and model",
        floor: Some("scale: a pair/floor"),
        peers: &[("`with_label_values`", "scale: a pair/with_label_values")],
        ours: "scale: a pair/ours",
        targets: &[AtMost(3_072.0)],
        ..MEMORY
    },
];

/// Those who write the same counters.
const SCRAPED_10K: &[(&str, &str)] = &[
    ("prometheus", "scrape: scrape/counters_10k/prometheus"),
    (
        "prometheus-client",
        "scrape: scrape/counters_10k/prometheus-client",
    ),
    ("measured", "scrape: scrape/counters_10k/measured"),
    ("fastmetrics", "scrape: scrape/counters_10k/fastmetrics"),
    (
        "metrics-exporter-prometheus",
        "scrape: scrape/counters_10k/metrics-exporter-prometheus",
    ),
];
const SCRAPED_100K: &[(&str, &str)] = &[
    ("prometheus", "scrape: scrape/counters_100k/prometheus"),
    ("measured", "scrape: scrape/counters_100k/measured"),
];
const SCRAPED_HISTOGRAMS: &[(&str, &str)] = &[
    ("prometheus", "scrape: scrape/histograms_10k/prometheus"),
    (
        "prometheus-client",
        "scrape: scrape/histograms_10k/prometheus-client",
    ),
    ("measured", "scrape: scrape/histograms_10k/measured"),
    ("fastmetrics", "scrape: scrape/histograms_10k/fastmetrics"),
    (
        "metrics-exporter-prometheus",
        "scrape: scrape/histograms_10k/metrics-exporter-prometheus",
    ),
];
