use std::{
    borrow::Cow,
    env,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderMap, Method, Response, StatusCode};
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::time::Instant;

use super::{
    base::Base,
    client::{Client, Content, Failure, Upgrade},
    endpoint::Asked,
    error::Refusal,
    headers::Credentials,
    hidden_usage::Warned,
    passing::Upload,
    patience::Patient,
    request_id::RequestId,
    subprotocols,
};
use crate::config::{
    Agent, Allowed, Api, BaseUrl, Config, ConfigError, IncludeUsage, Provider, UpstreamLimits,
    shown_name, shown_variable,
};

/// The body of a destination's response.
pub(super) type Answer = Patient<Incoming>;

/// A provider or an agent, and the connections to it.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) name: Arc<str>,
    pub(super) api: Api,
    /// Whether usage is asked for; of an agent the gateway never asks it.
    pub(super) include_usage: Option<IncludeUsage>,
    /// What was said of streams without usage.
    pub(super) usage_warned: Arc<Warned>,
    url: BaseUrl,
    base: Base,
    allow: Vec<Allowed>,
    limits: UpstreamLimits,
    client: Arc<Client>,
    credentials: Option<Credentials>,
}

/// What is sent to a destination.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) method: Method,
    /// On the destination's host.
    pub(super) path: Cow<'a, str>,
    pub(super) query: Option<Cow<'a, str>>,
    pub(super) headers: HeaderMap,
    pub(super) body: Content,
}

/// The longest path that is repeated in a refusal, in bytes.
const SHOWN_PATH: usize = 200;

impl Destination {
    /// `before` is the one of this name whose place it takes: where nothing of them changed, it leaves its connections.
    pub(super) fn provider(
        name: &str,
        provider: &Provider,
        config: &Config,
        tls: &ClientConfig,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let api = provider.api(name);
        let key = format!("providers.{}.api_key_env", shown_name(name));
        let credentials = credentials(&key, provider.api_key_env.as_deref(), api)?;
        let limits = provider.limits(config);
        Ok(Self {
            include_usage: Some(provider.include_usage(api, config)),
            allow: provider.allow.clone(),
            ..Self::new(name, &provider.url, api, credentials, limits, tls, before)?
        })
    }

    pub(super) fn agent(
        name: &str,
        agent: &Agent,
        config: &Config,
        tls: &ClientConfig,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let key = format!("agents.{}.api_key_env", shown_name(name));
        let credentials = credentials(&key, agent.api_key_env.as_deref(), Api::OpenAi)?;
        let limits = agent.limits(config);
        let api = Api::OpenAi;
        Self::new(name, &agent.url, api, credentials, limits, tls, before)
    }

    fn new(
        name: &str,
        url: &BaseUrl,
        api: Api,
        credentials: Option<Credentials>,
        limits: UpstreamLimits,
        tls: &ClientConfig,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let base = Base::new(url, api);
        let name: Arc<str> = name.into();
        let same = before
            .filter(|before| before.url == *url && before.api == api && before.limits == limits);
        let client = match same {
            Some(same) => Arc::clone(&same.client),
            None => {
                let usual = Asked::usual().map(|asked| base.path(&asked).as_ref().into());
                let usual = usual.collect::<Vec<_>>();
                Arc::new(Client::new(url, usual, &limits, tls)?)
            }
        };
        Ok(Self {
            usage_warned: Arc::new(Warned::new(Arc::clone(&name))),
            name,
            api,
            include_usage: None,
            url: url.clone(),
            base,
            allow: Vec::new(),
            limits,
            client,
            credentials,
        })
    }

    /// Whether a client's own credentials pass, since there are none of the gateway's.
    pub(super) fn passes_credentials(&self) -> bool {
        self.credentials.is_none()
    }

