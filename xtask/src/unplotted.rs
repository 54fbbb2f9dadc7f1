//! Families that are on no panel, and why.

use brightstaff_metrics_core::catalogue::{
    BUILD_INFO, FAILOVER_REQUESTS, Family, HTTP_TIME_TO_HEADERS, LOG_LINES_DROPPED, OTLP_EXPORTS,
    PROCESS_MAX_FDS, PROCESS_OPEN_FDS, PROCESS_START_TIME, PROCESS_THREADS, PROCESS_VIRTUAL_MEMORY,
    PROCESS_VIRTUAL_MEMORY_MAX, ROUTER_CANDIDATE_SKIPS, SESSION_CACHE_OPERATION,
};

/// Every family that is on no panel, on purpose.
pub(crate) static UNPLOTTED: &[(&Family, &str)] = &[
    (
        &HTTP_TIME_TO_HEADERS,
        "the time to first token says more of a stream, and the duration of everything else; for a closer look",
    ),
    (
        &SESSION_CACHE_OPERATION,
        "there only with sessions in a Redis, whose failures are with the session cache's events; for a slow one",
    ),
    (
        &ROUTER_CANDIDATE_SKIPS,
        "there only where a route leaves candidates alone for a while; for who is left alone, and why",
    ),
    (
        &FAILOVER_REQUESTS,
        "`recovered` is the fallback rate, and an alert looks at `exhausted`; for requests that no candidate could save",
    ),
    (&PROCESS_VIRTUAL_MEMORY, "address space, not memory in use"),
    (&PROCESS_VIRTUAL_MEMORY_MAX, "a limit, and mostly none"),
    (&PROCESS_OPEN_FDS, "follows the requests in flight"),
    (&PROCESS_MAX_FDS, "a limit"),
    (&PROCESS_THREADS, "set by the runtime, and constant"),
    (&PROCESS_START_TIME, "for uptime, and for finding restarts"),
    (
        &OTLP_EXPORTS,
        "there only where metrics are pushed; what `rejected` and `failed` count is missing in the backend, and the log tells why",
    ),
    (
        &LOG_LINES_DROPPED,
        "0 for as long as something reads the log; for a gateway that has gone quiet",
    ),
    (
        &BUILD_INFO,
        "feeds the variable `instance`, and tells the gateway's processes from others",
    ),
];
