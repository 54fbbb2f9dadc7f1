//! The one table that declares every metric family: name, help, type, labels, buckets.
//!
//! `METRICS.md`, the dashboard and the rules are generated from it or checked against it. What a
//! family counts, and from which instant to which, is said in its help.

use crate::{
    buckets::BucketSet,
    labels::{
        CancelPhase, ErrorClass, ExportOutcome, FailoverOutcome, FailoverRoute, Fallback,
        InterruptReason, Outcome, OverflowLabel, RequestMethod, RouteKind, RoutingOutcome,
        SessionCacheEvent, SessionCacheOperation, SkipReason, StatusClass, TokenDetail, TokenKind,
        UsageMissing,
    },
};

/// The type of a metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Only ever rises; `_total` at the end of its name.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Samples in the buckets of this set.
    Histogram(BucketSet),
}

/// One label of a family.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LabelDef {
    /// The name of the label.
    pub name: &'static str,
    /// Every value that it can take; `None` where the label is open.
    pub values: Option<&'static [&'static str]>,
}

/// One metric family.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Family {
    /// The whole name, prefix included.
    pub name: &'static str,
    /// What one sample is, from which instant to which.
    pub help: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels, `le` aside.
    pub labels: &'static [LabelDef],
    /// Whether the name is one that Plano's monitoring page documents, and so may never change.
    pub(crate) documented: bool,
}

const fn open(name: &'static str) -> LabelDef {
    LabelDef { name, values: None }
}

macro_rules! closed {
    ($label:ident) => {
        LabelDef {
            name: $label::NAME,
            values: Some($label::VALUES),
        }
    };
}

/// `handler`: which handler of the gateway served the request; never the raw path.
pub const HANDLER: LabelDef = open("handler");
/// `provider`: who answered the call.
pub const PROVIDER: LabelDef = open("provider");
/// `model`: which of the provider's models answered the call.
pub const MODEL: LabelDef = open("model");
/// `selected_model`: the model that a routing decision chose, or passed over.
pub const SELECTED_MODEL: LabelDef = open("selected_model");

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])* $ident:ident = $kind:ident $(($set:ident))? $name:literal [$($label:expr),*] $help:literal $($documented:ident)?;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub static $ident: Family = Family {
                name: $name,
                help: $help,
                kind: Kind::$kind $((BucketSet::$set))?,
                labels: &[$($label),*],
                documented: catalogue!(@documented $($documented)?),
            };
        )+

        /// Every family, in the order of the contract.
        pub static ALL: &[&Family] = &[$(&$ident),+];
    };
    (@documented documented) => { true };
    (@documented) => { false };
}

