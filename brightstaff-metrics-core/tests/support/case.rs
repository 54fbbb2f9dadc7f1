//! A case of the contract as data: what a handler does, what its client does, and what must be counted.
//!
//! `tests/cases/NAME.toml` holds the case and `NAME.prom` the exposition after it, byte for byte. This
//! file knows no web framework, and no version of `http`: each adapter's driver includes it by path.

#![allow(dead_code)] // No driver uses all of it.

use std::collections::{BTreeMap, VecDeque};

use brightstaff_metrics_core::{handler, labels::RequestMethod};
use serde::Deserialize;

/// One file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Which rule of the contract it shows.
    pub(crate) about: String,
    /// The pairs that the gateway declares.
    #[serde(default)]
    pub(crate) declared: Vec<(String, String)>,
    /// The caps of its open labels, where they are not those by default.
    pub(crate) caps: Option<Caps>,
    /// How many registries, and so gateways, there are in the process.
    #[serde(default = "one")]
    pub(crate) registries: usize,
    /// The provider of implicit calls.
    pub(crate) implicit: Option<String>,
    /// Names that the user gives, by path or template.
    #[serde(default)]
    pub(crate) handlers: BTreeMap<String, String>,
    /// The name of what matches nothing.
    pub(crate) fallback: Option<String>,
    /// Paths that are not measured.
    #[serde(default)]
    pub(crate) skip: Vec<String>,
    /// The prefix of routes that a nested router serves; as a route of its own, the rest of what is
    /// under it.
    pub(crate) nest: Option<String>,
    /// How many layers there are on the way of a request. With `nest`, the second is the nested router's.
    #[serde(default = "one")]
    pub(crate) layers: usize,
    /// Whether the first is the nested router's.
    #[serde(default)]
    pub(crate) nested_layer: bool,
    /// The version of HTTP: 1 or 2.
    #[serde(default = "one")]
    pub(crate) http: usize,
    /// How the requests come by their connections.
    #[serde(default)]
    pub(crate) connection: Connection,
    /// Whether what is compared is the exposition in OpenMetrics, which shows exemplars.
    #[serde(default)]
    pub(crate) openmetrics: bool,
    /// Whether it needs the core to read compressed answers.
    #[serde(default)]
    pub(crate) compression: bool,
    /// The servers that cannot play it, and the rule of theirs that forces it.
    #[serde(default)]
    pub(crate) but: BTreeMap<String, String>,
    /// The requests, one after the other.
    #[serde(rename = "request")]
    pub(crate) requests: Vec<Request>,
}

/// How many series of their own there may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Caps {
    pub(crate) handler: usize,
    pub(crate) upstream: usize,
    pub(crate) selected_model: usize,
}

/// How the requests come by their connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Connection {
    /// Each has its own.
    #[default]
    Own,
    /// One after the other on one that is kept alive.
    Kept,
    /// All are written to one before any answer is read.
    Pipelined,
    /// Streams of one: the first goes on while the others, sent once its body began, come and go.
    Shared,
}

/// One request, and the response to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(default = "post")]
    pub(crate) method: String,
    /// `{n}` stands for the number of the repetition.
    pub(crate) path: String,
    /// The template of the route that serves it; without one nothing does.
    pub(crate) route: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// How often it is sent.
    #[serde(default = "one")]
    pub(crate) times: usize,
    /// The gateway it is sent to.
    #[serde(default)]
    pub(crate) registry: usize,
    /// What its handler does.
    #[serde(default)]
    pub(crate) answer: VecDeque<Step>,
}

