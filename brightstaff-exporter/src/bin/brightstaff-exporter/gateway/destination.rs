use std::{borrow::Cow, env, sync::Arc, time::Duration};

use axum::http::{HeaderMap, Method, Response};
use bytes::Bytes;
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;

use super::{
    client::{Client, Failure, Upgrade},
    headers::Credentials,
    patience::Patient,
    subprotocols,
};
use crate::config::{
    Agent, Api, BaseUrl, Config, ConfigError, Provider, UpstreamLimits, shown_name, shown_variable,
};

/// The body of a destination's response.
pub(super) type Answer = Patient<Incoming>;

/// A provider or an agent, and the connections to it.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) name: Arc<str>,
    pub(super) include_usage: bool,
    client: Client,
    credentials: Option<Credentials>,
    header_timeout: Duration,
    idle_timeout: Duration,
    /// How long a web socket may be silent.
    pub(super) websocket_idle_timeout: Duration,
}

/// What is sent to a destination.
#[derive(Clone, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) method: Method,
    /// From `/v1` on.
    pub(super) path: &'a str,
    pub(super) query: Option<Cow<'a, str>>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Destination {
    pub(super) fn provider(
        name: &str,
        provider: &Provider,
        config: &Config,
        tls: &ClientConfig,
    ) -> anyhow::Result<Self> {
        let by_name = match name {
            "anthropic" => Api::Anthropic,
            _ => Api::OpenAi,
        };
        let api = provider.api.unwrap_or(by_name);
        let key = format!("providers.{}.api_key_env", shown_name(name));
        let credentials = credentials(&key, provider.api_key_env.as_deref(), api)?;
        let limits = provider.limits(config);
        Ok(Self {
            include_usage: provider.include_usage,
            ..Self::new(name, &provider.url, credentials, &limits, tls)?
        })
    }

    pub(super) fn agent(
        name: &str,
        agent: &Agent,
        config: &Config,
        tls: &ClientConfig,
    ) -> anyhow::Result<Self> {
        let key = format!("agents.{}.api_key_env", shown_name(name));
        let credentials = credentials(&key, agent.api_key_env.as_deref(), Api::OpenAi)?;
        Self::new(name, &agent.url, credentials, &agent.limits(config), tls)
    }

    fn new(
        name: &str,
        url: &BaseUrl,
        credentials: Option<Credentials>,
        limits: &UpstreamLimits,
        tls: &ClientConfig,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.into(),
            include_usage: false,
            client: Client::new(url, limits, tls)?,
            credentials,
            header_timeout: limits.response_header_timeout,
            idle_timeout: limits.stream_idle_timeout,
            websocket_idle_timeout: limits.websocket_idle_timeout,
        })
    }

    /// Sends a request, and waits for the head of its response. Where the first met a connection that was
    /// dead, it is sent `again`, if that can be had.
    pub(super) async fn send<'a>(
        &self,
        first: Outgoing<'a>,
        again: impl FnOnce() -> Option<Outgoing<'a>>,
    ) -> Result<Response<Answer>, Failure> {
        let again = || again().map(|out| self.prepared(out));
        let first = self.prepared(first);
        let response = self.in_time(self.client.send(&self.name, first, again));
        Ok(response.await?.map(|body| self.patient(body)))
    }

    /// Asks for another protocol on a connection of its own: that connection, where the destination speaks it, and its
    /// response.
    pub(super) async fn upgrade(
        &self,
        out: Outgoing<'_>,
        protocol: &str,
    ) -> Result<(Response<Answer>, Option<TokioIo<Upgraded>>), Failure> {
        let mut out = out;
        if let Some(credentials) = &self.credentials {
            let offered = subprotocols::harmless(&out.headers);
            credentials.apply(&mut out);
            subprotocols::put(&mut out.headers, offered);
        }
        let upgrade = self.in_time(self.client.upgrade(out, protocol));
        let Upgrade {
            response,
            connection,
        } = upgrade.await?;
        Ok((response.map(|body| self.patient(body)), connection))
    }

    /// With credentials of ours in the place of the client's, if there are any.
    fn prepared<'a>(&self, mut out: Outgoing<'a>) -> Outgoing<'a> {
        if let Some(credentials) = &self.credentials {
            credentials.apply(&mut out);
        }
        out
    }

    fn patient(&self, body: Incoming) -> Answer {
        Patient::new(body, Arc::clone(&self.name), self.idle_timeout)
    }

    /// Waits for the head of a response, and says in the log why there is none.
    async fn in_time<T>(
        &self,
        response: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let failure = match tokio::time::timeout(self.header_timeout, response).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::late(self.header_timeout),
        };
        let Failure { class, cause, .. } = &failure;
        tracing::warn!(upstream = %self.name, error_class = %class, %cause, "no response");
        Err(failure)
    }
}

/// The key from the environment variable of this name. `at` is where the configuration names it.
fn credentials(
    at: &str,
    variable: Option<&str>,
    api: Api,
) -> Result<Option<Credentials>, ConfigError> {
    let Some(variable) = variable else {
        return Ok(None);
    };
    let Some(key) = env::var_os(variable) else {
        let named = shown_variable(variable);
        let fault = format!("{named} is not set: set it to the key");
        return Err(ConfigError::new(at, fault));
    };
    let key = key.to_str().map(str::trim);
    let credentials = key.and_then(|key| Credentials::new(api, key));
    credentials.map(Some).ok_or_else(|| {
        let named = shown_variable(variable);
        let fault = format!("{named} holds no key that a header can carry: set it anew");
        ConfigError::new(at, fault)
    })
}
