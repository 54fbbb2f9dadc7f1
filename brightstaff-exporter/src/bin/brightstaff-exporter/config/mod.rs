//! What the gateway forwards to: read from TOML, or put together by hand.

mod absent;
mod allowed;
mod api;
mod base_url;
mod changes;
mod check;
mod destination;
pub(crate) mod duration;
mod error;
mod host;
mod include_usage;
mod origin;
mod otlp;
mod place;
#[cfg(feature = "redis")]
mod redis_url;
mod route;
mod sessions;
mod shown;
mod target;
mod types;

pub(crate) use self::{
    allowed::Allowed,
    api::Api,
    base_url::BaseUrl,
    check::MIN_RESPONSE_HEAD_BYTES,
    destination::{Agent, Provider, UpstreamLimits},
    error::ConfigError,
    host::{AllowedHost, HostPort},
    include_usage::IncludeUsage,
    origin::{WebOrigin, parts as origin_parts},
    otlp::{Otlp, push},
    route::RouteAlias,
    sessions::{SessionStore, Sessions},
    shown::{name as shown_name, variable as shown_variable},
    target::Target,
    types::{Config, DEFAULT_MAX_CONNECTIONS, SHORT_BODIES_SHARE},
};

#[cfg(test)]
pub(crate) use self::types::least_buffered_bytes;

impl Config {
    /// Reads TOML, and checks it.
    pub(crate) fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::toml(text, &error))?;
        config.check()?;
        Ok(config)
    }

    /// Providers alone, each given as `NAME=URL`.
    pub(crate) fn from_upstreams(upstreams: &[String]) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for upstream in upstreams {
            let fault = |name: &str, fault: &str| {
                ConfigError::new(
                    format_args!("--upstream{name}"),
                    format_args!("{fault}: write for example openai=https://api.openai.com"),
                )
            };
            let Some((name, url)) = upstream.split_once('=') else {
                return Err(fault("", "is not NAME=URL"));
            };
            let shown = format!(" {}", shown::name(name));
            let url = url
                .parse()
                .map_err(|error| ConfigError::new(format_args!("--upstream{shown}"), error))?;
            let provider = Provider::new(url);
            if config.providers.insert(name.to_owned(), provider).is_some() {
                return Err(fault(&shown, "names its provider a second time"));
            }
        }
        config.check()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_shows_the_defaults() {
        let example = Config::from_toml(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/gateway.toml"
        )))
        .unwrap();
        let default = Config {
            // The limit on open files decides, up to that.
            max_connections: Some(DEFAULT_MAX_CONNECTIONS),
            // As much as the providers' open models need, if that is more.
            upstream_cap: Some(brightstaff_metrics_core::Builder::DEFAULT_CAP),
            providers: example.providers.clone(),
            agents: example.agents.clone(),
            routes: example.routes.clone(),
            ..Config::default()
        };
        assert_eq!(format!("{example:?}"), format!("{default:?}"));
    }
}
