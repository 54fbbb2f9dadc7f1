use std::time::Duration;

use axum::http::HeaderName;
use serde::{Deserialize, Deserializer, de::Error};

use super::{ConfigError, check::check_variable, duration};

/// Where sessions are kept, and for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sessions {
    pub(crate) store: SessionStore,
    /// How long after it was stored a session is forgotten.
    #[serde(with = "duration")]
    pub(crate) ttl: Duration,
    /// How many sessions are kept in memory.
    pub(crate) capacity: u64,
    /// The headers that may name a session: the first that does counts.
    #[serde(deserialize_with = "headers")]
    pub(crate) session_header: Vec<HeaderName>,
    /// The header that tells tenants apart, whose sessions may have the same ids.
    #[serde(deserialize_with = "header")]
    pub(crate) tenant_header: Option<HeaderName>,
    /// Where the Redis is, without a password.
    pub(crate) url: Option<RedisUrl>,
    /// The environment variable that holds its URL, which may have a password.
    pub(crate) url_env: Option<String>,
    /// What every key in the Redis begins with.
    pub(crate) key_prefix: String,
    /// How long a connection to the Redis may take.
    #[serde(with = "duration")]
    pub(crate) connect_timeout: Duration,
    /// How long the Redis may take for an operation: no request waits longer for it.
    #[serde(with = "duration")]
    pub(crate) operation_timeout: Duration,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            store: SessionStore::default(),
            ttl: Duration::from_secs(30 * 60),
            capacity: 10_000,
            session_header: SESSION_HEADERS.map(HeaderName::from_static).into(),
            tenant_header: None,
            url: None,
            url_env: None,
            key_prefix: "brightstaff:session:".to_owned(),
            connect_timeout: Duration::from_secs(1),
            operation_timeout: Duration::from_millis(50),
        }
    }
}

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SessionStore {
    /// In this process.
    #[default]
    Memory,
    /// In a Redis that replicas share.
    Redis,
}

/// What names a session unless told otherwise: what is meant for gateways, then what clients send by themselves.
const SESSION_HEADERS: [&str; 8] = [
    "x-session-id",
    // Claude Code: code.claude.com/docs/en/llm-gateway-protocol.
    "x-claude-code-session-id",
    // Codex (codex-rs/codex-api/src/requests/headers.rs), and as older ones spell it.
    "session-id",
    "session_id",
    // OpenCode (packages/opencode/src/session/llm/request.ts), for other providers than its own.
    "x-session-affinity",
    // Clients that were written for LiteLLM: docs.litellm.ai/docs/proxy/request_headers.
    "x-litellm-session-id",
    // Clients that were written for Helicone: docs.helicone.ai/features/sessions.
    "helicone-session-id",
    // Open WebUI, with ENABLE_FORWARD_USER_INFO_HEADERS (backend/open_webui/env.py).
    "x-openwebui-chat-id",
];

/// How many headers are looked for in each request that may have a session.
const MAX_SESSION_HEADERS: usize = 16;

/// The longest prefix of keys, in bytes.
const MAX_PREFIX_BYTES: usize = 128;

impl Sessions {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, duration) in [
            ("sessions.ttl", self.ttl),
            ("sessions.connect_timeout", self.connect_timeout),
            ("sessions.operation_timeout", self.operation_timeout),
        ] {
            if duration.is_zero() {
                return Err(ConfigError::new(key, "must be longer than 0"));
            }
        }
        if self.capacity == 0 {
            return Err(ConfigError::new("sessions.capacity", "must be more than 0"));
        }
        if self.session_header.len() > MAX_SESSION_HEADERS {
            let fault = format!("must name {MAX_SESSION_HEADERS} headers at most");
            return Err(ConfigError::new("sessions.session_header", fault));
        }
        if self.key_prefix.len() > MAX_PREFIX_BYTES {
            let fault = format!("must be {MAX_PREFIX_BYTES} bytes long at most");
            return Err(ConfigError::new("sessions.key_prefix", fault));
        }
        if let Some(variable) = &self.url_env {
            check_variable("sessions.url_env", variable, "a URL")?;
        }
        match (self.store, self.is_located()) {
            (SessionStore::Redis, _) if cfg!(not(feature = "redis")) => Err(ConfigError::new(
                "sessions.store",
                "this build has no Redis: build it with the feature redis",
            )),
            (SessionStore::Redis, false) => Err(ConfigError::new(
                "sessions.url",
                "is missing: write for example url = \"redis://redis:6379\", or url_env",
            )),
            (SessionStore::Memory, true) => Err(ConfigError::new(
                "sessions.store",
                "a Redis is named, but not used: write store = \"redis\"",
            )),
            _ if self.url.is_some() && self.url_env.is_some() => Err(ConfigError::new(
                "sessions.url_env",
                "sessions.url is there, too: remove one",
            )),
            _ => Ok(()),
        }
    }

    fn is_located(&self) -> bool {
        self.url.is_some() || self.url_env.is_some()
    }
}

