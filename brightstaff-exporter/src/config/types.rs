use std::{collections::BTreeMap, time::Duration};

use brightstaff_metrics_core::Builder;
use serde::Deserialize;

use super::{BaseUrl, Target, duration};

/// Everything that the gateway is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// How long a connection to a destination may take.
    #[serde(with = "duration")]
    pub(crate) connect_timeout: Duration,
    /// How long a destination may take from the start of the call, the connection included, to the
    /// headers of its answer. An answer that is not streamed has its headers only when it is ready.
    #[serde(with = "duration")]
    pub(crate) response_header_timeout: Duration,
    /// The longest request body: it is held in memory, since its model decides where it goes.
    pub(crate) max_request_bytes: usize,
    /// How many pairs of provider and model may get series that this configuration does not name. By
    /// default 200, and where that is more, as many as the providers' `open_models` add up to.
    pub(crate) upstream_cap: Option<usize>,
    /// The providers, by name.
    pub(crate) providers: BTreeMap<String, Provider>,
    /// Where `/agents/…` leads, by name.
    pub(crate) agents: BTreeMap<String, Agent>,
    /// Aliases that stand for an ordered list of candidates, by name.
    pub(crate) routes: BTreeMap<String, RouteAlias>,
    /// How long a session keeps the model that an alias led it to.
    pub(crate) sessions: Sessions,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            response_header_timeout: Duration::from_secs(600),
            max_request_bytes: 32 << 20,
            upstream_cap: None,
            providers: BTreeMap::new(),
            agents: BTreeMap::new(),
            routes: BTreeMap::new(),
            sessions: Sessions::default(),
        }
    }
}

impl Config {
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

/// A provider of models.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// What stands before `/v1/…`.
    pub(crate) url: BaseUrl,
    /// How it wants to be given its key. By default `anthropic` for the provider of that name, and
    /// `openai` for any other.
    #[serde(default)]
    pub(crate) api: Option<Api>,
    /// The environment variable that holds its key. Without, the client's own credentials pass.
    #[serde(default)]
    pub(crate) api_key_env: Option<String>,
    /// The models that lead to this provider by their bare name, and own series from the start.
    #[serde(default)]
    pub(crate) models: Vec<String>,
    /// How many other models may get series, each at its first success. By default 50 where no models are
    /// listed, and none where some are.
    #[serde(default)]
    pub(crate) open_models: Option<usize>,
    /// Whether to ask for the usage of streamed chat completions where the client did not choose.
    #[serde(default)]
    pub(crate) include_usage: bool,
}

impl Provider {
    /// A provider of which only the place is known.
    pub(crate) fn new(url: BaseUrl) -> Self {
        Self {
            url,
            api: None,
            api_key_env: None,
            models: Vec::new(),
            open_models: None,
            include_usage: false,
        }
    }

    /// How many models that are not listed may get series.
    pub(crate) fn open_models(&self) -> usize {
        self.open_models.unwrap_or(if self.models.is_empty() {
            Builder::DEFAULT_OPEN_MODELS
        } else {
            0
        })
    }
}

/// How a provider wants to be given its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Api {
    /// `Authorization: Bearer …`.
    OpenAi,
    /// `x-api-key: …`, and an `anthropic-version`.
    Anthropic,
}

/// An agent that speaks the API of a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// What stands before `/v1/…`.
    pub(crate) url: BaseUrl,
    /// The environment variable that holds its key, sent as `Authorization: Bearer …`.
    #[serde(default)]
    pub(crate) api_key_env: Option<String>,
}

/// An alias for an ordered list of candidates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteAlias {
    /// Either models or agents, tried in this order.
    pub(crate) candidates: Vec<Target>,
}

/// The bounds of the session cache.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sessions {
    /// How long after it was stored a session is forgotten.
    #[serde(with = "duration")]
    pub(crate) ttl: Duration,
    /// How many sessions are kept.
    pub(crate) capacity: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30 * 60),
            capacity: 10_000,
        }
    }
}
