//! The floors of each crate, from top to bottom.

use super::{Crate, Floor};

pub(super) const CRATES: &[Crate] = &[
    Crate {
        sources: "brightstaff-metrics-core/src",
        floors: &[
            floor("adapter", &["adapter"]),
            floor("facade", &["metrics"]),
            floor("bodies", &["body"]),
            floor("guards", &["request", "routing", "upstream"]),
            floor("families", &["families"]),
            floor("series", &["series"]),
            floor("reference", &["reference"]),
            floor("tables", &["catalogue", "conventions", "listener"]),
            floor("meter", &["meter"]),
            floor(
                "ground",
                &[
                    "buckets", "clock", "error", "head", "labels", "progress", "trace",
                ],
            ),
        ],
    },
    Crate {
        sources: "brightstaff-metrics-axum/src",
        floors: &[
            floor("layer", &["layer"]),
            floor("service", &["service"]),
            floor("parts", &["future", "settings"]),
            floor("request", &["request_head"]),
        ],
    },
    Crate {
        sources: "brightstaff-metrics-actix/src",
        floors: &[
            floor("middleware", &["middleware"]),
            floor("service", &["service"]),
            floor(
                "parts",
                &["awc", "body", "future", "provisional", "relay", "settings"],
            ),
            floor("request", &["request_head", "routes", "trace"]),
        ],
    },
    Crate {
        sources: "brightstaff-exporter/src",
        floors: &[
            floor("api", &["exporter", "otlp"]),
            floor("port", &["metrics_handler", "page", "routes", "server"]),
            floor("parts", &["exposition", "web_config"]),
            floor("ground", &["error", "limits", "priority", "socket"]),
        ],
    },
    Crate {
        sources: "brightstaff-exporter/src/bin/brightstaff-exporter",
        floors: &[
            floor("command line", &["cli"]),
            floor("commands", &["commands", "demo", "inspect", "top"]),
            floor("programs", &["gateway", "sim"]),
            floor("connections", &["serve"]),
            floor("options", &["address", "config"]),
            floor("ground", &["exposition", "log", "say", "usage"]),
        ],
    },
    Crate {
        sources: "xtask/src",
        floors: &[
            floor("list", &["stages"]),
            floor(
                "tasks",
                &[
                    "bench",
                    "cardinality",
                    "code",
                    "config_checks",
                    "demo",
                    "dependencies",
                    "examples",
                    "fuzz",
                    "generate",
                    "incidents",
                    "kubernetes",
                    "layout",
                    "link",
                    "newcomer",
                    "render",
                    "runner",
                    "sdks",
                    "sidecar",
                    "soak",
                ],
            ),
            floor(
                "proof and pages",
                &[
                    "dead_links",
                    "metrics_md",
                    "monitoring_md",
                    "packages",
                    "page",
                    "proof",
                    "readme",
                ],
            ),
            floor("dashboards", &["grafana"]),
            floor("rules", &["rules"]),
            floor("programs", &["lab", "stack"]),
            floor("languages", &["api", "promql"]),
            floor(
                "ground",
                &[
                    "http",
                    "links",
                    "npm",
                    "process",
                    "stage",
                    "unplotted",
                    "workspace",
                ],
            ),
        ],
    },
];

const fn floor(name: &'static str, modules: &'static [&'static str]) -> Floor {
    Floor { name, modules }
}
