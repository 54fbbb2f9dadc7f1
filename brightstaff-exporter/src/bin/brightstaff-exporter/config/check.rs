//! What no type can say about a configuration.

use std::{collections::BTreeSet, fmt};

use brightstaff_metrics_core::{
    Builder,
    labels::{MAX_LABEL_BYTES, OTHER, UNKNOWN, sanitize},
};

use super::{
    Config, ConfigError, RouteAlias, Target, shown, target::AGENTS, types::least_buffered_bytes,
};

/// What the parser of heads needs at least.
pub(crate) const MIN_RESPONSE_HEAD_BYTES: usize = 8192;

impl Config {
    /// Everything that is named exists, and no name means two things.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.providers.is_empty() && self.agents.is_empty() {
            let fix = "nothing to forward to: add [providers.NAME] with its url";
            return Err(ConfigError::new("providers", fix));
        }
        self.bounds()?;
        self.sessions.check()?;
        self.otlp.check()?;
        self.client_tokens()?;
        self.upstreams()?;
        check_cap("upstream_cap", self.upstream_cap)?;
        if !self.metrics.classic_histograms && !self.metrics.native_histograms {
            let fix =
                "is false, which leaves none: write native_histograms = true as well, or remove it";
            return Err(ConfigError::new("metrics.classic_histograms", fix));
        }
        for (name, provider) in &self.providers {
            check_destination("providers", name, provider.api_key_env.as_deref())?;
            check_cap(
                format_args!("providers.{}.open_models", shown::name(name)),
                provider.open_models,
            )?;
            for (n, model) in (1..).zip(&provider.models) {
                let key = format!("providers.{}.models", shown::name(name));
                check_label(&key, &format!("entry {n} "), model)?;
            }
        }
        for (name, agent) in &self.agents {
            check_destination("agents", name, agent.api_key_env.as_deref())?;
            if self.providers.contains_key(name) {
                let fault = "a provider has this name: rename one, they share a label";
                let name = shown::name(name);
                return Err(ConfigError::new(format_args!("agents.{name}"), fault));
            }
        }
        for (alias, route) in &self.routes {
            self.route(alias, route)?;
        }
        Ok(())
    }

    fn bounds(&self) -> Result<(), ConfigError> {
        for (key, duration) in [
            ("connect_timeout", self.connect_timeout),
            ("response_header_timeout", self.response_header_timeout),
            ("request_body_timeout", self.request_body_timeout),
            ("head_timeout", self.head_timeout),
            ("idle_timeout", self.idle_timeout),
            ("write_stall_timeout", self.write_stall_timeout),
            ("stream_idle_timeout", self.stream_idle_timeout),
            ("websocket_idle_timeout", self.websocket_idle_timeout),
        ] {
            if duration.is_zero() {
                return Err(ConfigError::new(key, "must be longer than 0"));
            }
        }
        let bounds = [
            ("max_request_bytes", self.max_request_bytes == 0),
            ("max_connections", self.max_connections == Some(0)),
            ("max_concurrent_streams", self.max_concurrent_streams == 0),
        ];
        for (key, zero) in bounds {
            if zero {
                return Err(ConfigError::new(key, "must be more than 0"));
            }
        }
        let least = least_buffered_bytes(self.max_request_bytes);
        if self.max_buffered_bytes < least {
            let fault = format!(
                "is too little for a request of max_request_bytes ({}) and its copy: \
                 write at least {least}",
                self.max_request_bytes
            );
            return Err(ConfigError::new("max_buffered_bytes", fault));
        }
        Ok(())
    }

    fn client_tokens(&self) -> Result<(), ConfigError> {
        let Some(tokens) = self.client_tokens_env.as_deref() else {
            return Ok(());
        };
        let key = "client_tokens_env";
        check_variable(key, tokens, "tokens")?;
        if self.keys().any(|variable| variable == tokens) {
            let fault = "an api_key_env names the same variable: tokens of clients never leave the \
                         gateway, so give them one of their own";
            return Err(ConfigError::new(key, fault));
        }
        Ok(())
    }

    fn upstreams(&self) -> Result<(), ConfigError> {
        if self.max_response_head_bytes < MIN_RESPONSE_HEAD_BYTES {
            let fault = format!("must be at least {MIN_RESPONSE_HEAD_BYTES}");
            return Err(ConfigError::new("max_response_head_bytes", fault));
        }
        if u32::try_from(self.max_response_head_bytes).is_err() {
            let fault = format!("must be at most {}", u32::MAX);
            return Err(ConfigError::new("max_response_head_bytes", fault));
        }
        let own = self
            .providers
            .iter()
            .map(|(name, provider)| ("providers", name, provider.stream_idle_timeout));
        let own = own.chain(
            self.agents
                .iter()
                .map(|(name, agent)| ("agents", name, agent.stream_idle_timeout)),
        );
        for (table, name, timeout) in own {
            if timeout.is_some_and(|timeout| timeout.is_zero()) {
                let key = format!("{table}.{}.stream_idle_timeout", shown::name(name));
                return Err(ConfigError::new(key, "must be longer than 0"));
            }
        }
        Ok(())
    }

    fn route(&self, alias: &str, route: &RouteAlias) -> Result<(), ConfigError> {
        let key = format!("routes.{}", shown::name(alias));
        check_label(&key, "", alias)?;
        let prefix = alias.split_once('/').map(|(prefix, _)| prefix);
        let taken = self.agents.contains_key(alias)
            || prefix.is_some_and(|prefix| self.providers.contains_key(prefix))
            || self.listing(alias).next().is_some();
        if taken {
            let fault = "a model or an agent has this name: rename the route";
            return Err(ConfigError::new(key, fault));
        }
        route.check(&key)?;
        let key = format!("{key}.candidates");
        let Some(first) = route.candidates.first() else {
            let fix = "is empty: name at least one provider/model or agents/NAME";
            return Err(ConfigError::new(key, fix));
        };
        let mut seen = BTreeSet::new();
        for (n, candidate) in (1..).zip(&route.candidates) {
            self.candidate(&key, n, candidate)?;
            if std::mem::discriminant(candidate) != std::mem::discriminant(first) {
                let fault = "holds models and agents: make it two routes";
                return Err(ConfigError::new(key, fault));
            }
            if !seen.insert(candidate.to_string()) {
                let fault = format!("entry {n} is there twice: remove one");
                return Err(ConfigError::new(key, fault));
            }
        }
        Ok(())
    }

    fn candidate(&self, key: &str, n: usize, candidate: &Target) -> Result<(), ConfigError> {
        let (known, table) = match candidate {
            Target::Model { provider, model } => {
                check_label(key, &format!("entry {n} "), model)?;
                (self.providers.contains_key(provider), "providers")
            }
            Target::Agent(name) => (self.agents.contains_key(name), AGENTS),
        };
        if known {
            return Ok(());
        }
        let fault = format!("entry {n} leads nowhere: add the [{table}.NAME] that it names");
        Err(ConfigError::new(key, fault))
    }

    /// The providers that list this model.
    pub(crate) fn listing(&self, model: &str) -> impl Iterator<Item = &str> {
        let listing = self
            .providers
            .iter()
            .filter(move |(_, provider)| provider.models.iter().any(|listed| listed == model));
        listing.map(|(name, _)| name.as_str())
    }
}