/// One thing that a handler, or the body it answers with, does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// The clock advances by this many seconds.
    Advance(f64),
    /// The body waits until so many requests to this gateway came to their ends.
    Ended(u64),
    /// A call to `provider/model` starts.
    Call(String),
    /// The call is in the trace of this `traceparent`.
    Trace(String),
    /// The call fails, without a response or after its head.
    Fail(String),
    /// The head of the provider's response comes, to be passed on with the body that the steps after it
    /// make: up to the end, [`Step::Discard`] or [`Step::Drain`].
    Answer(Head),
    /// The head of the provider's response comes, to be read by hand.
    Head(Head),
    /// Some bytes of it are read by hand.
    Data(String),
    /// It is read to its end.
    Complete,
    /// A router decides.
    Decision(Decision),
    /// The routing service answers, with this outcome.
    RoutingService(String),
    /// The session cache does this.
    SessionCache(String),
    /// A candidate is passed over: its model, and the reason.
    Skip(String, String),
    /// The search among several candidates ends: its route, and its outcome.
    Failover(String, String),
    /// The provider's response is dropped unread.
    Discard,
    /// The provider's response is read to its end, by another thread.
    Drain,
    /// The handler answers by itself, with the body that the steps after it make.
    Respond(Head),
    /// Some bytes of the body.
    Frame(String),
    /// Some bytes of the body that are no text, in hexadecimal.
    Hex(String),
    /// A server-sent event without a name.
    Sse(String),
    /// A server-sent event: its name and its data.
    Event(String, String),
    /// The trailers of the body.
    Trailers(BTreeMap<String, String>),
    /// The body fails.
    Break,
    /// The handler, or the body, panics.
    Panic,
    /// The client hangs up; nothing more comes from here.
    HangUp,
    /// The client hangs up, and the body goes on with these bytes, over and over, until it is dropped.
    HangUpWhile(String),
}

/// The head of a response.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// `Content-Type`.
    #[serde(rename = "type")]
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Whether the body knows its length, as one that is held in memory does.
    #[serde(default)]
    pub(crate) sized: bool,
    /// Whether the response is marked as no provider's.
    #[serde(default)]
    pub(crate) no_upstream: bool,
}

/// What a router decides.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    pub(crate) route: String,
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) fallback: bool,
    /// How long it took.
    pub(crate) seconds: f64,
}

fn one() -> usize {
    1
}

fn post() -> String {
    "POST".to_owned()
}

impl Step {
    /// The bytes of a step that is a frame of data.
    pub(crate) fn data(&self) -> Option<Vec<u8>> {
        let text = match self {
            Self::Frame(text) => text.clone(),
            Self::Sse(data) => format!("data: {data}\n\n"),
            Self::Event(name, data) => format!("event: {name}\ndata: {data}\n\n"),
            Self::Hex(digits) => return Some(bytes(digits)),
            _ => return None,
        };
        Some(text.into_bytes())
    }

    /// Whether the step belongs to a body.
    pub(crate) fn is_of_a_body(&self) -> bool {
        self.data().is_some()
            || matches!(
                self,
                Self::Advance(_)
                    | Self::Ended(_)
                    | Self::Trailers(_)
                    | Self::Break
                    | Self::Panic
                    | Self::HangUp
                    | Self::HangUpWhile(_)
            )
    }
}

impl Request {
    /// The path of one repetition.
    pub(crate) fn path(&self, n: usize) -> String {
        self.path.replace("{n}", &n.to_string())
    }
}

impl Case {
    /// How many layers the nested router has, and how many the one around it.
    pub(crate) fn layering(&self) -> (usize, usize) {
        let nested = self.nest.is_some() && (self.layers > 1 || self.nested_layer);
        (usize::from(nested), self.layers - usize::from(nested))
    }

    /// The handler that a request must be recorded under, by the contract; `None` where it is skipped.
    pub(crate) fn handler(&self, request: &Request, path: &str) -> Option<String> {
        if self.skip.iter().any(|skipped| skipped == path) {
            return None;
        }
        let method = RequestMethod::from(&*request.method);
        let has = |name| request.headers.contains_key(name);
        let preflight = method == RequestMethod::Options
            && has("origin")
            && has("access-control-request-method");
        let given = self.handlers.get(path).cloned();
        let mapped = || self.handlers.get(request.route.as_ref()?).cloned();
        let name = given
            .or_else(mapped)
            .or_else(|| handler::well_known(method, path).map(str::to_owned))
            .or_else(|| preflight.then(|| handler::CORS_PREFLIGHT.to_owned()))
            .or_else(|| request.route.clone())
            .or_else(|| self.fallback.clone());
        Some(name.unwrap_or_else(|| handler::NOT_FOUND.to_owned()))
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| std::str::from_utf8(pair).ok());
    let byte = |pair: Option<&str>| u8::from_str_radix(pair?, 16).ok();
    pairs
        .map(|pair| byte(pair).expect("pairs of digits"))
        .collect()
}
