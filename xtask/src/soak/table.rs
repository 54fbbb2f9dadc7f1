//! What is done to the gateway: one row for each kind of request, fault or misuse, with what must be
//! seen and counted of it. A new limit of the gateway is a new row here.

use super::{
    apis,
    plan::Plan,
    refused,
    rows::{Actix, Body, Client, Counted, Row, Sees},
};

pub(super) const CHAT: &str = "/v1/chat/completions";

/// Most rows: a chat completion that is read to its end.
pub(super) const BASE: Row = Row {
    name: "",
    share: 2,
    method: "POST",
    path: CHAT,
    body: Body::Completion("openai/m", false),
    plan: Plan::Json,
    client: Client::Keeps,
    sees: Sees::Whole(200),
    counted: Counted::As("llm_chat", "POST", "2xx"),
    calls: &[("openai", "2xx", "none")],
    tokens: (0, 0),
    actix: Actix::Same,
};

/// The same, streamed.
const STREAMED: Row = Row {
    body: Body::Completion("openai/m", true),
    ..BASE
};

/// A web socket, which is no call.
const SOCKET: Row = Row {
    share: 4,
    method: "GET",
    path: "/v1/realtime?model=openai/m",
    body: Body::None,
    sees: Sees::Whole(101),
    calls: &[],
    actix: Actix::Not("it passes no web sockets"),
    ..BASE
};

/// Every row.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(apis::ROWS).chain(refused::ROWS)
}

static ROWS: &[Row] = &[
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
        name: "request in gzip",
        share: 6,
        body: Body::Gzip("openai/m"),
        tokens: Plan::JSON_TOKENS,
        actix: Actix::Not("it reads no request in gzip"),
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
        actix: Actix::Not("it has no such route"),
        ..STREAMED
    },
    Row {
        name: "stream that the provider cuts",
        share: 4,
        plan: Plan::Cut,
        sees: Sees::Broken(200),
        calls: &[("openai", "2xx", "stream")],
        actix: Actix::Ends(
            Sees::BrokenOrClosed(200),
            Counted::As("llm_chat", "POST", "2xx"),
        ),
        ..STREAMED
    },
    Row {
        name: "stream that ends too early",
        share: 4,
        plan: Plan::Early,
        calls: &[("openai", "2xx", "stream")],
        ..STREAMED
    },
    Row {
        name: "stream with an error event",
        share: 4,
        plan: Plan::ErrorEvent,
        calls: &[("openai", "2xx", "stream")],
        ..STREAMED
    },
    Row {
        name: "provider answers 400",
        plan: Plan::Status(400),
        sees: Sees::Whole(400),
        counted: Counted::As("llm_chat", "POST", "4xx"),
        calls: &[("openai", "4xx", "status")],
        ..BASE
    },
    Row {
        name: "provider answers 429",
        share: 4,
        plan: Plan::Status(429),
        sees: Sees::Whole(429),
        counted: Counted::As("llm_chat", "POST", "4xx"),
        calls: &[("openai", "4xx", "rate_limit")],
        ..BASE
    },
    Row {
        name: "provider answers 500",
        share: 4,
        plan: Plan::Status(500),
        sees: Sees::Whole(500),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("openai", "5xx", "status")],
        ..BASE
    },
    Row {
        name: "provider refuses connections",
        share: 4,
        body: Body::Completion("dead/m", false),
        sees: Sees::Whole(502),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("dead", "error", "connect")],
        actix: Actix::Not("it has one provider"),
        ..BASE
    },
    Row {
        name: "provider goes without an answer",
        plan: Plan::Hangup,
        sees: Sees::Whole(502),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("openai", "error", "other")],
        ..BASE
    },
    Row {
        name: "provider answers in another language",
        plan: Plan::NoHttp,
        sees: Sees::Whole(502),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("openai", "error", "parse")],
        ..BASE
    },
    Row {
        name: "provider never answers",
        share: 1,
        plan: Plan::Never,
        sees: Sees::Whole(504),
        counted: Counted::As("llm_chat", "POST", "5xx"),
        calls: &[("openai", "error", "timeout")],
        actix: Actix::Not("it waits for as long as its client does"),
        ..BASE
    },
    Row {
        name: "alias whose first candidate is dead",
        share: 4,
        body: Body::Completion("rescued", false),
        calls: &[("dead", "error", "connect"), ("openai", "2xx", "none")],
        tokens: Plan::JSON_TOKENS,
        actix: Actix::Not("it has one provider"),
        ..BASE
    },
    Row {
        name: "client leaves before the headers",
        share: 4,
        plan: Plan::Never,
        client: Client::LeavesBeforeHeaders,
        sees: Sees::Left,
        counted: Counted::Cancelled("llm_chat", "error", "headers"),
        calls: &[("openai", "error", "cancelled")],
        ..BASE
    },
    Row {
        name: "client leaves in the stream",
        share: 4,
        plan: Plan::Open,
        client: Client::LeavesInBody,
        sees: Sees::Left,
        counted: Counted::Cancelled("llm_chat", "2xx", "body"),
        calls: &[("openai", "2xx", "cancelled")],
        ..STREAMED
    },
    Row {
        name: "web socket",
        plan: Plan::Socket,
        counted: Counted::As("realtime", "GET", "1xx"),
        ..SOCKET
    },
    Row {
        name: "client leaves a web socket",
        plan: Plan::EndlessSocket,
        client: Client::LeavesInBody,
        sees: Sees::Left,
        counted: Counted::Cancelled("realtime", "1xx", "body"),
        ..SOCKET
    },
];
