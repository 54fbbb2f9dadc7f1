//! Where calls lead: providers and agents, and what bounds the calls to each.

use std::time::Duration;

use brightstaff_metrics_core::Builder;
use serde::Deserialize;

use super::{Allowed, Api, BaseUrl, Config, IncludeUsage, duration};

/// A provider of models.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// What its own SDK takes as its base URL.
    pub(crate) url: BaseUrl,
    /// The API that it speaks. By default what its name says (`anthropic`, `gemini`, ...), and `openai` for any other.
    #[serde(default)]
    pub(crate) api: Option<Api>,
    /// What clients may ask of it beside LLM calls, lists of models and token counting. By default everything where their own
    /// credentials pass, and nothing where the gateway puts in its own.
    #[serde(default)]
    pub(crate) allow: Vec<Allowed>,
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
    /// In place of the one of all, whatever the API.
    #[serde(default)]
    pub(crate) include_usage: Option<IncludeUsage>,
    /// In place of the one of all.
    #[serde(default, deserialize_with = "duration::optional")]
    pub(crate) stream_idle_timeout: Option<Duration>,
    /// In place of the one of all.
    #[serde(default, deserialize_with = "duration::optional")]
    pub(crate) pool_idle_timeout: Option<Duration>,
    /// In place of the one of all.
    #[serde(default)]
    pub(crate) retry_reused: Option<bool>,
}

impl Provider {
    /// The API that a provider of this name speaks.
    pub(crate) fn api(&self, name: &str) -> Api {
        self.api.unwrap_or_else(|| Api::by_name(name))
    }

    pub(crate) fn limits(&self, config: &Config) -> UpstreamLimits {
        config.limits(
            self.stream_idle_timeout,
            self.pool_idle_timeout,
            self.retry_reused,
        )
    }

    /// Whether to ask for usage, of a provider with this API.
    pub(crate) fn include_usage(&self, api: Api, config: &Config) -> IncludeUsage {
        let of_api = match api.wants_usage_asked() {
            true => config.include_usage,
            false => IncludeUsage::Off,
        };
        self.include_usage.unwrap_or(of_api)
    }

    /// A provider of which only the place is known.
    pub(crate) fn new(url: BaseUrl) -> Self {
        Self {
            url,
            api: None,
            allow: Vec::new(),
            api_key_env: None,
            models: Vec::new(),
            open_models: None,
            include_usage: None,
            stream_idle_timeout: None,
            pool_idle_timeout: None,
            retry_reused: None,
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

/// An agent that speaks the API of a model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// What an SDK for OpenAI's API takes as its base URL.
    pub(crate) url: BaseUrl,
    /// The environment variable that holds its key, sent as `Authorization: Bearer …`.
    #[serde(default)]
    pub(crate) api_key_env: Option<String>,
    /// In place of the one of all.
    #[serde(default, deserialize_with = "duration::optional")]
    pub(crate) stream_idle_timeout: Option<Duration>,
    /// In place of the one of all.
    #[serde(default, deserialize_with = "duration::optional")]
    pub(crate) pool_idle_timeout: Option<Duration>,
    /// In place of the one of all.
    #[serde(default)]
    pub(crate) retry_reused: Option<bool>,
}

impl Agent {
    pub(crate) fn limits(&self, config: &Config) -> UpstreamLimits {
        config.limits(
            self.stream_idle_timeout,
            self.pool_idle_timeout,
            self.retry_reused,
        )
    }
}

/// What bounds the calls to one destination: its own keys, and for the rest those of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamLimits {
    pub(crate) connect_timeout: Duration,
    pub(crate) response_header_timeout: Duration,
    pub(crate) stream_idle_timeout: Duration,
    pub(crate) websocket_idle_timeout: Duration,
    pub(crate) pool_idle_timeout: Duration,
    pub(crate) retry_reused: bool,
    pub(crate) max_response_head_bytes: usize,
}

impl Config {
    /// With these of a destination of its own.
    fn limits(
        &self,
        stream_idle_timeout: Option<Duration>,
        pool_idle_timeout: Option<Duration>,
        retry_reused: Option<bool>,
    ) -> UpstreamLimits {
        UpstreamLimits {
            connect_timeout: self.connect_timeout,
            response_header_timeout: self.response_header_timeout,
            stream_idle_timeout: stream_idle_timeout.unwrap_or(self.stream_idle_timeout),
            websocket_idle_timeout: self.websocket_idle_timeout,
            pool_idle_timeout: pool_idle_timeout.unwrap_or(self.pool_idle_timeout),
            retry_reused: retry_reused.unwrap_or(self.retry_reused),
            max_response_head_bytes: self.max_response_head_bytes,
        }
    }
}
