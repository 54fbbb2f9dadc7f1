//! The rows of `BENCHMARKS.md`, and the benches that they are made from.

use super::row::{
    Bench, Kind, Row,
    Target::{AtLeast, AtMost, OfFloor, OfPeer},
    Unit,
};

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

const AXUM: Row = Row {
    bare: Some("layer: in the router/bare"),
    floor: Some("layer: in the router/floor, in the router"),
    drawn: true,
    ..TIME
};

const AXUM_CALL: Row = Row {
    bare: Some("layer: with a call/bare, 1 KB JSON"),
    floor: Some("layer: with a call/floor, 1 KB JSON"),
    peers: &[(
        "buffered, `with_label_values`",
        "layer: with a call/with_label_values, serde_json",
    )],
    targets: &[AtMost(1_500.0)],
    drawn: true,
    ..TIME
};

const ACTIX: Row = Row {
    targets: &[OfFloor(1.25), OfPeer(0.35)],
    drawn: true,
    ..TIME
};

pub(super) static ROWS: &[Row] = &[
    Row {
        id: "axum/inside",
        what: "axum, one request, in the router",
        peers: &[
            ("axum-prometheus", "layer: in the router/axum-prometheus"),
            (
                "macros of `metrics`",
                "layer: in the router/macros of metrics",
            ),
        ],
        ours: "layer: in the router/metrics, in the router",
        targets: &[OfFloor(1.25)],
        ..AXUM
    },
    Row {
        id: "axum/inside/instructions",
        what: "… in instructions",
        unit: Unit::Instructions,
        bare: Some("instructions: axum/request/bare"),
        floor: Some("instructions: axum/request/floor_inside"),
        ours: "instructions: axum/request/inside",
        targets: &[AtMost(2_450.0)],
        ..TIME
    },
    Row {
        id: "axum/inside/allocations",
        what: "… in allocations",
        bare: Some("scale: allocations/axum/inside/bare"),
        floor: Some("scale: allocations/axum/inside/floor, in the router"),
        ours: "scale: allocations/axum/inside/metrics, in the router",
        targets: &[AtMost(5.0)],
        ..ALLOCATIONS
    },
    Row {
        id: "axum/innermost",
        what: "axum, one request, in the router, `.innermost()`",
        ours: "layer: in the router/metrics, innermost",
        targets: &[OfFloor(1.25)],
        ..AXUM
    },
    Row {
        id: "axum/innermost/instructions",
        what: "… in instructions",
        unit: Unit::Instructions,
        bare: Some("instructions: axum/request/bare"),
        floor: Some("instructions: axum/request/floor_inside"),
        ours: "instructions: axum/request/innermost",
        targets: &[AtMost(2_450.0)],
        ..TIME
    },
    Row {
        id: "axum/innermost/allocations",
        what: "… in allocations",
        bare: Some("scale: allocations/axum/inside/bare"),
        floor: Some("scale: allocations/axum/inside/floor, in the router"),
        ours: "scale: allocations/axum/inside/metrics, innermost",
        targets: &[AtMost(5.0)],
        ..ALLOCATIONS
    },
    Row {
        id: "axum/around",
        what: "axum, one request, around the router",
        bare: Some("layer: around it/bare"),
        floor: Some("layer: around it/floor, around the router"),
        ours: "layer: around it/metrics, around the router",
        targets: &[AtMost(190.0)],
        ..AXUM
    },
    Row {
        id: "axum/around/allocations",
        what: "… in allocations",
        bare: Some("scale: allocations/axum/around/bare"),
        ours: "scale: allocations/axum/around/metrics, around the router",
        targets: &[AtMost(0.0)],
        ..ALLOCATIONS
    },
    Row {
        id: "axum/explicit",
        what: "axum, with an explicit call, 1 KB of JSON",
        ours: "layer: with a call/explicit call",
        ..AXUM_CALL
    },
    Row {
        id: "axum/explicit/allocations",
        what: "… in allocations",
        bare: Some("scale: allocations/axum/calls/bare, 1 KB JSON"),
        ours: "scale: allocations/axum/calls/explicit call",
        targets: &[AtMost(8.0)],
        ..ALLOCATIONS
    },
    Row {
        id: "axum/implicit",
        what: "axum, with an implicit call, 1 KB of JSON",
        ours: "layer: with a call/implicit call, innermost",
        ..AXUM_CALL
    },
    Row {
        id: "axum/implicit/allocations",
        what: "… in allocations",
        bare: Some("scale: allocations/axum/calls/bare, 1 KB JSON"),
        ours: "scale: allocations/axum/calls/implicit call, innermost",
        targets: &[AtMost(8.0)],
        ..ALLOCATIONS
    },
    Row {
        id: "actix/known",
        what: "actix, one request, a route of the table",
        bare: Some("middleware: known/bare"),
        floor: Some("middleware: known/floor"),
        peers: &[("actix-web-prom", "middleware: known/actix-web-prom")],
        ours: "middleware: known/metrics",
        ..ACTIX
    },
    Row {
        id: "actix/static",
        what: "actix, one request, a route without parameters",
        bare: Some("middleware: static/bare"),
        floor: Some("middleware: static/floor"),
        peers: &[("actix-web-prom", "middleware: static/actix-web-prom")],
        ours: "middleware: static/metrics",
        ..ACTIX
    },
    Row {
        id: "actix/templated",
        what: "actix, one request, a route with a parameter",
        bare: Some("middleware: templated/bare"),
        floor: Some("middleware: templated/floor"),
        peers: &[("actix-web-prom", "middleware: templated/actix-web-prom")],
        ours: "middleware: templated/metrics",
        ..ACTIX
    },
    Row {
        id: "actix/allocations",
        what: "… in allocations, the most of the three",
        bare: Some("scale: allocations/actix/bare"),
        floor: Some("scale: allocations/actix/floor"),
        ours: "scale: allocations/actix/metrics",
        targets: &[AtMost(0.0)],
        ..ALLOCATIONS
    },
    Row {
        id: "call",
        what: "A call, handles resolved, start to end",
        floor: Some("call: call/floor"),
        peers: &[(
            "12 `with_label_values`",
            "call: call/twelve_with_label_values",
        )],
        ours: "call: call/start_to_end",
        targets: &[AtMost(150.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/chat",
        what: "A chat event of 210 B",
        floor: Some("meter: sse_chat_210B/floor"),
        peers: &[
            ("keep and parse", "meter: sse_chat_210B/keep_and_parse"),
            ("serde_json", "meter: sse_chat_210B/serde_json_each"),
        ],
        ours: "meter: sse_chat_210B/ours",
        targets: &[AtMost(25.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/chat-usage-null",
        what: "… with `\"usage\":null`",
        floor: Some("meter: sse_chat_usage_null_210B/floor"),
        peers: &[
            (
                "keep and parse",
                "meter: sse_chat_usage_null_210B/keep_and_parse",
            ),
            (
                "serde_json",
                "meter: sse_chat_usage_null_210B/serde_json_each",
            ),
        ],
        ours: "meter: sse_chat_usage_null_210B/ours",
        targets: &[AtMost(25.0)],
        ..TIME
    },
    Row {
        id: "sse/messages",
        what: "An event of Anthropic's Messages",
        floor: Some("meter: sse_messages_210B/floor"),
        peers: &[("serde_json", "meter: sse_messages_210B/serde_json_each")],
        ours: "meter: sse_messages_210B/ours",
        targets: &[AtMost(30.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/responses",
        what: "An event of OpenAI's Responses",
        floor: Some("meter: sse_responses_210B/floor"),
        peers: &[("serde_json", "meter: sse_responses_210B/serde_json_each")],
        ours: "meter: sse_responses_210B/ours",
        targets: &[AtMost(45.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/gemini",
        what: "An event of Gemini",
        floor: Some("meter: sse_gemini_210B/floor"),
        peers: &[("serde_json", "meter: sse_gemini_210B/serde_json_each")],
        ours: "meter: sse_gemini_210B/ours",
        targets: &[AtMost(60.0)],
        drawn: true,
        ..TIME
    },
    Row {
        id: "sse/16-bytes",
        what: "A frame of 16 B",
        floor: Some("meter: sse_chat_16B/floor"),
        peers: &[("keep and parse", "meter: sse_chat_16B/keep_and_parse")],
        ours: "meter: sse_chat_16B/ours",
        targets: &[AtMost(20.0)],
        ..TIME
    },
    Row {
        id: "sse/held",
        what: "Held by a call whose stream is under way, on the heap",
        ours: "scale: held by each of 10,000 streams",
        targets: &[AtMost(2_048.0)],
        ..MEMORY
    },
    Row {
        id: "bulk/chat",
        what: "Frames of 64 KiB: chat",
        floor: Some("meter: sse_chat_64KiB/floor"),
        peers: &[
            ("keep and parse", "meter: sse_chat_64KiB/keep_and_parse"),
            ("serde_json", "meter: sse_chat_64KiB/serde_json_each"),
        ],
        ours: "meter: sse_chat_64KiB/ours",
        targets: &[AtMost(1.0 / 12.0)],
        ..BULK
    },
    Row {
        id: "bulk/messages",
        what: "… Anthropic's Messages",
        floor: Some("meter: sse_messages_64KiB/floor"),
        peers: &[("serde_json", "meter: sse_messages_64KiB/serde_json_each")],
        ours: "meter: sse_messages_64KiB/ours",
        targets: &[AtMost(1.0 / 8.0)],
        ..BULK
    },
    Row {
        id: "bulk/responses",
        what: "… OpenAI's Responses",
        floor: Some("meter: sse_responses_64KiB/floor"),
        peers: &[("serde_json", "meter: sse_responses_64KiB/serde_json_each")],
        ours: "meter: sse_responses_64KiB/ours",
        targets: &[AtMost(1.0 / 8.0)],
        ..BULK
    },
    Row {
        id: "bulk/gemini",
        what: "… Gemini",
        floor: Some("meter: sse_gemini_64KiB/floor"),
        peers: &[("serde_json", "meter: sse_gemini_64KiB/serde_json_each")],
        ours: "meter: sse_gemini_64KiB/ours",
        targets: &[AtMost(1.0 / 4.0)],
        ..BULK
    },
    Row {
        id: "json",
        what: "100 KiB of JSON",
        floor: Some("json: json_100KiB/floor"),
        peers: &[("serde_json", "json: json_100KiB/serde_json")],
        ours: "json: json_100KiB/ours",
        // 15 µs for the whole.
        targets: &[AtMost(15_000.0 / 102_400.0)],
        ..BULK
    },
    Row {
        id: "stream/direct",
        what: "A server's processor time for a stream of 100 events, explicit call, beside bare",
        floor: Some("stream: direct/floor"),
        peers: &[("kept and parsed", "stream: direct/kept and parsed")],
        ours: "stream: direct/explicit call",
        targets: &[AtMost(1.12)],
        ..RATIO
    },
    Row {
        id: "stream/hop",
        what: "… of a gateway before a provider",
        floor: Some("stream: behind a hop/floor"),
        peers: &[("kept and parsed", "stream: behind a hop/kept and parsed")],
        ours: "stream: behind a hop/explicit call",
        targets: &[AtMost(1.02)],
        ..RATIO
    },
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

const BULK: Row = Row {
    unit: Unit::NanosPerByte,
    ..TIME
};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{INSTRUCTIONS, figures::local, ids_of};

    #[test]
    fn every_figure_has_a_bench() {
        for id in ROWS.iter().flat_map(ids_of) {
            let counted = id.starts_with(INSTRUCTIONS);
            let measured = BENCHES.iter().any(|bench| local(bench, id).is_some());
            assert!(counted || measured, "{id}");
        }
    }

    #[test]
    fn rows_are_told_apart() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(
                ROWS[..at].iter().all(|other| other.id != row.id),
                "{}",
                row.id
            );
        }
    }

    /// What one figure of a row has, all have: they are compared round by round.
    #[test]
    fn figures_of_a_row_come_from_one_bench() {
        for row in ROWS {
            let bench = |id: &'static str| id.split(": ").next();
            let ours = bench(row.ours);
            assert!(ids_of(row).all(|id| bench(id) == ours), "{}", row.id);
        }
    }
}
