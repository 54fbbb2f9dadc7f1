use std::fmt;

/// What is wrong with a configuration: one line that names the key and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(key: impl fmt::Display, fault: impl fmt::Display) -> Self {
        Self(format!("{key}: {fault}"))
    }

    /// From TOML that does not parse, or is not of the right shape: one line, with its place.
    pub(super) fn toml(text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().replace('\n', ", ");
        let Some(span) = error.span() else {
            return Self(message);
        };
        // A span may point past the end of a text that stops too early.
        let before = &text.as_bytes()[..span.start.min(text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Self(format!("line {line}: {message}"))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
