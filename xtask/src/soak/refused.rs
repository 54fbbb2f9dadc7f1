//! Rows of what the gateway answers by itself: what clients get wrong, above all.

use super::{
    rows::{Actix, Body, Client, Counted, Row, Sees},
    table::BASE,
};

/// A request that the gateway answers by itself.
const REFUSED: Row = Row {
    sees: Sees::Whole(400),
    counted: Counted::As("llm_chat", "POST", "4xx"),
    calls: &[],
    ..BASE
};

/// Actix answers what it cannot read before any middleware.
const UNREAD: Actix = Actix::Ends(Sees::Whole(400), Counted::Not);

/// Of a body that breaks off actix makes a response, and gives it to whoever may still be there.
const BROKEN_OFF: Actix = Actix::Ends(Sees::Whole(400), Counted::As("llm_chat", "POST", "4xx"));

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "half of a body",
        client: Client::SendsHalf,
        sees: Sees::Closed,
        counted: Counted::Cancelled("llm_chat", "error", "headers"),
        actix: BROKEN_OFF,
        ..REFUSED
    },
    Row {
        name: "half of a body, and gone",
        client: Client::LeavesInRequest,
        sees: Sees::Left,
        counted: Counted::Cancelled("llm_chat", "error", "headers"),
        // As above: nobody tells a middleware that the client has gone.
        actix: Actix::Ends(Sees::Left, Counted::As("llm_chat", "POST", "4xx")),
        ..REFUSED
    },
    Row {
        name: "body that is no JSON",
        body: Body::NoJson,
        actix: Actix::Forwards,
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
        name: "body that is too large once it is decoded",
        body: Body::Bomb,
        sees: Sees::Whole(413),
        actix: Actix::Not("it reads no request in gzip"),
        ..REFUSED
    },
    Row {
        name: "model that nobody has",
        body: Body::Completion("nobody/m", false),
        actix: Actix::Forwards,
        ..REFUSED
    },
    Row {
        name: "head that is no HTTP",
        client: Client::Sends(b"this is not HTTP\r\n\r\n"),
        counted: Counted::As("malformed", "OTHER", "4xx"),
        actix: UNREAD,
        ..REFUSED
    },
    Row {
        name: "start of TLS",
        client: Client::Sends(b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03"),
        sees: Sees::Closed,
        counted: Counted::As("malformed", "OTHER", "4xx"),
        actix: UNREAD,
        ..REFUSED
    },
    Row {
        name: "head without a name of a header",
        client: Client::Sends(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n: nameless\r\n\r\n"),
        counted: Counted::As("malformed", "OTHER", "4xx"),
        actix: UNREAD,
        ..REFUSED
    },
    Row {
        name: "path that leads nowhere",
        path: "/nowhere?model=m",
        sees: Sees::Whole(404),
        counted: Counted::As("not_found", "POST", "4xx"),
        ..REFUSED
    },
    Row {
        name: "path that goes up",
        path: "/v1/../etc/passwd?model=m",
        counted: Counted::As("not_found", "POST", "4xx"),
        // It is nowhere, too.
        actix: Actix::Ends(Sees::Whole(404), Counted::As("not_found", "POST", "4xx")),
        ..REFUSED
    },
    Row {
        name: "list of models",
        method: "GET",
        path: "/v1/models",
        body: Body::None,
        sees: Sees::Whole(200),
        counted: Counted::As("list_models", "GET", "2xx"),
        actix: Actix::Ends(Sees::Whole(404), Counted::As("list_models", "GET", "4xx")),
        ..REFUSED
    },
    Row {
        name: "HEAD",
        method: "HEAD",
        path: "/v1/models",
        body: Body::None,
        sees: Sees::Whole(200),
        counted: Counted::As("list_models", "HEAD", "2xx"),
        actix: Actix::Ends(Sees::Whole(404), Counted::As("list_models", "HEAD", "4xx")),
        ..REFUSED
    },
    Row {
        name: "OPTIONS",
        method: "OPTIONS",
        body: Body::None,
        sees: Sees::Whole(405),
        counted: Counted::As("llm_chat", "OPTIONS", "4xx"),
        // Its route is a resource that takes POST alone, so that another method finds none.
        actix: Actix::Ends(Sees::Whole(404), Counted::As("llm_chat", "OPTIONS", "4xx")),
        ..REFUSED
    },
    Row {
        name: "method that nobody knows",
        method: "BREW",
        body: Body::None,
        sees: Sees::Whole(405),
        counted: Counted::As("llm_chat", "OTHER", "4xx"),
        // As above.
        actix: Actix::Ends(Sees::Whole(404), Counted::As("llm_chat", "OTHER", "4xx")),
        ..REFUSED
    },
];
