//! What whole processes cost, and what does not grow with them.

use super::{RATIO, TIME};
use crate::bench::row::{
    Row,
    Target::{AtLeast, AtMost, OfFloor},
    Unit,
};

pub(super) static ROWS: &[Row] = &[
    Row {
        id: "sidecar/json",
        what: "The sidecar's processor time for 1 KiB of JSON, beside axum and reqwest without us",
        ours: "sidecar: 1 KiB of JSON each way, beside axum + reqwest: CPU a request, µs",
        targets: &[AtMost(1.15)],
        ..RATIO
    },
    Row {
        id: "sidecar/stream",
        what: "… for a stream of 100 events",
        ours: "sidecar: SSE of 100 events, beside axum + reqwest: CPU a request, µs",
        targets: &[AtMost(1.03)],
        ..RATIO
    },
    Row {
        id: "sidecar/json-hyper",
        what: "… for 1 KiB of JSON, beside a bare pass-through of hyper, which reads nothing and has no limits",
        ours: "sidecar: 1 KiB of JSON each way, beside hyper: CPU a request, µs",
        ..RATIO
    },
    Row {
        id: "sidecar/stream-hyper",
        what: "… for a stream of 100 events, beside the same",
        ours: "sidecar: SSE of 100 events, beside hyper: CPU a request, µs",
        ..RATIO
    },
    Row {
        id: "scale/pairs",
        what: "A call by name and 1,000 pairs, beside one pair",
        unit: Unit::Instructions,
        floor: Some("instructions: core/named/pairs_1"),
        ours: "instructions: core/named/pairs_1000",
        targets: &[OfFloor(1.03)],
        ..TIME
    },
    Row {
        id: "scale/threads",
        what: "Calls a second of two threads beside a third that scrapes, of those without it",
        unit: Unit::Times,
        ours: "scale: two threads beside a scrape",
        targets: &[AtLeast(0.9)],
        ..TIME
    },
    Row {
        id: "scale/stall",
        what: "The longest record while 100,000 series are scraped and some added",
        unit: Unit::Millis,
        peers: &[(
            "`with_label_values`",
            "scale: worst stall/with_label_values",
        )],
        ours: "scale: worst stall/ours",
        targets: &[AtMost(1.0)],
        ..TIME
    },
];
