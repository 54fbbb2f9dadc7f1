//! How many series a replica has, and how long a scrape is, computed from the catalogue.

use brightstaff_metrics_core::{
    catalogue::{
        self, BUILD_INFO, FAILOVER_REQUESTS, Family, HTTP_REQUESTS, Kind, LabelDef, OTLP_EXPORTS,
        ROUTER_CANDIDATE_SKIPS, ROUTER_DECISIONS, SESSION_CACHE_OPERATION, TOKEN_DETAILS,
        UPSTREAM_DURATION, UPSTREAM_REQUESTS, USAGE_MISSING,
    },
    labels::{MAX_LABEL_BYTES, MAX_TEMPLATE_BYTES},
};

/// What one replica meets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gateway {
    /// Handlers that were ever asked for.
    pub(super) handlers: u64,
    /// Providers that were named, or of which a pair earned its series.
    pub(super) providers: u64,
    /// Pairs of provider and model.
    pub(super) pairs: u64,
    /// Models that routing decisions select.
    pub(super) selected: u64,
}

/// How much of what could happen does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// What a busy gateway shows after a day, with names such as `gpt-4o-mini`.
    Usual,
    /// Every value of every closed label with every other, and the longest names that there can be: what
    /// no flood exceeds.
    Most,
}

/// Of how many combinations of closed labels a family usually has samples, for each combination of
/// its open ones. Every other family has samples for all of them.
static USUAL: &[(&Family, u64)] = &[
    // One method: 2xx, 4xx, 5xx and error are there from its first request on.
    (&HTTP_REQUESTS, 4),
    // Those that are there from the start: none, stream, cancelled; rate_limit, status; status; timeout,
    // connect.
    (&UPSTREAM_REQUESTS, 8),
    (&UPSTREAM_DURATION, 2),
    // Providers that write to a cache do not tell of reasoning, mostly, and the other way round.
    (&TOKEN_DETAILS, 2),
    // not_reported, interrupted.
    (&USAGE_MISSING, 2),
    // A model is mostly selected on one route, as the first candidate or not.
    (&ROUTER_DECISIONS, 2),
    // Routes leave nobody alone unless they are told to.
    (&ROUTER_CANDIDATE_SKIPS, 0),
    // Requests name several models or several agents, mostly; all three outcomes.
    (&FAILOVER_REQUESTS, 3),
    // Memory has none.
    (&SESSION_CACHE_OPERATION, 0),
    // Nothing is pushed unless a backend is named.
    (&OTLP_EXPORTS, 0),
];

/// One family in one replica.
pub(super) struct Cost {
    pub(super) family: &'static Family,
    pub(super) series: u64,
    pub(super) bytes: u64,
}

/// Every family.
pub(super) fn costs(gateway: Gateway, reading: Reading) -> Vec<Cost> {
    let costs = catalogue::ALL.iter().map(|family| {
        let children = children(family, gateway, reading);
        let (series, bytes) = lines(family, reading);
        let head = family.name.len()
            + family.help.len()
            + "# HELP  \n".len()
            + family.name.len()
            + "# TYPE  histogram\n".len();
        Cost {
            family,
            series: children * series,
            bytes: head as u64 + children * bytes,
        }
    });
    costs.collect()
}

/// The sum of all families.
pub(super) fn total(gateway: Gateway, reading: Reading) -> (u64, u64) {
    let costs = costs(gateway, reading);
    (
        costs.iter().map(|cost| cost.series).sum(),
        costs.iter().map(|cost| cost.bytes).sum(),
    )
}

/// Combinations of label values, `le` aside.
fn children(family: &Family, gateway: Gateway, reading: Reading) -> u64 {
    let has = |name: &str| family.labels.iter().any(|label| label.name == name);
    let mut open = 1;
    if has(catalogue::HANDLER.name) {
        open *= gateway.handlers;
    }
    if has(catalogue::MODEL.name) {
        open *= gateway.pairs;
    } else if has(catalogue::PROVIDER.name) {
        open *= gateway.providers;
    }
    if has(catalogue::SELECTED_MODEL.name) {
        open *= gateway.selected;
    }
    let usual = USUAL.iter().find(|(known, _)| known.name == family.name);
    let closed = match (reading, usual) {
        (Reading::Usual, Some((_, combinations))) => *combinations,
        _ => family
            .labels
            .iter()
            .filter_map(|label| label.values)
            .map(|values| values.len() as u64)
            .product(),
    };
    open * closed
}

