//! What each alert means, what to check, and what to do. The page of monitoring has them with links; the
//! annotation of an alert has them in one piece, for who reads it on a pager.

/// The runbook of an alert. A panel stands in single quotes, and is a link on the page.
#[derive(Debug)]
pub(crate) struct Runbook {
    /// What has happened, to whom.
    pub(crate) means: &'static str,
    /// Where to look, in this order; what is seen there leads to what it says.
    pub(crate) check: &'static [&'static str],
    pub(crate) act: &'static [&'static str],
}

impl Runbook {
    /// In one piece.
    pub(super) fn annotation(&self) -> String {
        format!(
            "{} Check: {} Do: {}",
            self.means,
            self.check.join(" "),
            self.act.join(" ")
        )
    }
}

const HTTP_CHECK: &[&str] = &[
    "Open the panel '5xx share': which handler, and which of the lines?",
    "'Upstream errors, by class' rises alike: the cause is a provider; go on with the runbook of BrightstaffUpstreamErrorBudgetFastBurn.",
    "`failed without a status`: a handler that panics, or an error of which its framework made no response; the gateway's log has it.",
    "`interrupted, error`: responses that broke off after their status, mostly because their provider's stream did; `interrupted, panic`: the gateway's own code panicked while it made the body.",
    "None of these: what was rolled out last (`brightstaff_build_info`, and the annotations of the overview), and 'Memory and CPU'.",
];

const HTTP_ACT: &[&str] = &[
    "Did it begin with a rollout? Roll back first, search afterwards.",
    "Is it a provider? Put another candidate first in the routes that name it.",
];

pub(super) const HTTP_FAST_BURN: Runbook = Runbook {
    means: "Clients get 5xx responses, no response, or one that breaks off, so often that the month's budget is gone in two days. A 4xx, and a client that hung up, are not in it.",
    check: HTTP_CHECK,
    act: HTTP_ACT,
};

pub(super) const HTTP_SLOW_BURN: Runbook = Runbook {
    means: "As BrightstaffHttpErrorBudgetFastBurn, with fewer failures over more hours: the month's budget is gone in five days. It can wait for the morning, and not for the week.",
    check: HTTP_CHECK,
    act: HTTP_ACT,
};

const UPSTREAM_CHECK: &[&str] = &[
    "Open the panel 'Upstream errors, by class', and choose the provider at the top. The provider `other` is whoever has no name here: see 'What other stands for'.",
    "`status`: the provider's own 5xx. A 3xx is a base URL that has moved. A 4xx does not burn this budget.",
    "`timeout`, `connect`: can the gateway resolve and reach the host?",
    "`stream`: the provider cuts its responses off, or a proxy between does, mostly after a fixed time: see 'Upstream duration p95'.",
    "`parse`: what responds there does not speak this API.",
    "`other`: the connection broke before there was a status: a proxy or a firewall on the way, or the provider closes connections that the gateway still holds for open. Where `failed without a status` in '5xx share' rises alike, it may be a handler that panics before its call has one: the gateway's log has it. See 'What other stands for'.",
];

const UPSTREAM_ACT: &[&str] = &[
    "Read the provider's status page, and tell its support the ids of some requests: the access log has them as `upstream_request_id`.",
    "Meanwhile put another candidate first in the routes that name this provider; `brightstaff-exporter serve` takes the change on SIGHUP.",
];

pub(super) const UPSTREAM_FAST_BURN: Runbook = Runbook {
    means: "A provider, or the way to it, fails calls so often that its budget of the month is gone in two days. Clients notice where no other candidate saves them.",
    check: UPSTREAM_CHECK,
    act: UPSTREAM_ACT,
};

pub(super) const UPSTREAM_SLOW_BURN: Runbook = Runbook {
    means: "As BrightstaffUpstreamErrorBudgetFastBurn, with fewer failures over more hours: the provider's budget of the month is gone in five days.",
    check: UPSTREAM_CHECK,
    act: UPSTREAM_ACT,
};

pub(super) const SLOW_FIRST_TOKEN: Runbook = Runbook {
    means: "One streamed response in twenty shows its first token only after more than five seconds: people wait before an empty screen.",
    check: &[
        "Open 'Time to first token p95': how many models, of how many providers?",
        "The dashed line, the first byte, is as late: the provider queues, or the connection is slow.",
        "The token alone is late: the model reasons before it writes, or the prompts grew ('Tokens per request p50').",
        "All providers at once: the gateway itself, or its network ('Memory and CPU').",
    ],
    act: &[
        "One model: move it down the routes, or choose a smaller one.",
        "One provider: read its status page, and prefer another candidate.",
        "It is as the model is: raise the bound in your copy of the rule.",
    ],
};

pub(super) const RATE_LIMITED: Runbook = Runbook {
    means: "More than one call in twenty is answered with 429: the provider has had enough of this key, for now.",
    check: &[
        "Open 'Token throughput, by kind' and 'Requests per second, by handler': did the load rise?",
        "Open 'Tokens per request p50': did the requests grow? Limits are of tokens as well as of requests.",
        "Neither: did somebody else take up the same key, or did the provider lower the limit?",
    ],
    act: &[
        "Ask the provider for a higher limit, spread the load over another key or provider, or put another candidate into the routes.",
        "Do not retry faster: that makes it worse.",
    ],
};

