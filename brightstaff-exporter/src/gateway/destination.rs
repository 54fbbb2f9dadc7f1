use std::{borrow::Cow, env, time::Duration};

use axum::http::{HeaderMap, Method};
use brightstaff_metrics_core::labels::ErrorClass;
use bytes::Bytes;
use reqwest::{Client, redirect::Policy};
use rustls::ClientConfig;

use super::headers::Credentials;
use crate::config::{
    Agent, Api, BaseUrl, Config, ConfigError, Provider, shown_name, shown_variable,
};

/// A provider or an agent, and the connections to it.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) name: String,
    pub(super) include_usage: bool,
    url: BaseUrl,
    client: Client,
    credentials: Option<Credentials>,
    header_timeout: Duration,
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
        Ok(Self {
            include_usage: provider.include_usage,
            ..Self::new(name, &provider.url, credentials, config, tls)?
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
        Self::new(name, &agent.url, credentials, config, tls)
    }

    fn new(
        name: &str,
        url: &BaseUrl,
        credentials: Option<Credentials>,
        config: &Config,
        tls: &ClientConfig,
    ) -> anyhow::Result<Self> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .connect_timeout(config.connect_timeout)
            // A provider that redirects is a matter for the client, and never gets our key.
            .redirect(Policy::none())
            .referer(false)
            // Finds out about connections that died in silence.
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(Duration::from_secs(10));
        if url.is_loopback() {
            builder = builder.no_proxy();
        }
        Ok(Self {
            name: name.to_owned(),
            include_usage: false,
            url: url.clone(),
            client: builder.build()?,
            credentials,
            header_timeout: config.response_header_timeout,
        })
    }

    /// Sends a request, and waits for the head of its answer.
    pub(super) async fn send(
        &self,
        mut out: Outgoing<'_>,
    ) -> Result<reqwest::Response, ErrorClass> {
        if let Some(credentials) = &self.credentials {
            credentials.apply(&mut out);
        }
        let request = self
            .client
            .request(out.method, self.url.join(out.path, out.query.as_deref()))
            .headers(out.headers)
            .body(out.body)
            .send();
        let (class, cause) = match tokio::time::timeout(self.header_timeout, request).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => (ErrorClass::from(&error), chain(error)),
            Err(_) => {
                let waited = self.header_timeout;
                (ErrorClass::Timeout, format!("no headers after {waited:?}"))
            }
        };
        tracing::warn!(upstream = %self.name, error_class = %class, %cause, "no answer");
        Err(class)
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

/// An error and its causes in one line, without the URL, which may say too much.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut line = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(source) = next {
        line += &format!(": {source}");
        next = source.source();
    }
    line
}
