//! What no type can say about a configuration.

use std::{collections::BTreeSet, fmt};

use brightstaff_metrics_core::{
    Builder,
    labels::{MAX_LABEL_BYTES, OTHER, UNKNOWN, sanitize},
};

use super::{Config, ConfigError, RouteAlias, Target, target::AGENTS};

impl Config {
    /// Everything that is named exists, and no name means two things.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.providers.is_empty() && self.agents.is_empty() {
            let fix = "nothing to forward to: add [providers.NAME] with its url";
            return Err(ConfigError::new("providers", fix));
        }
        self.limits()?;
        check_cap("upstream_cap", self.upstream_cap)?;
        for (name, provider) in &self.providers {
            check_destination("providers", name, provider.api_key_env.as_deref())?;
            check_cap(
                format_args!("providers.{name}.open_models"),
                provider.open_models,
            )?;
            for model in &provider.models {
                check_label(format_args!("providers.{name}.models"), model)?;
            }
        }
        for (name, agent) in &self.agents {
            check_destination("agents", name, agent.api_key_env.as_deref())?;
            if self.providers.contains_key(name) {
                let fault = "a provider has this name: rename one, they share a label";
                return Err(ConfigError::new(format_args!("agents.{name}"), fault));
            }
        }
        for (alias, route) in &self.routes {
            self.route(alias, route)?;
        }
        Ok(())
    }

    fn limits(&self) -> Result<(), ConfigError> {
        for (key, duration) in [
            ("connect_timeout", self.connect_timeout),
            ("response_header_timeout", self.response_header_timeout),
            ("sessions.ttl", self.sessions.ttl),
        ] {
            if duration.is_zero() {
                return Err(ConfigError::new(key, "must be longer than 0"));
            }
        }
        let bounds = [
            ("max_request_bytes", self.max_request_bytes == 0),
            ("sessions.capacity", self.sessions.capacity == 0),
        ];
        for (key, zero) in bounds {
            if zero {
                return Err(ConfigError::new(key, "must be more than 0"));
            }
        }
        Ok(())
    }

    fn route(&self, alias: &str, route: &RouteAlias) -> Result<(), ConfigError> {
        let key = format!("routes.{alias}");
        check_label(&key, alias)?;
        let prefix = alias.split_once('/').map(|(prefix, _)| prefix);
        let taken = self.agents.contains_key(alias)
            || prefix.is_some_and(|prefix| self.providers.contains_key(prefix))
            || self.listing(alias).next().is_some();
        if taken {
            let fault = "a model or an agent has this name: rename the route";
            return Err(ConfigError::new(key, fault));
        }
        let key = format!("{key}.candidates");
        let Some(first) = route.candidates.first() else {
            let fix = "is empty: name at least one provider/model or agents/NAME";
            return Err(ConfigError::new(key, fix));
        };
        let mut seen = BTreeSet::new();
        for candidate in &route.candidates {
            self.candidate(&key, candidate)?;
            if std::mem::discriminant(candidate) != std::mem::discriminant(first) {
                let fault = "holds models and agents: make it two routes";
                return Err(ConfigError::new(key, fault));
            }
            if !seen.insert(candidate.to_string()) {
                let fault = format!("names \"{candidate}\" twice: remove one");
                return Err(ConfigError::new(key, fault));
            }
        }
        Ok(())
    }

    fn candidate(&self, key: &str, candidate: &Target) -> Result<(), ConfigError> {
        let (known, table, name) = match candidate {
            Target::Model { provider, model } => {
                check_label(key, model)?;
                (self.providers.contains_key(provider), "providers", provider)
            }
            Target::Agent(name) => (self.agents.contains_key(name), AGENTS, name),
        };
        if known {
            return Ok(());
        }
        let fault = format!("\"{candidate}\" leads nowhere: add [{table}.{name}]");
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
    let key = format!("{table}.{name}");
    check_label(&key, name)?;
    if name.contains('/') || name == AGENTS {
        let fault = "no name may hold a slash or be \"agents\": rename it";
        return Err(ConfigError::new(key, fault));
    }
    // Never echoed: what does not look like a variable's name may be the key itself.
    if key_env.is_some_and(|env| !is_variable(env)) {
        let fix = "must be the name of an environment variable, not a key";
        return Err(ConfigError::new(format_args!("{key}.api_key_env"), fix));
    }
    Ok(())
}

fn check_cap(key: impl fmt::Display, cap: Option<usize>) -> Result<(), ConfigError> {
    if cap.is_none_or(|cap| cap <= Builder::MAX_CAP) {
        return Ok(());
    }
    let fix = format!("must be {} at most", Builder::MAX_CAP);
    Err(ConfigError::new(key, fix))
}

fn is_variable(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Names become labels, so they must be as they stand there.
fn check_label(key: impl fmt::Display, name: &str) -> Result<(), ConfigError> {
    if sanitize(name) == name && name != OTHER && name != UNKNOWN {
        return Ok(());
    }
    let fault = format!(
        "{name:?} cannot be a label: use 1 to {MAX_LABEL_BYTES} bytes, no control character, \
         and neither \"{OTHER}\" nor \"{UNKNOWN}\""
    );
    Err(ConfigError::new(key, fault))
}