pub(super) const REFUSED: Runbook = Runbook {
    means: "The provider works, and refuses a part of what it is sent with a 4xx that is not 429. Mostly a client makes its requests wrong. Nobody has to get up, and no error budget is touched.",
    check: &[
        "Open 'Upstream errors, by class', and choose this provider, then one model after the other.",
        "One model alone: it is gone, or the key has no right to it (404, 403).",
        "All of them: requests that the API does not take (400, 422), or clients' own keys that are not valid. The gateway's log has the status of each refusal and the id of its request; 'Requests per second, by handler' tells which API it was.",
    ],
    act: &["Tell whoever runs that client what its requests get, with the id of one."],
};

pub(super) const ALL_REFUSED: Runbook = Runbook {
    means: "The provider refuses nearly all calls with a 4xx that is not 429. So many have in common what the operator configured: the key, above all.",
    check: &[
        "Read one refusal in the gateway's log; the metrics know the class of a status, and not the status.",
        "401, 403: the key is wrong, has expired or was revoked. `brightstaff-exporter serve --check-keys` asks every provider whether it takes its key.",
        "404: the base URL is wrong (it is what the provider's own SDK takes), or the model is gone.",
        "400, 422: a client was rolled out that speaks another API, and is alone there.",
    ],
    act: &["Correct `api_key_env` of the provider, the variable that it names, or `url`."],
};

pub(super) const CANDIDATES_EXHAUSTED: Runbook = Runbook {
    means: "Requests name several candidates, and more than one in fifty is failed by all of them: what should save requests does not.",
    check: &[
        "Open 'Upstream errors, by class': do the candidates fail alike? Then they share what is broken: a provider, a key or a network.",
        "Some are passed over without a call: `brightstaff_router_candidate_skips_total` tells who is left alone, and why.",
        "A 4xx that `retry_on` names: the requests are at fault, or keys and models of all candidates.",
    ],
    act: &[
        "Add a candidate that shares nothing with the others.",
        "Shorten `cool_down` or `max_retry_after` where candidates are well again before they are asked.",
    ],
};

pub(super) const SESSION_STORE: Runbook = Runbook {
    means: "Lookups of sessions, or stores to them, fail. Every request is answered as if its session were new, so a conversation may change its model; nothing else is lost, and there is no hurry.",
    check: &[
        "The gateway's log names the error, once in a while.",
        "Is the Redis of `[sessions] url` up, and reached from the gateway (`redis-cli -u URL ping`)? Do its password and its certificate still hold?",
        "`brightstaff_session_cache_operation_seconds`: errors that come at once are refusals; those that come after the time-out are a network that drops packets, or a Redis that is busy.",
    ],
    act: &["Bring the Redis back; the gateway connects again by itself."],
};

pub(super) const USAGE_MISSING: Runbook = Runbook {
    means: "More than one successful call in twenty ended without its token usage, interruptions left out. The tokens are too low by what these calls used; all other numbers are right.",
    check: &[
        "Open 'Missing usage, label overflow': what is the reason?",
        "`not_reported`: streams end without usage. The gateway's log says why, once of each provider: `include_usage` is off, clients wrote `stream_options.include_usage = false`, or the provider does not tell it.",
        "`unparsable`: the provider changed its responses, or a proxy rewrites them.",
        "`unsupported_encoding`: responses come in a content encoding that is not read here.",
    ],
    act: &[
        "`not_reported`: write `include_usage = \"hidden\"` for the provider; a gateway of your own asks by `stream_options.include_usage`.",
        "`unparsable`: keep one response, and report it.",
        "`unsupported_encoding`: send the provider an `Accept-Encoding` of gzip, deflate, br and zstd alone.",
    ],
};

pub(super) const OVERFLOW: Runbook = Runbook {
    means: "Records are folded into `other`, since their pair or their name has no series of its own. Totals stay right; a breakdown by this label is not whole.",
    check: &[
        "`upstream`: calls fail for pairs of provider and model that the gateway did not declare (one earns its series with its first 2xx), or all slots are taken. Is there a client that makes up the names of models?",
        "`selected_model`, `handler`: more names than there are slots. Is a part of a path, such as an id, in a handler's name? See 'What other stands for'.",
    ],
    act: &[
        "Declare the pairs that are yours: then they have series from the start.",
        "Raise the cap where the metrics are registered: `open_models` of the provider, `upstream_cap` of all, `selected_model_cap`, `handler_cap`.",
        "Name routes by their templates.",
    ],
};

pub(super) const TARGET_DOWN: Runbook = Runbook {
    means: "Prometheus has not reached the gateway for five minutes. Perhaps it is down, perhaps it serves and is not seen; until it is back, the alerts on what it measures are silent.",
    check: &[
        "Does the gateway answer its clients? Its port is not that of its metrics.",
        "Prometheus' page Status > Targets names the error.",
        "`connection refused`: the process is down, and its log says why; or it listens elsewhere: see `METRICS_BIND_ADDRESS`, and that it is not bound to loopback while Prometheus runs in a container.",
        "`401`, `403`: the web configuration or the token of the metrics port changed.",
        "Timed out: the network, or a scrape that is too large: see `brightstaff_metrics_label_overflow_total` and the number of series.",
    ],
    act: &["Start the process, or correct the address, the credentials or the network."],
};
