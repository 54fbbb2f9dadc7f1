//! The process, and the way to it.

use brightstaff_metrics_core::catalogue::{HTTP_REQUESTS, PROCESS_CPU, PROCESS_RESIDENT_MEMORY};

use crate::{
    grafana::panel::{Panel, Query, Unit},
    promql::{
        Source, Value,
        envoy::{self, CLUSTER, CODE_CLASS},
    },
    rules::alerts,
};

/// What Plano's Envoy calls the cluster that is this gateway.
const BRIGHT_STAFF: Value = Value::of(CLUSTER, "bright_staff");

pub(super) fn panels(from: Source) -> Vec<Panel> {
    let process = from.process();
    let sent = || from.rate(&envoy::REQUESTS).is(BRIGHT_STAFF);
    let failed = from
        .rate(&envoy::RESPONSES)
        .is(BRIGHT_STAFF)
        .is(Value::of(CODE_CLASS, "5"));
    let unconnected = from.rate(&envoy::CONNECT_FAILURES).is(BRIGHT_STAFF);
    vec![
        Panel {
            id: 18,
            title: "Envoy → brightstaff link",
            about: "Requests that Envoy sent to its cluster bright_staff, beside those that arrived here. Dashed: what Envoy saw go wrong on the way, 5xx responses and failed connections.",
            reading: "The first two lines lie on each other. Sent above received: requests are lost between the two, and failed connections say so. Received above sent: somebody calls the gateway past Envoy. With one instance selected, only what arrived there is shown, of all that Envoy sent. Without an Envoy only the second line is there.",
            width: 12,
            unit: Unit::RequestsPerSecond,
            queries: vec![
                Query::new(sent().by([]), "Envoy sent"),
                Query::new(from.rate(&HTTP_REQUESTS).by([]), "brightstaff received"),
                Query::new(failed.by([]).or_zero(&sent().by([])), "Envoy got 5xx").dashed(),
                Query::new(
                    unconnected.by([]).or_zero(&sent().by([])),
                    "Envoy could not connect",
                )
                .dashed(),
            ],
            thresholds: &[],
            stacked: false,
            idle: "Neither is scraped",
            see: &[1, 2],
            runbook: Some(alerts::TARGET_DOWN),
        },
        Panel {
            id: 19,
            title: "Memory and CPU",
            about: "Resident memory, at the instant of the scrape, of the processes that publish the gateway's build. Dashed, on the right: how many CPU cores they keep busy.",
            reading: "Memory is flat under a steady load, however long the streams are. CPU follows the requests and the chunks of their streams.",
            width: 12,
            unit: Unit::Bytes,
            queries: vec![
                Query::new(
                    from.gauge(&PROCESS_RESIDENT_MEMORY).by([process]),
                    format!("{{{{{process}}}}} memory"),
                ),
                Query::new(
                    from.rate(&PROCESS_CPU).by([process]),
                    format!("{{{{{process}}}}} CPU"),
                )
                .right(Unit::Cores, "CPU"),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No gateway is scraped, or it runs without procfs",
            see: &[5],
            runbook: None,
        },
    ]
}