/// Series of one combination of label values, and the bytes of their lines.
fn lines(family: &Family, reading: Reading) -> (u64, u64) {
    let number = match reading {
        // Values such as 17, 1.234567 and 12345678.
        Reading::Usual => 5,
        // 2^64 has 20 digits; sums of seconds have a few behind the point.
        Reading::Most => 24,
    };
    let labels: usize = family
        .labels
        .iter()
        .map(|label| label.name.len() + value(label, reading) + 4)
        .sum();
    let line = family.name.len() + labels + "{} \n".len() + number;
    match family.kind {
        Kind::Histogram(set) => {
            let bounds = set.default_bounds();
            let text: usize = bounds.iter().map(|bound| bound.to_string().len()).sum();
            let buckets = bounds.len() + 1;
            let bytes = buckets * (line + "_bucketle=\"\",".len())
                + text
                + "+Inf".len()
                + 2 * line
                + "_sum_count".len();
            (buckets as u64 + 2, bytes as u64)
        }
        _ => (1, line as u64),
    }
}

/// How many bytes the value of a label takes: on the average where it is closed.
fn value(label: &LabelDef, reading: Reading) -> usize {
    match (label.values, reading) {
        (Some(values), _) => {
            let sum: usize = values.iter().map(|value| value.len()).sum();
            sum.div_ceil(values.len())
        }
        (None, Reading::Usual) => 12,
        // Each byte may have to be escaped, and is two then.
        (None, Reading::Most) if label.name == catalogue::HANDLER.name => 2 * MAX_TEMPLATE_BYTES,
        (None, Reading::Most) => 2 * MAX_LABEL_BYTES,
    }
}

/// Series that every scrape adds for its target, and what the build is called: neither is a label of
/// the gateway's.
pub(super) const OF_THE_SCRAPE: u64 = 5;

/// Whether a family has a series of its own for each process alone.
pub(super) fn once(family: &Family) -> bool {
    family.labels.is_empty() || family.name == BUILD_INFO.name
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalogue::{HTTP_REQUEST_DURATION, PROCESS_CPU, UPSTREAM_IN_FLIGHT};

    const GATEWAY: Gateway = Gateway {
        handlers: 3,
        providers: 2,
        pairs: 4,
        selected: 5,
    };

    fn series(family: &Family, reading: Reading) -> u64 {
        let costs = costs(GATEWAY, reading);
        let cost = costs.iter().find(|cost| cost.family.name == family.name);
        cost.expect("it is in the catalogue").series
    }

    #[test]
    fn a_histogram_costs_its_buckets_infinity_sum_and_count() {
        // 18 bounds.
        assert_eq!(series(&HTTP_REQUEST_DURATION, Reading::Most), 3 * (18 + 3));
        assert_eq!(series(&PROCESS_CPU, Reading::Most), 1);
    }

    #[test]
    fn closed_labels_multiply() {
        // 8 methods, 6 classes.
        assert_eq!(series(&HTTP_REQUESTS, Reading::Most), 3 * 8 * 6);
        assert_eq!(series(&HTTP_REQUESTS, Reading::Usual), 3 * 4);
        assert_eq!(series(&ROUTER_DECISIONS, Reading::Most), 5 * 3 * 2);
    }

    #[test]
    fn a_family_without_models_has_a_series_for_each_provider() {
        assert_eq!(series(&UPSTREAM_IN_FLIGHT, Reading::Most), 2);
        assert_eq!(series(&TOKEN_DETAILS, Reading::Usual), 4 * 2);
    }

    #[test]
    fn the_docs_have_the_formula() {
        let series = |handlers, providers, pairs, selected| {
            let gateway = Gateway {
                handlers,
                providers,
                pairs,
                selected,
            };
            total(gateway, Reading::Usual).0
        };
        let rest = series(0, 0, 0, 0);
        let [handler, provider, pair, selected] = [
            series(1, 0, 0, 0),
            series(0, 1, 0, 0),
            series(0, 0, 1, 0),
            series(0, 0, 0, 1),
        ]
        .map(|one| one - rest);
        assert_eq!(provider, 1);
        let formula = format!("{handler} *H* + *V* + {pair} *P* + {selected} *M* + {rest} series");
        let docs = include_str!("../../../docs/SCALING.md");
        assert!(
            docs.contains(&formula),
            "docs/SCALING.md does not say {formula}"
        );
    }

    #[test]
    fn what_is_usual_is_never_more_than_what_can_be() {
        for (usual, most) in costs(GATEWAY, Reading::Usual)
            .iter()
            .zip(costs(GATEWAY, Reading::Most))
        {
            assert!(usual.series <= most.series, "{}", usual.family.name);
        }
    }
}
