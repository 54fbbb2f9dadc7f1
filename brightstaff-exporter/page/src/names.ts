/** The families that the page reads. */

export const HTTP_REQUESTS = 'brightstaff_http_requests_total';
export const HTTP_CANCELLED = 'brightstaff_http_requests_cancelled_total';
export const HTTP_INTERRUPTED = 'brightstaff_http_requests_interrupted_total';
export const HTTP_IN_FLIGHT = 'brightstaff_http_in_flight_requests';
export const CALLS = 'brightstaff_llm_upstream_requests_total';
export const CALLS_IN_FLIGHT = 'brightstaff_llm_upstream_in_flight';
export const FIRST_TOKEN = 'brightstaff_llm_time_to_first_token_seconds';
export const PER_TOKEN = 'brightstaff_llm_time_per_output_token_seconds';
export const TOKENS = 'brightstaff_llm_tokens_total';
export const USAGE_MISSING = 'brightstaff_llm_tokens_usage_missing_total';
export const DECISIONS = 'brightstaff_router_decisions_total';
export const DECISION_TIME = 'brightstaff_router_decision_duration_seconds';
export const SKIPS = 'brightstaff_router_candidate_skips_total';
export const ROUTING = 'brightstaff_routing_service_requests_total';
export const SESSIONS = 'brightstaff_session_cache_events_total';
export const FAILOVER = 'brightstaff_llm_failover_requests_total';
export const OVERFLOW = 'brightstaff_metrics_label_overflow_total';
export const BUILD = 'brightstaff_build_info';
export const MEMORY = 'process_resident_memory_bytes';

const histogram = (name: string): string[] => [`${name}_bucket`, `${name}_sum`, `${name}_count`];

export const COUNTERS: readonly string[] = [
  HTTP_REQUESTS,
  HTTP_CANCELLED,
  HTTP_INTERRUPTED,
  CALLS,
  ...histogram(FIRST_TOKEN),
  `${PER_TOKEN}_sum`,
  `${PER_TOKEN}_count`,
  TOKENS,
  USAGE_MISSING,
  DECISIONS,
  ...histogram(DECISION_TIME),
  SKIPS,
  ROUTING,
  SESSIONS,
  FAILOVER,
  OVERFLOW,
];

export const GAUGES: readonly string[] = [HTTP_IN_FLIGHT, CALLS_IN_FLIGHT, BUILD, MEMORY];