/// Where a Redis is; without a password, since this one stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedisUrl(pub(super) String);

impl<'de> Deserialize<'de> for RedisUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let url = parse(&text).map_err(D::Error::custom)?;
        if url.password().is_some() || url.query().is_some() {
            return Err(D::Error::custom(
                "holds a password or a query, which belong in the variable that url_env names: \
                 write redis://host:6379/0",
            ));
        }
        Ok(Self(text))
    }
}

/// The text is not repeated: a password may stand anywhere in it.
pub(super) fn parse(text: &str) -> Result<url::Url, &'static str> {
    let refusal = "is no URL of a Redis: write redis://host:6379/0 or rediss://host:6379/0";
    let url = url::Url::parse(text).map_err(|_| refusal)?;
    let known = matches!(url.scheme(), "redis" | "rediss") && url.has_host();
    if known { Ok(url) } else { Err(refusal) }
}

fn header<'de, D: Deserializer<'de>>(from: D) -> Result<Option<HeaderName>, D::Error> {
    let name = String::deserialize(from)?;
    name.parse()
        .map(Some)
        .map_err(|_| D::Error::custom("is no name of a header: write for example x-tenant-id"))
}

fn headers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<HeaderName>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let names = names.iter().map(|name| name.parse());
    names.collect::<Result<_, _>>().map_err(|_| {
        let fault = "has what is no name of a header: write for example [\"x-session-id\"]";
        D::Error::custom(fault)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::MAX_SESSION_HEADERS;

    fn check(sessions: &str) -> Result<(), String> {
        let text = format!("[providers.p]\nurl = 'http://p'\n[sessions]\n{sessions}");
        Config::from_toml(&text)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_redis_is_named_once_and_used() {
        for sound in [
            "store = 'redis'\nurl = 'redis://host:6379/0'",
            "store = 'redis'\nurl = 'rediss://me@host'",
            "store = 'redis'\nurl_env = 'REDIS_URL'\ntenant_header = 'X-Tenant'",
        ] {
            assert_eq!(check(sound), Ok(()), "{sound}");
        }
        for (wrong, key, fix) in [
            ("store = 'redis'", "sessions.url", "url = "),
            ("url = 'redis://h'", "sessions.store", "store = \"redis\""),
            (
                "store = 'redis'\nurl = 'redis://h'\nurl_env = 'A_B'",
                "sessions.url_env",
                "remove one",
            ),
            (
                "store = 'redis'\nurl_env = 'redis://:secret@h'",
                "sessions.url_env",
                "environment variable",
            ),
        ] {
            let error = check(wrong).unwrap_err();
            assert!(error.starts_with(key) && error.contains(fix), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_stands_in_a_url_is_not_repeated() {
        for url in [
            "redis://:secret@host",
            "redis://me:secret@host:6379/0",
            "http://secret",
            "secret",
            "redis://host/0?password=secret",
        ] {
            let error = check(&format!("store = 'redis'\nurl = '{url}'")).unwrap_err();
            assert!(
                error.contains("sessions.url") && !error.contains("secret"),
                "{error}"
            );
            assert!(error.contains("redis://host:6379/0"), "{error}");
        }
        for wrong in [
            "tenant_header = 'a b'",
            "operation_timeout = '0s'",
            "connect_timeout = '0s'",
            "session_header = 'x-session-id'",
            "session_header = ['a b']",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        let names = |count| format!("session_header = {:?}", vec!["x-a"; count]);
        assert_eq!(check(&names(MAX_SESSION_HEADERS)), Ok(()));
        let error = check(&names(MAX_SESSION_HEADERS + 1)).unwrap_err();
        assert!(error.starts_with("sessions.session_header"), "{error}");
        assert_eq!(check("session_header = []"), Ok(()));
    }
}
