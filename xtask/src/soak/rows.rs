//! What is done to the gateway: one row for each kind of request, fault or misuse, with what must be
//! seen and counted of it. A new limit of the gateway is a new row here.

use super::provider::Plan;

/// The longest request body that the soaked gateway takes.
pub(super) const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// How long the soaked gateway waits for headers: long enough for a busy machine, whose answers must
/// not be late by accident.
pub(super) const HEADER_TIMEOUT: &str = "10s";

const CHAT: &str = "/v1/chat/completions";

/// One kind of request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// How many of it come in one round of all rows.
    pub(super) share: usize,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) body: Body,
    pub(super) plan: Plan,
    pub(super) client: Client,
    pub(super) sees: Sees,
    pub(super) counted: Counted,
    pub(super) calls: &'static [Call],
    /// Prompt and completion.
    pub(super) tokens: (u64, u64),
}

/// What is sent behind the head.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    None,
    /// A completion for this model, streamed or not.
    Completion(&'static str, bool),
    /// One byte more than the gateway takes.
    TooLarge,
    /// A text that is no JSON.
    NoJson,
}

/// What the client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// Reads to the end, on a connection that is used again.
    Keeps,
    /// Reads to the end, on a connection of its own, and asks that it be closed.
    Closes,
    /// Goes when the provider has its request.
    LeavesBeforeHeaders,
    /// Goes after the first bytes of the body.
    LeavesInBody,
    /// Sends half of its body, then no more, and reads.
    SendsHalf,
    /// Sends half of its body, and goes.
    LeavesInRequest,
    /// Sends these bytes instead, and reads.
    Sends(&'static [u8]),
}

/// What the client must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sees {
    /// A status, and the whole body.
    Whole(u16),
    /// A status, and a body that breaks off.
    Broken(u16),
    /// It did not wait for the end.
    Left,
}

