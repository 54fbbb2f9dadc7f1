//! Secrets that are not where a configuration says: it can be checked without them.

use std::{env, fmt, io::ErrorKind, mem, path::Path};

use super::{Config, ConfigError, SessionStore, shown};

impl Config {
    /// Takes out what names an environment variable that is not set, or a file of tokens that is not there, and tells
    /// of each. What is there stays, to be checked.
    pub(crate) fn take_out_absent(&mut self) -> Vec<ConfigError> {
        let mut absent = Vec::new();
        let providers = self.providers.iter_mut();
        let keys = providers.map(|(name, provider)| ("providers", name, &mut provider.api_key_env));
        let agents = self.agents.iter_mut();
        let keys = keys.chain(agents.map(|(name, agent)| ("agents", name, &mut agent.api_key_env)));
        for (table, name, variable) in keys {
            let name = shown::name(name);
            absent.extend(take_unset(
                format_args!("{table}.{name}.api_key_env"),
                variable,
            ));
        }
        absent.extend(take_unset("client_tokens_env", &mut self.client_tokens_env));
        if self.client_tokens_file.as_deref().is_some_and(is_absent) {
            self.client_tokens_file = None;
            absent.push(ConfigError::new(
                "client_tokens_file",
                "the file is not there",
            ));
        }
        let redis = take_unset("sessions.url_env", &mut self.sessions.url_env);
        if redis.is_some() {
            // Nothing is left to be checked of it.
            self.sessions.store = SessionStore::Memory;
        }
        absent.extend(redis);
        absent.extend(take_unset("otlp.headers_env", &mut self.otlp.headers_env));
        absent
    }
}

fn is_absent(path: &Path) -> bool {
    let looked = path.metadata();
    looked.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Takes out a variable that is not set.
fn take_unset(key: impl fmt::Display, variable: &mut Option<String>) -> Option<ConfigError> {
    if env::var_os(variable.as_deref()?).is_some() {
        return None;
    }
    let unset = mem::take(variable)?;
    let named = shown::variable(&unset);
    Some(ConfigError::new(key, format_args!("{named} is not set")))
}