catalogue! {
    HTTP_REQUESTS = Counter "brightstaff_http_requests_total"
        [HANDLER, closed!(RequestMethod), closed!(StatusClass)]
        "Inbound requests, each counted once: when its status is known, or as \"error\" when it ends without one."
        documented;
    HTTP_REQUEST_DURATION = Histogram(Http) "brightstaff_http_request_duration_seconds"
        [HANDLER]
        "Seconds from the request's arrival at the middleware to the end of its response body (last byte, error or drop)."
        documented;
    HTTP_TIME_TO_HEADERS = Histogram(Http) "brightstaff_http_time_to_headers_seconds"
        [HANDLER]
        "Seconds from the request's arrival at the middleware until status and headers are ready."
        ;
    HTTP_IN_FLIGHT = Gauge "brightstaff_http_in_flight_requests"
        [HANDLER]
        "Requests between their arrival at the middleware and the end of their response body, streaming included."
        documented;
    HTTP_CANCELLED = Counter "brightstaff_http_requests_cancelled_total"
        [HANDLER, closed!(CancelPhase)]
        "Requests whose client went away before the headers, or before the end of the body."
        ;
    HTTP_INTERRUPTED = Counter "brightstaff_http_requests_interrupted_total"
        [HANDLER, closed!(InterruptReason)]
        "Requests whose response body failed after its status was sent: an error, fewer bytes than declared, or a panic; no cancel."
        ;

    UPSTREAM_IN_FLIGHT = Gauge "brightstaff_llm_upstream_in_flight"
        [PROVIDER]
        "Calls to a provider between their start and their end."
        ;
    UPSTREAM_REQUESTS = Counter "brightstaff_llm_upstream_requests_total"
        [PROVIDER, MODEL, closed!(StatusClass), closed!(ErrorClass)]
        "Calls to a provider, each attempt once, when it ends."
        documented;
    UPSTREAM_DURATION = Histogram(UpstreamDuration) "brightstaff_llm_upstream_duration_seconds"
        [PROVIDER, MODEL, closed!(Outcome)]
        "Seconds from the start of the call to the end of its response body; a client that reads slowly stretches it."
        documented;
    TIME_TO_FIRST_BYTE = Histogram(FirstToken) "brightstaff_llm_time_to_first_byte_seconds"
        [PROVIDER, MODEL]
        "Seconds from the start of the call to the first byte of its body; streamed 2xx answers only."
        ;
    TIME_TO_FIRST_TOKEN = Histogram(FirstToken) "brightstaff_llm_time_to_first_token_seconds"
        [PROVIDER, MODEL]
        "Seconds from the start of the call to the first generated output (text, reasoning, refusal, tool call, media); streamed 2xx answers only."
        documented;
    TIME_PER_OUTPUT_TOKEN = Histogram(TimePerOutputToken) "brightstaff_llm_time_per_output_token_seconds"
        [PROVIDER, MODEL]
        "Seconds per output token after the first, up to the protocol's end; streamed calls that ended well only, and none with several choices."
        ;
    TOKENS = Counter "brightstaff_llm_tokens_total"
        [PROVIDER, MODEL, closed!(TokenKind)]
        "Tokens as the provider reports them, interrupted calls included; prompt is all input, completion all output."
        documented;
    TOKEN_DETAILS = Counter "brightstaff_llm_token_details_total"
        [PROVIDER, MODEL, closed!(TokenDetail)]
        "Subsets of the tokens: cache_read and cache_write of the prompt, reasoning of the completion."
        ;
    REQUEST_TOKENS = Histogram(RequestTokens) "brightstaff_llm_request_tokens"
        [PROVIDER, MODEL, closed!(TokenKind)]
        "Tokens of one call that ended well: the lengths of its input and of its output."
        ;
    USAGE_MISSING = Counter "brightstaff_llm_tokens_usage_missing_total"
        [PROVIDER, MODEL, closed!(UsageMissing)]
        "2xx calls whose final usage was never seen, so that their tokens are missing in part or in whole."
        ;

    ROUTER_DECISIONS = Counter "brightstaff_router_decisions_total"
        [closed!(RouteKind), SELECTED_MODEL, closed!(Fallback)]
        "Routing decisions, one a request, when a candidate is accepted; fallback is true where it was not the first that was tried."
        documented;
    ROUTER_DECISION_DURATION = Histogram(RouterDecision) "brightstaff_router_decision_duration_seconds"
        [closed!(RouteKind)]
        "Seconds that the decision logic alone took, failed attempts excluded."
        documented;
    ROUTING_SERVICE_REQUESTS = Counter "brightstaff_routing_service_requests_total"
        [closed!(RoutingOutcome)]
        "Requests for a routing decision, by what was answered."
        documented;
    SESSION_CACHE_EVENTS = Counter "brightstaff_session_cache_events_total"
        [closed!(SessionCacheEvent)]
        "Lookups in the session cache and stores to it, by what came of them."
        documented;
    SESSION_CACHE_OPERATION = Histogram(SessionOperation) "brightstaff_session_cache_operation_seconds"
        [closed!(SessionCacheOperation), closed!(Outcome)]
        "Seconds from the start of an operation of a session cache that is not in memory to its result or time-out."
        ;
    ROUTER_CANDIDATE_SKIPS = Counter "brightstaff_router_candidate_skips_total"
        [SELECTED_MODEL, closed!(SkipReason)]
        "Candidates that were passed over without a call, each once a request."
        ;
    FAILOVER_REQUESTS = Counter "brightstaff_llm_failover_requests_total"
        [closed!(FailoverRoute), closed!(FailoverOutcome)]
        "Requests that named several candidates, each when its last attempt ended its search."
        ;

    PROCESS_CPU = Counter "process_cpu_seconds_total"
        []
        "Total user and system CPU time spent in seconds."
        documented;
    PROCESS_RESIDENT_MEMORY = Gauge "process_resident_memory_bytes"
        []
        "Resident memory size in bytes."
        documented;
    PROCESS_VIRTUAL_MEMORY = Gauge "process_virtual_memory_bytes"
        []
        "Virtual memory size in bytes."
        ;
    PROCESS_VIRTUAL_MEMORY_MAX = Gauge "process_virtual_memory_max_bytes"
        []
        "Maximum amount of virtual memory available in bytes."
        ;
    PROCESS_OPEN_FDS = Gauge "process_open_fds"
        []
        "Number of open file descriptors."
        ;
    PROCESS_MAX_FDS = Gauge "process_max_fds"
        []
        "Maximum number of open file descriptors."
        ;
    PROCESS_THREADS = Gauge "process_threads"
        []
        "Number of OS threads in the process."
        ;
    PROCESS_START_TIME = Gauge "process_start_time_seconds"
        []
        "Start time of the process since unix epoch in seconds."
        ;
    BUILD_INFO = Gauge "brightstaff_build_info"
        [open("version"), open("git_sha")]
        "1; the labels name the build of the gateway."
        documented;
    LABEL_OVERFLOW = Counter "brightstaff_metrics_label_overflow_total"
        [closed!(OverflowLabel)]
        "Records folded to \"other\", because their pair or name had no slot of its own."
        ;
    OTLP_EXPORTS = Counter "brightstaff_otlp_exports_total"
        [closed!(ExportOutcome)]
        "Exports over OTLP, each counted once when it ends, the tries that it took together; there only where metrics are pushed."
        ;
    LOG_LINES_DROPPED = Counter "brightstaff_log_lines_dropped_total"
        []
        "Lines of the log, or of the access log, that their queues had no room for, because nobody took them in time; the binary brightstaff-exporter only."
        ;
}

/// Families that [`Metrics`](crate::Metrics) knows nothing of: the package `brightstaff-exporter` registers
/// them, for what it does beside being a gateway.
pub static OF_THE_EXPORTER: &[&Family] = &[&OTLP_EXPORTS, &LOG_LINES_DROPPED];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        for family in ALL {
            let process = family.name.starts_with("process_");
            assert!(
                process || family.name.starts_with("brightstaff_"),
                "{family:?}"
            );
            assert_eq!(
                family.kind == Kind::Counter,
                family.name.ends_with("_total"),
                "{family:?}"
            );
            assert!(family.help.ends_with('.'), "{family:?}");
        }
    }

    #[test]
    fn no_family_stands_twice() {
        let mut names: Vec<_> = ALL.iter().map(|family| family.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
