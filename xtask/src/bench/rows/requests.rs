//! What a request costs on axum and on actix-web.

use super::{ALLOCATIONS, TIME};
use crate::bench::row::{
    Row,
    Target::{AtMost, OfFloor, OfPeer},
    Unit,
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
];

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
