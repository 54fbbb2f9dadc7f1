// Metrics of gateways that do not exist.

/** What one pair has counted after `turns` scrapes. */
export function pair(provider, model, turns, { calls = 10, failed = 0, fault = 'status', status = '5xx', missing = 0, firstToken = 0.3, bounds = [0.01, 0.1, 0.5, 5, 120] } = {}) {
  const of = `model="${model}",provider="${provider}"`;
  const lines = [
    `brightstaff_llm_upstream_requests_total{error_class="none",${of},status_class="2xx"} ${(calls - failed) * turns}`,
    `brightstaff_llm_upstream_requests_total{error_class="${fault}",${of},status_class="${status}"} ${failed * turns}`,
    `brightstaff_llm_tokens_total{kind="prompt",${of}} ${100 * turns}`,
    `brightstaff_llm_tokens_total{kind="completion",${of}} ${30 * turns}`,
    `brightstaff_llm_tokens_usage_missing_total{${of},reason="not_reported"} ${missing * turns}`,
    `brightstaff_llm_time_per_output_token_seconds_sum{${of}} ${0.2 * turns}`,
    `brightstaff_llm_time_per_output_token_seconds_count{${of}} ${10 * turns}`,
  ];
  for (const bound of [...bounds, '+Inf']) {
    lines.push(`brightstaff_llm_time_to_first_token_seconds_bucket{${of},le="${bound}"} ${bound === '+Inf' || firstToken <= bound ? calls * turns : 0}`);
  }
  return lines.join('\n');
}

/** A scrape: of a process that started at this time, with this and nothing else. */
export function scrape(started, ...parts) {
  return [`process_start_time_seconds ${started}`, 'brightstaff_build_info{git_sha="0123456789abcdef",version="9.9.9"} 1', ...parts, ''].join('\n');
}

/** In seconds, as a process that has run for days would say it. */
export const longAgo = () => Math.floor(Date.now() / 1000) - 200_000;