fn check_destination(table: &str, name: &str, key_env: Option<&str>) -> Result<(), ConfigError> {
    let key = format!("{table}.{}", shown::name(name));
    check_label(&key, "", name)?;
    if name.contains('/') || name == AGENTS {
        let fault = "no name may hold a slash or be \"agents\": rename it";
        return Err(ConfigError::new(key, fault));
    }
    key_env.map_or(Ok(()), |env| {
        check_variable(format_args!("{key}.api_key_env"), env, "a key")
    })
}

fn check_cap(key: impl fmt::Display, cap: Option<usize>) -> Result<(), ConfigError> {
    if cap.is_none_or(|cap| cap <= Builder::MAX_CAP) {
        return Ok(());
    }
    let fix = format!("must be {} at most", Builder::MAX_CAP);
    Err(ConfigError::new(key, fix))
}

/// Whether this can be a variable; it is not repeated where it cannot, and may be `what` itself.
pub(super) fn check_variable(
    key: impl fmt::Display,
    name: &str,
    what: &str,
) -> Result<(), ConfigError> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.chars().all(word) {
        return Ok(());
    }
    let fix = format!("must be the name of an environment variable, not {what}");
    Err(ConfigError::new(key, fix))
}

/// Names become labels, so they must be as they stand there. `which` tells one of several, with a space
/// behind it.
fn check_label(key: &str, which: &str, name: &str) -> Result<(), ConfigError> {
    if sanitize(name) == name && name != OTHER && name != UNKNOWN {
        return Ok(());
    }
    let fault = format!(
        "{which}cannot be a label: use 1 to {MAX_LABEL_BYTES} bytes, no control character, \
         and neither \"{OTHER}\" nor \"{UNKNOWN}\""
    );
    Err(ConfigError::new(key, fault))
}
