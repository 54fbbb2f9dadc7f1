//! `METRICS.md`: every family of the catalogue, for people.

mod gen_ai;

use std::fmt::Write as _;

use brightstaff_metrics_core::{
    BucketSet,
    catalogue::{self, Family, Kind},
    reference,
};

const HEAD: &str = "\
<!-- Generated from the catalogue by `cargo xtask generate`: edit brightstaff-metrics-core/src/catalogue.rs. -->
# Metrics

Durations are seconds, counters end in `_total`, units are base units. Names marked ● are those that
Plano's monitoring page documents: they do not change.

## Words

- A **request** comes from a client to the gateway. A **handler** is the part of the gateway that serves it. The
  **response** is what the client gets for it.
- A **provider**, or **upstream**, is a service that the gateway asks. It offers **models**. A **call** is one request
  of the gateway to a provider; each attempt is one.
- A request or a call is **cancelled** when the side that asked goes away before the response is whole.
- A request is **interrupted** when its response had its status and then failed by itself: an error of the body, fewer
  bytes than declared, or a panic. No request is both.

## What is there before the first event

A family shows up in a scrape with its first sample, but for these, which are there at 0: every value
of `routing_service_requests_total`, `session_cache_events_total` and `metrics_label_overflow_total`,
the binary's `log_lines_dropped_total`, and where metrics are pushed every value of `otlp_exports_total`, from the start; of a handler, from its first request on, the gauge of requests in flight, both
phases of cancels and both reasons of interruptions, and from its first with a method on, that method's `2xx`, `4xx`, `5xx` and `error`;
of a pair of provider and model, from its creation on (that of a declared pair is the registration),
its histograms, both kinds of tokens, and its requests by the classes that are met in practice: `none`,
`stream` and `cancelled` of `2xx`, `rate_limit` and `status` of `4xx`, `status` of `5xx`, `timeout` and
`connect`; of a provider, from when it is named or one of its pairs has earned its series, the gauge of calls in flight.
So `rate()` sees the first event of each.
";

const SECTIONS: &[(&str, &str, &str)] = &[
    (
        "brightstaff_http_",
        "HTTP: one set per inbound request",
        "`handler` is the name that the user gave, or that of a well-known endpoint, or the route template, or\n\
         the name of the fallback, or `not_found` (`unmatched` where the status is a 1xx, 2xx or 3xx all the\n\
         same); never the raw path. The well-known endpoints, by method and path: POST `/v1/chat/completions`, `/v1/messages`, `/v1/responses`, `/v1/completions` are `llm_chat`;\n\
         the first three of them under `/agents` are `agent_chat`, under `/routing` `routing_decision`; POST\n\
         `/v1/embeddings` is `embeddings`, POST `/function_calling` `function_calling`; GET and HEAD\n\
         `/v1/models` and `/agents/v1/models` are `list_models`; OPTIONS with `Origin` and `Access-Control-Request-Method` is\n\
         `cors_preflight`. With any other method such a path goes by its route template, and by the endpoint's name where it\n\
         is refused with 404 or 405. At most 200 handlers have series; the rest is `other`, and so is a name of more than 128 bytes, or a template of more than 512.\n\n\
         The gateway of `brightstaff-exporter` counts as `malformed`, with the method `OTHER`, what it refuses\n\
         before it could read a head: 400, 414 and 431 of HTTP/1, and TLS on its port, whose connection is closed;\n\
         each at the instant of the refusal. Nothing is counted of connections that end before a whole head has\n\
         come, and of what HTTP/2 refuses by itself (a reset, or 431 to headers that are too long). A server under\n\
         a layer of your own tells the layer nothing of this. Probes of it are `healthz` and `readyz`. It knows the paths of\n\
         many APIs, with and without a provider's name before them, and names what they are, whatever the method: `llm_chat`,\n\
         `embeddings`, `images`, `audio`, `rerank`, `moderations`, `list_models`, `models`, `files`, `batches`, `count_tokens`,\n\
         `realtime` and, for all else that a provider is asked, `passthrough`.\n\n\
         A request is counted under its status, and once more as interrupted where its response then broke off: the\n\
         status says what was promised, the interruption that it was not kept. A gateway that passes on a provider's\n\
         stream breaks its response where that stream breaks. A response that an outer layer replaces, or of which\n\
         only the status is wanted, is not cancelled: nobody ever polled its body.",
    ),
    (
        "brightstaff_llm_",
        "LLM upstream: one set per call to a provider",
        "Each attempt is a call. Pairs that the gateway declares own their series; any other pair takes one of\n\
         200 free slots at its first 2xx, of which a provider that the gateway named (in a pair, by itself, or\n\
         for implicit calls) has 50. Until then, and past them, `model` is `other`, and so is `provider` where\n\
         the gateway did not name it. A response of a named provider that names no model has the model `unknown`,\n\
         and takes no slot. A streamed response is one in server-sent events, an AWS event stream, NDJSON or\n\
         Gemini's streamed array.\n\n\
         `llm_upstream_in_flight` has no model, since that may be known only at the end. A provider that nobody named\n\
         is `other` there until one of its pairs has earned its series; calls that began before stay in `other`\n\
         until they end.\n\n\
         **A call that is told by hand** (`response`, `first_token`, `usage`, `finish`), for SDKs that show no bytes,\n\
         counts like any other, from what it was told. It is streamed where `first_token` was told; it has no time to\n\
         first byte. A 2xx without a `usage` is `not_reported`. Dropped before `finish` it is `cancelled`, and its\n\
         missing usage `interrupted`.\n\n\
         **A call that is held** (`hold`) ends with its response's body, and all that is timed ends there; it is recorded,\n\
         and leaves the gauge, once its holder lets it go. A holder that finds the response useless\n\
         (`fail`) changes the class as `UpstreamCall::fail` would have set it.",
    ),
    (
        "brightstaff_rout",
        "Routing",
        "A candidate that is passed over is not tried: `fallback` is `true`, and the outcome `recovered`, where one that\n\
         was tried before had failed. So the decisions of requests that named several candidates are their outcomes\n\
         `first_try` and `recovered`. Nothing is recorded of a search that the client did not wait for.",
    ),
    ("brightstaff_session_", "", ""),
    ("brightstaff_llm_failover_", "", ""),
    (
        "process_",
        "Process",
        "Read from procfs at each scrape; absent without `/proc`.",
    ),
    ("brightstaff_build_", "Build, self", ""),
    ("brightstaff_metrics_", "", ""),
    ("brightstaff_otlp_", "", ""),
    ("brightstaff_log_", "", ""),
];

