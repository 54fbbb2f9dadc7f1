//! Calls to providers: each attempt is one.

use brightstaff_metrics_core::{
    catalogue::{
        LABEL_OVERFLOW, REQUEST_TOKENS, TIME_PER_OUTPUT_TOKEN, TIME_TO_FIRST_BYTE,
        TIME_TO_FIRST_TOKEN, TOKEN_DETAILS, TOKENS, UPSTREAM_DURATION, UPSTREAM_REQUESTS,
        USAGE_MISSING,
    },
    labels::{
        ErrorClass, Outcome, OverflowLabel, StatusClass, TokenDetail, TokenKind, UsageMissing,
    },
};

use crate::{
    grafana::panel::{
        Panel, Query,
        Threshold::{Act, Look},
        Unit,
    },
    promql::{MODEL, PROVIDER, Source, part, share},
    rules::alerts,
};

pub(super) fn panels(from: Source) -> Vec<Panel> {
    let mut panels = calls(from);
    panels.extend(tokens(from));
    panels
}

fn calls(from: Source) -> Vec<Panel> {
    let pair = format!("{{{{{PROVIDER}}}}} {{{{{MODEL}}}}}");
    let mean = format!("{pair} mean");
    let class = format!("{{{{{}}}}}", ErrorClass::NAME);
    let well = || from.buckets(&UPSTREAM_DURATION).is(Outcome::Ok);
    let first_token = || from.buckets(&TIME_TO_FIRST_TOKEN);
    let failed = from.rate(&UPSTREAM_REQUESTS).without(ErrorClass::None);
    // Both outcomes of a pair are there from its creation on, so that not even the first error of a
    // pair is lost, as that of a class is.
    let ended = from.count(&UPSTREAM_DURATION);
    let all = || from.rate(&UPSTREAM_REQUESTS).by([]);
    let refused = from
        .rate(&UPSTREAM_REQUESTS)
        .is(StatusClass::ClientError)
        .is(ErrorClass::Status)
        .by([]);
    let ended_badly = || from.count(&UPSTREAM_DURATION).is(Outcome::Error).by([]);
    vec![
        Panel {
            id: 6,
            title: "Upstream duration p95",
            about: "From the start of a call to the end of its response body, of calls that ended well. A client that reads slowly stretches it. A p95 below the first bucket (50 ms) or beyond the last one (600 s) was not measured: then the mean is drawn, dashed.",
            reading: "Failed calls are left out, since a provider that refuses fast would look fast. Long responses take long: read it beside tokens per request.",
            width: 8,
            unit: Unit::Seconds,
            queries: vec![
                Query::new(well().measured(0.95, [PROVIDER, MODEL]), &pair).exemplars(),
                Query::mean_unless(well(), 0.95, [PROVIDER, MODEL], &mean),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No call ended well",
            see: &[8, 10, 11],
            runbook: None,
        },
        Panel {
            id: 7,
            title: "Upstream errors, by class",
            about: "Calls that did not end well, each attempt once, at its end. A stream that broke after its 200 is an error (stream); a call that was dropped because the client hung up is cancelled.",
            reading: "The class tells whose turn it is: `rate_limit` and `status` are the provider's response, and `4xx, of status` those of the latter that it refused: a client's mistake, or where it is nearly all, the key's; they are in no error budget; `timeout` and `connect` the way there, `stream` a broken response, `cancelled` our own side. The dashed line is the share of all calls that did not end well.",
            width: 8,
            unit: Unit::PerSecond,
            queries: vec![
                Query::new(failed.by([ErrorClass::NAME]), &class),
                Query::new(refused.or_zero(&all()), "4xx, of status"),
                Query::new(ended_badly(), "all errors"),
                Query::new(share(ended_badly(), &ended.by([])), "share of calls")
                    .right(Unit::Share, "share of calls"),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No calls",
            see: &[2, 13],
            runbook: Some(alerts::UPSTREAM_FAST_BURN),
        },
        Panel {
            id: 8,
            title: "Time to first token p95",
            about: "From the start of a call to the chunk that completes the first event with generated output: text, reasoning, a refusal, a tool call, media. Streamed 2xx responses only. Dashed: to the first byte of the body, all calls together. A p95 below the first bucket (10 ms) or beyond the last one (120 s) was not measured: then the mean is drawn, dashed.",
            reading: "What people feel as speed. Far above the first byte, the provider accepts fast and thinks long; both high together, it queues. A role prelude, a ping or an empty delta is not a token.",
            width: 8,
            unit: Unit::Seconds,
            queries: vec![
                Query::new(first_token().measured(0.95, [PROVIDER, MODEL]), &pair).exemplars(),
                Query::new(
                    from.buckets(&TIME_TO_FIRST_BYTE).measured(0.95, []),
                    "first byte, all",
                )
                .dashed(),
                Query::mean_unless(first_token(), 0.95, [PROVIDER, MODEL], &mean),
            ],
            thresholds: &[Look(alerts::SLOW_FIRST_TOKEN_SECONDS)],
            stacked: false,
            idle: "No streamed responses",
            see: &[6, 10],
            runbook: Some(alerts::SLOW_FIRST_TOKEN),
        },
    ]
}

fn tokens(from: Source) -> Vec<Panel> {
    let kind = format!("{{{{{}}}}}", TokenKind::NAME);
    let pair = format!("{{{{{PROVIDER}}}}} {{{{{MODEL}}}}}");
    let pace = || from.buckets(&TIME_PER_OUTPUT_TOKEN);
    let missing = || from.rate(&USAGE_MISSING);
    let successes = || from.rate(&UPSTREAM_REQUESTS).is(StatusClass::Success);
    vec![
        Panel {
            id: 9,
            title: "Token throughput, by kind",
            about: "Tokens as the providers report them, counted when a call ends, interrupted calls included. Prompt is all input and completion all output. Dashed: their subsets (cache reads and writes of the prompt, reasoning of the completion).",
            reading: "The bill. Prompt and completion are disjoint, so their sum is right; the dashed lines are parts of them and must not be added. Long streams count at their end, so throughput lags behind what is being generated.",
            width: 6,
            unit: Unit::TokensPerSecond,
            queries: vec![
                Query::new(from.rate(&TOKENS).by([TokenKind::NAME]), &kind),
                Query::new(
                    from.rate(&TOKEN_DETAILS).by([TokenDetail::NAME]),
                    format!("of it {{{{{}}}}}", TokenDetail::NAME),
                )
                .dashed(),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No tokens were reported",
            see: &[11, 12],
            runbook: None,
        },
        Panel {
            id: 10,
            title: "Time per output token p50, p95",
            about: "From the first token to the end of the protocol, divided by the tokens after the first. Streamed calls that ended well, with two tokens at least. What is below the first bucket (1 ms) or beyond the last one (2.5 s) was not measured: then the mean is drawn, dashed.",
            reading: "The pace of generation: 0.02 s is 50 tokens each second. It rises when a provider is crowded, long before errors do.",
            width: 6,
            unit: Unit::Seconds,
            queries: vec![
                Query::new(
                    pace().measured(0.5, [PROVIDER, MODEL]),
                    format!("{pair} p50"),
                )
                .low(),
                Query::new(
                    pace().measured(0.95, [PROVIDER, MODEL]),
                    format!("{pair} p95"),
                )
                .exemplars(),
                Query::mean_unless(pace(), 0.5, [PROVIDER, MODEL], format!("{pair} mean")),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No streamed responses",
            see: &[6, 8],
            runbook: None,
        },
        Panel {
            id: 11,
            title: "Tokens per request p50",
            about: "The median length of input (prompt) and output (completion) of calls that ended well. Dashed, on the right: how many such calls ended each second.",
            reading: "Buckets grow fourfold, so this is an order of magnitude. A prompt that creeps up is a conversation that nobody cuts; durations follow.",
            width: 6,
            unit: Unit::Tokens,
            queries: vec![
                Query::new(
                    from.buckets(&REQUEST_TOKENS)
                        .measured(0.5, [TokenKind::NAME]),
                    &kind,
                ),
                Query::new(
                    from.count(&REQUEST_TOKENS).is(TokenKind::Prompt).by([]),
                    "completed calls",
                )
                .right(Unit::PerSecond, "completed calls"),
                Query::mean_unless(
                    from.buckets(&REQUEST_TOKENS),
                    0.5,
                    [TokenKind::NAME],
                    format!("{kind} mean"),
                ),
            ],
            thresholds: &[],
            stacked: false,
            idle: "No call ended well",
            see: &[6, 9],
            runbook: None,
        },
        Panel {
            id: 12,
            title: "Missing usage, label overflow",
            about: "2xx calls whose final usage was never seen, so that their tokens are missing in part or in whole, as a share of all 2xx calls, by reason. Dashed, on the right: records folded to \"other\", because their pair or name had no slot of its own.",
            reading: "How far to trust the token panels. `not_reported` is a stream that was not asked for usage, `interrupted` comes with hang-ups; the other two want a look at the responses. Overflow means that a breakdown by model or handler is no longer whole.",
            width: 6,
            unit: Unit::Share,
            queries: vec![
                Query::new(
                    part(&missing().by([UsageMissing::NAME]), &successes().by([])),
                    format!("{{{{{}}}}}", UsageMissing::NAME),
                ),
                Query::new(share(missing().by([]), &successes().by([])), "all reasons"),
                Query::new(
                    from.rate(&LABEL_OVERFLOW).by([OverflowLabel::NAME]),
                    format!("overflow of {{{{{}}}}}", OverflowLabel::NAME),
                )
                .right(Unit::PerSecond, "overflow"),
            ],
            thresholds: &[Look(0.05), Act(0.25)],
            stacked: false,
            idle: "No 2xx calls",
            see: &[9],
            runbook: Some(alerts::USAGE_MISSING_ALERT),
        },
    ]
}