/// How the request is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted {
    /// By handler, method and status class.
    As(&'static str, &'static str, &'static str),
    /// The same, and as cancelled in this phase.
    Cancelled(&'static str, &'static str, &'static str),
    /// A head that is no HTTP: as `malformed`, by gateways that count these at all.
    Malformed,
}

/// How a call is counted: provider, status class, error class.
pub(super) type Call = (&'static str, &'static str, &'static str);

/// Most rows: a chat completion that is read to its end.
const BASE: Row = Row {
    name: "",
    share: 2,
    method: "POST",
    path: CHAT,
    body: Body::Completion("live/m", false),
    plan: Plan::Json,
    client: Client::Keeps,
    sees: Sees::Whole(200),
    counted: Counted::As("llm_chat", "POST", "2xx"),
    calls: &[("live", "2xx", "none")],
    tokens: (0, 0),
};

/// The same, streamed.
const STREAMED: Row = Row {
    body: Body::Completion("live/m", true),
    ..BASE
};

/// A request that the gateway answers by itself.
const REFUSED: Row = Row {
    sees: Sees::Whole(400),
    counted: Counted::As("llm_chat", "POST", "4xx"),
    calls: &[],
    ..BASE
};

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "JSON",
        share: 20,
        tokens: Plan::JSON_TOKENS,
        ..BASE
    },
    Row {
        name: "JSON, connection: close",
        share: 6,
        client: Client::Closes,
        tokens: Plan::JSON_TOKENS,
        ..BASE
    },
    Row {
        name: "JSON, gzip",
        share: 6,
        plan: Plan::Gzip,
        tokens: Plan::JSON_TOKENS,
        ..BASE
    },
    Row {
        name: "headers that come late",
        plan: Plan::SlowHeaders,
        tokens: Plan::JSON_TOKENS,
        ..BASE
    },
    Row {
        name: "stream",
        share: 16,
        plan: Plan::Stream,
        tokens: Plan::STREAM_TOKENS,
        ..STREAMED
    },
    Row {
        name: "stream of Anthropic's",
        share: 6,
        path: "/v1/messages",
        plan: Plan::Messages,
        tokens: Plan::MESSAGES_TOKENS,
        ..STREAMED
    },
    Row {
        name: "stream that the provider cuts",
        share: 4,
        plan: Plan::Cut,
        sees: Sees::Broken(200),
        calls: &[("live", "2xx", "stream")],
        ..STREAMED
    },
    Row {
        name: "stream that ends too early",
        share: 4,
        plan: Plan::Early,
        calls: &[("live", "2xx", "stream")],
        ..STREAMED
    },
    Row {
        name: "stream with an error event",
        share: 4,
        plan: Plan::ErrorEvent,
        calls: &[("live", "2xx", "stream")],
        ..STREAMED
    },
    Row {
        name: "provider answers 400",
        plan: Plan::Status(400),
        sees: Sees::Whole(400),
        counted: Counted::As("llm_chat", "POST", "4xx"),
        calls: &[("live", "4xx", "status")],
        ..BASE
    },
    Row {
        name: "provider answers 429",
        share: 4,
        plan: Plan::Status(429),
        sees: Sees::Whole(429),
        counted: Counted::As("llm_chat", "POST", "4xx"),
        calls: &[("live", "4xx", "rate_limit")],
        ..BASE
    },
    Row {
        name: "provider answers 500",
        share: 4,
        plan: Plan::Status(500),
        sees: Sees::Whole(500),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("live", "5xx", "status")],
        ..BASE
    },
    Row {
        name: "provider refuses connections",
        share: 4,
        body: Body::Completion("dead/m", false),
        sees: Sees::Whole(502),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("dead", "error", "connect")],
        ..BASE
    },
    Row {
        name: "provider goes without an answer",
        plan: Plan::Hangup,
        sees: Sees::Whole(502),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("live", "error", "other")],
        ..BASE
    },
    Row {
        name: "provider answers in another language",
        plan: Plan::NoHttp,
        sees: Sees::Whole(502),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("live", "error", "parse")],
        ..BASE
    },
    Row {
        name: "provider never answers",
        share: 1,
        plan: Plan::Never,
        sees: Sees::Whole(504),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("live", "error", "timeout")],
        ..BASE
    },
    Row {
        name: "alias whose first candidate is dead",
        share: 4,
        body: Body::Completion("rescued", false),
        calls: &[("dead", "error", "connect"), ("live", "2xx", "none")],
        tokens: Plan::JSON_TOKENS,
        ..BASE
    },
    Row {
        name: "client leaves before the headers",
        share: 4,
        plan: Plan::Never,
        client: Client::LeavesBeforeHeaders,
        sees: Sees::Left,
        counted: Counted::Cancelled("llm_chat", "error", "headers"),
        calls: &[("live", "error", "cancelled")],
        ..BASE
    },
    Row {
        name: "client leaves in the stream",
        share: 4,
        plan: Plan::Open,
        client: Client::LeavesInBody,
        sees: Sees::Left,
        counted: Counted::Cancelled("llm_chat", "2xx", "body"),
        calls: &[("live", "2xx", "cancelled")],
        ..STREAMED
    },
    Row {
        name: "half of a body",
        client: Client::SendsHalf,
        ..REFUSED
    },
    Row {
        name: "half of a body, and gone",
        client: Client::LeavesInRequest,
        sees: Sees::Left,
        ..REFUSED
    },
    Row {
        name: "body that is no JSON",
        body: Body::NoJson,
        ..REFUSED
    },
    Row {
        name: "body that is too large",
        body: Body::TooLarge,
        client: Client::Closes,
        sees: Sees::Whole(413),
        ..REFUSED
    },
    Row {
        name: "model that nobody has",
        body: Body::Completion("nobody/m", false),
        ..REFUSED
    },
    Row {
        name: "head that is no HTTP",
        client: Client::Sends(b"\x16\x03\x01 this is not HTTP\r\n\r\n"),
        counted: Counted::Malformed,
        ..REFUSED
    },
    Row {
        name: "head without a name of a header",
        client: Client::Sends(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n: nameless\r\n\r\n"),
        counted: Counted::Malformed,
        ..REFUSED
    },
    Row {
        name: "path that leads nowhere",
        path: "/v1/../etc/passwd?model=m",
        sees: Sees::Whole(404),
        counted: Counted::As("not_found", "POST", "4xx"),
        ..REFUSED
    },
    Row {
        name: "list of models",
        method: "GET",
        path: "/v1/models",
        body: Body::None,
        sees: Sees::Whole(200),
        counted: Counted::As("list_models", "GET", "2xx"),
        ..REFUSED
    },
    Row {
        name: "HEAD",
        method: "HEAD",
        path: "/v1/models",
        body: Body::None,
        sees: Sees::Whole(200),
        counted: Counted::As("/v1/models", "HEAD", "2xx"),
        ..REFUSED
    },
    Row {
        name: "OPTIONS",
        method: "OPTIONS",
        body: Body::None,
        sees: Sees::Whole(405),
        counted: Counted::As(CHAT, "OPTIONS", "4xx"),
        ..REFUSED
    },
    Row {
        name: "method that nobody knows",
        method: "BREW",
        body: Body::None,
        sees: Sees::Whole(405),
        counted: Counted::As(CHAT, "OTHER", "4xx"),
        ..REFUSED
    },
];

/// Rows in the order in which they are played, again and again: each as often as its share says, spread
/// over the round.
pub(super) fn round() -> Vec<&'static Row> {
    let mut places: Vec<(usize, &Row)> = Vec::new();
    for (index, row) in ROWS.iter().enumerate() {
        // Thousandths of a round, shifted so that rows of one share do not come together.
        let step = 1000 / row.share;
        places.extend((0..row.share).map(|nth| (nth * step + index * 37 % step, row)));
    }
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_holds_every_row_as_often_as_it_should() {
        let round = round();
        for row in ROWS {
            let times = round.iter().filter(|played| played.name == row.name);
            assert_eq!(times.count(), row.share, "{}", row.name);
        }
    }

    #[test]
    fn names_tell_rows_apart() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }
}