/// The names of the same things in OpenTelemetry's semantic conventions for generative AI.
const OTEL: &[(&Family, &str)] = &[
    (
        &catalogue::UPSTREAM_DURATION,
        "`gen_ai.client.operation.duration`",
    ),
    (
        &catalogue::TOKENS,
        "`gen_ai.client.inference.usage.input_tokens` / `.output_tokens`; until 1.41 the sum of \
         `gen_ai.client.token.usage`, by `gen_ai.token.type` = `input` / `output`",
    ),
    (
        &catalogue::TOKEN_DETAILS,
        "`gen_ai.client.inference.usage.cache_read.input_tokens` / `.cache_write.input_tokens` / \
         `.reasoning.output_tokens`",
    ),
    (
        &catalogue::REQUEST_TOKENS,
        "`gen_ai.client.inference.operation.input_tokens` / `.output_tokens`; until 1.41 \
         `gen_ai.client.token.usage`, by `gen_ai.token.type` = `input` / `output`",
    ),
    (
        &catalogue::TIME_TO_FIRST_BYTE,
        "`gen_ai.client.operation.time_to_first_chunk`",
    ),
    (
        &catalogue::TIME_TO_FIRST_TOKEN,
        "`gen_ai.server.time_to_first_token`, seen from the gateway",
    ),
    (
        &catalogue::TIME_PER_OUTPUT_TOKEN,
        "`gen_ai.server.time_per_output_token`, seen from the gateway",
    ),
    (
        &catalogue::HTTP_REQUEST_DURATION,
        "`http.server.request.duration`",
    ),
    (&catalogue::HTTP_IN_FLIGHT, "`http.server.active_requests`"),
];

/// The whole file.
pub(crate) fn render() -> String {
    let mut out = HEAD.to_owned();
    for (prefix, title, text) in SECTIONS {
        if !title.is_empty() {
            let _ = writeln!(out, "\n## {title}");
            if !text.is_empty() {
                let _ = writeln!(out, "{text}");
            }
            out.push_str(
                "\n| family | type | labels | one sample is |\n| --- | --- | --- | --- |\n",
            );
        }
        for family in families(prefix) {
            row(&mut out, family);
        }
    }
    meanings(&mut out);
    buckets(&mut out);
    out.push_str(BESIDE_BUCKETS);
    out.push_str(
        "\n## In OpenTelemetry's words\n`provider` is `gen_ai.provider.name`, `model` is `gen_ai.request.model` (explicit calls) or\n\
         `gen_ai.response.model` (implicit ones), `error_class` is `error.type`.\n\n\
         | here | there |\n| --- | --- |\n",
    );
    for (family, name) in OTEL {
        let _ = writeln!(out, "| `{}` | {name} |", family.name);
    }
    gen_ai::section(&mut out);
    out
}

/// Those of a section, which is that of the longest prefix that fits.
fn families(prefix: &str) -> impl Iterator<Item = &'static Family> {
    let all = catalogue::ALL.iter().copied();
    all.filter(move |family| {
        let fitting = SECTIONS.iter().map(|(prefix, ..)| *prefix);
        let fitting = fitting.filter(|prefix| family.name.starts_with(prefix));
        fitting.max_by_key(|prefix| prefix.len()) == Some(prefix)
    })
}

