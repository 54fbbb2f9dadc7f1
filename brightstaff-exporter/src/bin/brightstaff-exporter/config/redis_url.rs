use std::{env, fmt};

use super::{ConfigError, Sessions, sessions, shown};

impl Sessions {
    /// Where the Redis is, password included.
    pub(crate) fn redis_url(&self) -> Result<String, ConfigError> {
        if let Some(sessions::RedisUrl(url)) = &self.url {
            return Ok(url.clone());
        }
        let variable = self.url_env.as_deref().unwrap_or_default();
        let url = env::var(variable).map_err(|_| {
            let variable = shown::variable(variable);
            self.url_error(format_args!("{variable} is not set, or no text"))
        })?;
        sessions::parse(&url).map_err(|fault| self.url_error(fault))?;
        Ok(url)
    }

    /// What is wrong with it, wherever it comes from.
    pub(crate) fn url_error(&self, fault: impl fmt::Display) -> ConfigError {
        let key = if self.url.is_some() {
            "sessions.url"
        } else {
            "sessions.url_env"
        };
        ConfigError::new(key, fault)
    }
}