    /// Whether it is asked over the same connections and with the same key as another one.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.client, &other.client) && self.credentials == other.credentials
    }

    /// Whether it tells the usage of such streams only if it is asked to, and is.
    pub(super) fn asks_usage(&self, asked: &Asked<'_>) -> bool {
        let asks = matches!(
            self.include_usage,
            Some(IncludeUsage::Hidden | IncludeUsage::Shown)
        );
        asks && asked.has_usage_if_asked()
    }

    /// The path on its host of what is asked.
    pub(super) fn path<'p>(&self, asked: &'p Asked<'_>) -> Cow<'p, str> {
        self.base.path(asked)
    }

    /// The URL of what is asked, for people to read.
    pub(super) fn url(&self, asked: &Asked<'_>) -> String {
        self.client.url(&self.path(asked))
    }

    /// Whether clients may ask it for this.
    pub(super) fn check(&self, asked: &Asked<'_>, method: &Method) -> Result<(), Refusal> {
        let all_pass = self.credentials.is_none() && self.allow.is_empty();
        let (method, path) = (method.as_str(), &*asked.path);
        let allows = |allowed: &Allowed| allowed.allows(method, path);
        if all_pass || asked.is_open() || self.allow.iter().any(allows) {
            return Ok(());
        }
        let name = &self.name;
        let path = path.get(..SHOWN_PATH).unwrap_or(path);
        let fault = format!(
            "clients may not ask {name} for this: add \"{method} {path}\" to providers.{name}.allow"
        );
        let refusal = Refusal::request("not_allowed", fault);
        Err(refusal.with_status(StatusCode::FORBIDDEN))
    }

    /// Sends a request, and waits for the head of its response. Where the first met a connection that was
    /// dead, it is sent `again`, if that can be had.
    pub(super) async fn send<'a>(
        &self,
        first: Outgoing<'a>,
        again: impl FnOnce() -> Option<Outgoing<'a>>,
        upload: Option<&Upload>,
    ) -> Result<Response<Answer>, Failure> {
        let prepared = |mut out| {
            if let Some(credentials) = &self.credentials {
                credentials.apply(&mut out);
            }
            out
        };
        let again = || again().map(prepared);
        let id = RequestId::of(&first.headers);
        let request = pin!(self.client.send(&self.name, prepared(first), again));
        let response = self.in_time(request, id.as_ref(), upload).await?;
        Ok(response.map(|body| self.patient(body, id)))
    }

    /// Asks for another protocol on a connection of its own: the response, and the connection where the destination speaks
    /// that protocol.
    pub(super) async fn upgrade(
        &self,
        mut out: Outgoing<'_>,
        protocol: &str,
    ) -> Result<(Response<Answer>, Option<TokioIo<Upgraded>>), Failure> {
        if let Some(credentials) = &self.credentials {
            let offered = subprotocols::harmless(&out.headers);
            credentials.apply(&mut out);
            subprotocols::put(&mut out.headers, offered);
        }
        let id = RequestId::of(&out.headers);
        let request = pin!(self.client.upgrade(out, protocol));
        let Upgrade {
            response,
            connection,
        } = self.in_time(request, id.as_ref(), None).await?;
        Ok((response.map(|body| self.patient(body, id)), connection))
    }

    /// How long a web socket may be silent.
    pub(super) fn websocket_idle_timeout(&self) -> Duration {
        self.limits.websocket_idle_timeout
    }

    fn patient(&self, body: Incoming, id: Option<RequestId>) -> Answer {
        let (name, limit) = (Arc::clone(&self.name), self.limits.stream_idle_timeout);
        Patient::new(body, name, id, limit)
    }

    /// Waits for the head of a response, and says in the log why there is none.
    async fn in_time<T>(
        &self,
        // In its place: a future that is given away is held twice.
        request: Pin<&mut impl Future<Output = Result<T, Failure>>>,
        id: Option<&RequestId>,
        upload: Option<&Upload>,
    ) -> Result<T, Failure> {
        let sent = tokio::select! {
            biased;
            sent = request => sent,
            () = self.too_late(upload) => Err(Failure::late(self.limits.response_header_timeout)),
        };
        if let Err(Failure { class, cause, .. }) = &sent {
            let request_id = id.map(RequestId::as_str);
            tracing::warn!(upstream = %self.name, error_class = %class, %cause, request_id, "no response");
        }
        sent
    }

    /// Ready when the head of a response is late: from the start of the call, or from the last part of what is sent
    /// meanwhile.
    async fn too_late(&self, upload: Option<&Upload>) {
        let mut since = Instant::now();
        loop {
            tokio::time::sleep_until(since + self.limits.response_header_timeout).await;
            match upload.map(Upload::last) {
                Some(last) if last > since => since = last,
                _ => return,
            }
        }
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