fn row(out: &mut String, family: &Family) {
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
        _ => unreachable!("every kind is told"),
    };
    let labels: Vec<_> = family
        .labels
        .iter()
        .map(|label| match label.values {
            None => format!("`{}`", label.name),
            Some(values) => {
                let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
                format!("`{}` = {}", label.name, values.join(" / "))
            }
        })
        .collect();
    let mark = if reference::is_documented(family) {
        " ●"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "| `{}`{mark} | {kind} | {} | {} |",
        family.name,
        labels.join(", "),
        family.help
    );
}

/// What the values of the closed labels mean, but for methods and classes of statuses, which HTTP explains.
fn meanings(out: &mut String) {
    out.push_str(
        "\n## Label values\n\n| label | of | value | meaning |\n| --- | --- | --- | --- |\n",
    );
    for (name, values, meanings) in reference::MEANINGS {
        meaning(out, name, values, meanings);
    }
}

fn meaning(out: &mut String, name: &str, values: &[&str], meanings: &[&str]) {
    let with = |family: &&&Family| {
        let mut labels = family.labels.iter();
        labels.any(|label| label.name == name && label.values == Some(values))
    };
    let families = catalogue::ALL.iter().filter(with);
    let families: Vec<_> = families
        .map(|family| family.name.trim_start_matches("brightstaff_"))
        .map(|family| format!("`{family}`"))
        .collect();
    let families = families.join(", ");
    for (value, meaning) in values.iter().zip(meanings) {
        let _ = writeln!(out, "| `{name}` | {families} | `{value}` | {meaning} |");
    }
}

const BESIDE_BUCKETS: &str = "
## Beside the buckets

- **Native buckets**, with `Metrics::builder().native_histograms(true)`: schema 3, each 9 % wider than the one before,
  from 1 \u{b5}s to 4,096 s, and from 1 to 2^32 tokens; what lies past an end counts in the bucket there, and 0 by itself. They
  are told in protobuf, with the classic ones unless `classic(false)` leaves these out. A message that has both
  tells of the same samples: its count is that of the native buckets, and a sample that came while it was made may
  be in `+Inf` alone.
- **Exemplars**, where a request has a `traceparent` whose trace is sampled, in OpenMetrics, protobuf and OTLP: `trace_id`,
  `span_id`, the sample and when, of the latest in each bucket of `http_request_duration_seconds`,
  `llm_upstream_duration_seconds`, `llm_time_to_first_token_seconds` and `llm_time_per_output_token_seconds`. Calls
  that are measured implicitly are in the trace of their request, others in that which `UpstreamCall::in_trace` told.
- **When a series began**: in protobuf and OTLP always, and in OpenMetrics as `_created` with
  `Metrics::builder().created_samples(true)`. What is made later begins later.

## Pushed
Over OTLP every family has the name that it has in a scrape, `_total` included, and its labels as attributes (strings), in the
scope `brightstaff`. The unit is `s` where the name ends in `_seconds` and `By` where it ends in `_bytes` (`_total` aside), else
there is none: so no receiver adds a unit, or a second `_total`, to a name.

| family | metric | value |
| --- | --- | --- |
| counter | `Sum`, monotonic, cumulative or delta | an integer; CPU time a float |
| gauge | `Gauge` | an integer; of `process_*` a float |
| histogram | `Histogram`, cumulative or delta | the bounds above; the samples of each bucket alone |
| the same with native buckets, where exponential ones are asked for | `ExponentialHistogram`, cumulative or delta | scale 3; OpenTelemetry's number of a bucket is one less than Prometheus' |
| of another collector | the same; a summary is `Summary`, what is untyped a `Gauge` | a float |

Each point starts when its series began: what other collectors count when pushing began, CPU time with the process. Exemplars
stand at the points of histograms. A family without series is left out, and so is a delta of 0 after the first.
";

fn buckets(out: &mut String) {
    out.push_str("\n## Default buckets\nEvery set can be replaced: `Metrics::builder().buckets(set, bounds)`.\n\n| set | upper bounds | families |\n| --- | --- | --- |\n");
    for &set in BucketSet::ALL {
        let bounds: Vec<_> = set.default_bounds().iter().map(f64::to_string).collect();
        let families: Vec<_> = catalogue::ALL
            .iter()
            .filter(|family| family.kind == Kind::Histogram(set))
            .map(|family| format!("`{}`", family.name))
            .collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            set.name(),
            bounds.join(" "),
            families.join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_stands_once() {
        let rendered = render();
        for family in catalogue::ALL {
            let row = format!("\n| `{}`", family.name);
            let rows = rendered.matches(&format!("{row} |")).count()
                + rendered.matches(&format!("{row} ● |")).count()
                - OTEL.iter().filter(|(f, _)| f.name == family.name).count();
            assert_eq!(rows, 1, "{}", family.name);
        }
    }
}
