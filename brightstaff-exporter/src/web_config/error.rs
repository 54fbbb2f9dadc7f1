use std::{fmt, path::Path};

/// What is wrong with a web configuration, or with tokens: one line that names the file, the key and the fix, and no
/// secret.
///
/// `Debug` prints that line, too, since it is what a `main` shows that returns the error.
#[derive(Clone)]
pub struct WebConfigError(String);

impl WebConfigError {
    pub(super) fn new(fault: impl fmt::Display) -> Self {
        Self(fault.to_string())
    }

    /// This fault, at this key.
    pub(super) fn at(key: &str, fault: impl fmt::Display) -> Self {
        Self(format!("{key}: {fault}"))
    }

    /// This fault, in this file.
    pub(super) fn of(&self, path: &Path) -> Self {
        Self(format!("{}: {}", path.display(), self.0))
    }
}

impl fmt::Display for WebConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WebConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WebConfigError {}
