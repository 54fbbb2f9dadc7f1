//! Every key of the file, and its default; a destination's own keys aside.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use brightstaff_metrics_core::Builder;
use serde::Deserialize;

use super::{
    Agent, AllowedHost, IncludeUsage, Otlp, Provider, RouteAlias, Sessions, WebOrigin, duration,
};

/// How many connections there may be by default, where the limit on open files allows as many.
pub(crate) const DEFAULT_MAX_CONNECTIONS: usize = 4096;

/// One in so many of the buffered bytes is for short bodies.
pub(crate) const SHORT_BODIES_SHARE: usize = 8;

/// What a copy of a request may have more than the request: another model's name, and the question for usage.
const COPY_ADDS: usize = 1024;

/// The least of `max_buffered_bytes` that requests of up to `longest` bytes need: room for one of them and
/// for its copy, beside what is for short ones.
pub(crate) const fn least_buffered_bytes(longest: usize) -> usize {
    longest
        .saturating_mul(2)
        .saturating_add(COPY_ADDS)
        .saturating_mul(SHORT_BODIES_SHARE)
        .div_ceil(SHORT_BODIES_SHARE - 1)
}

/// Everything that the gateway is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// How long a connection to a destination may take.
    #[serde(with = "duration")]
    pub(crate) connect_timeout: Duration,
    /// How long a destination may take from the start of the call, the connection included, to the
    /// headers of its response. A response that is not streamed has its headers only when it is ready.
    #[serde(with = "duration")]
    pub(crate) response_header_timeout: Duration,
    /// How long a destination may be silent between two parts of a response's body, from the head on,
    /// while the client waits for more.
    #[serde(with = "duration")]
    pub(crate) stream_idle_timeout: Duration,
    /// How long a web socket may be silent, in both directions.
    #[serde(with = "duration")]
    pub(crate) websocket_idle_timeout: Duration,
    /// How long a connection is kept for the next request after a response; 0 keeps none.
    #[serde(with = "duration")]
    pub(crate) pool_idle_timeout: Duration,
    /// Whether a request of any method is sent once more where a connection that had served others ended
    /// before a byte of the response came: the destination may have read it.
    pub(crate) retry_reused: bool,
    /// The longest head of a response, in bytes; what is longer is no response.
    pub(crate) max_response_head_bytes: usize,
    /// The longest request body: it is held in memory, since its model decides where it goes.
    pub(crate) max_request_bytes: usize,
    /// How long a request body may take, from the end of its head to its own.
    #[serde(with = "duration")]
    pub(crate) request_body_timeout: Duration,
    /// What all request bodies together may hold in memory, copies of them included.
    pub(crate) max_buffered_bytes: usize,
    /// How many connections of clients may be open; as many as the limit on open files allows by default,
    /// up to [`DEFAULT_MAX_CONNECTIONS`].
    pub(crate) max_connections: Option<usize>,
    /// How many requests may be in progress on one connection of HTTP/2.
    pub(crate) max_concurrent_streams: u32,
    /// How long a head may take, from its first byte to its last.
    #[serde(with = "duration")]
    pub(crate) head_timeout: Duration,
    /// How long a connection may be without a request, from its start or its last response on.
    #[serde(with = "duration")]
    pub(crate) idle_timeout: Duration,
    /// How long a client may take nothing of what waits to be written to it.
    #[serde(with = "duration")]
    pub(crate) write_stall_timeout: Duration,
    /// The environment variable that holds the tokens of which clients must send one.
    pub(crate) client_tokens_env: Option<String>,
    /// The file that holds such tokens. Without either, every client is let in.
    pub(crate) client_tokens_file: Option<PathBuf>,
    /// The origins of web pages that may use the gateway.
    pub(crate) cors_origins: Vec<WebOrigin>,
    /// The hosts that requests may ask for beside loopback. Where there are none, a gateway that listens
    /// on another address than loopback takes every host.
    pub(crate) allowed_hosts: Vec<AllowedHost>,
    /// Whether to ask for the usage of streamed completions where the client did not choose, and the provider's API
    /// tells it only where it is asked.
    pub(crate) include_usage: IncludeUsage,
    /// How many pairs of provider and model may get series that this configuration does not name. By
    /// default 200, and where that is more, as many as the providers' `open_models` add up to.
    pub(crate) upstream_cap: Option<usize>,
    /// The providers, by name.
    pub(crate) providers: BTreeMap<String, Provider>,
    /// Where `/agents/…` leads, by name.
    pub(crate) agents: BTreeMap<String, Agent>,
    /// Aliases that stand for an ordered list of candidates, by name.
    pub(crate) routes: BTreeMap<String, RouteAlias>,
    /// Where and how long a session keeps the model that an alias led it to.
    pub(crate) sessions: Sessions,
    /// What is told of the series beside their values.
    pub(crate) metrics: Series,
    /// Where the series are pushed to.
    pub(crate) otlp: Otlp,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            response_header_timeout: Duration::from_secs(600),
            stream_idle_timeout: Duration::from_secs(300),
            websocket_idle_timeout: Duration::from_secs(3600),
            // Under the 5 s after which uvicorn and Node close.
            pool_idle_timeout: Duration::from_secs(4),
            retry_reused: false,
            max_response_head_bytes: 64 << 10,
            max_request_bytes: 32 << 20,
            request_body_timeout: Duration::from_secs(60),
            max_buffered_bytes: 256 << 20,
            max_connections: None,
            max_concurrent_streams: 128,
            head_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            write_stall_timeout: Duration::from_secs(300),
            client_tokens_env: None,
            client_tokens_file: None,
            cors_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            include_usage: IncludeUsage::Hidden,
            upstream_cap: None,
            providers: BTreeMap::new(),
            agents: BTreeMap::new(),
            routes: BTreeMap::new(),
            sessions: Sessions::default(),
            metrics: Series::default(),
            otlp: Otlp::default(),
        }
    }
}

impl Config {
    /// The variables that hold keys of the operator's.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let providers = self.providers.values().map(|p| &p.api_key_env);
        let keys = providers.chain(self.agents.values().map(|agent| &agent.api_key_env));
        keys.filter_map(|key| key.as_deref())
    }

    /// With this in place of what all providers are asked by, if it is given.
    pub(crate) fn including_usage(self, given: Option<IncludeUsage>) -> Self {
        let include_usage = given.unwrap_or(self.include_usage);
        Self {
            include_usage,
            ..self
        }
    }

    /// How many pairs may get series that this configuration does not name.
    pub(crate) fn upstream_cap(&self) -> usize {
        let fits_all = self
            .open_models()
            .clamp(Builder::DEFAULT_CAP, Builder::MAX_CAP);
        self.upstream_cap.unwrap_or(fits_all)
    }

    /// How many such pairs the providers may have together.
    pub(crate) fn open_models(&self) -> usize {
        self.providers.values().map(Provider::open_models).sum()
    }
}

/// What is told of the series beside their values.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Series {
    /// Whether histograms count in native buckets, too, which protobuf tells.
    pub(crate) native_histograms: bool,
    /// Whether protobuf tells the classic buckets beside native ones.
    pub(crate) classic_histograms: bool,
    /// Whether OpenMetrics tells when series began.
    pub(crate) created_samples: bool,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            native_histograms: false,
            classic_histograms: true,
            created_samples: false,
        }
    }
}
