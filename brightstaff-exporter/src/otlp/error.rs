use std::{fmt, io};

/// Why metrics cannot be pushed: one line that names the setting and how to put it right, and repeats no value.
///
/// `Debug` prints that line, too, since it is what a `main` shows that returns the error.
#[non_exhaustive]
pub enum OtlpError {
    /// A setting cannot be used as it is.
    #[non_exhaustive]
    Setting {
        /// The environment variable that it came from, or the method of [`Otlp`](crate::otlp::Otlp).
        name: String,
        /// What is wrong with it, and what to write.
        fault: String,
    },
    /// The registry does not take the counter of exports: it pushes already, or is pushed.
    Registry(prometheus::Error),
    /// The system has no thread left, or nothing for it to wait with.
    Thread(io::Error),
}

impl OtlpError {
    pub(super) fn setting(name: impl Into<String>, fault: impl fmt::Display) -> Self {
        let (name, fault) = (name.into(), fault.to_string());
        Self::Setting { name, fault }
    }
}

impl fmt::Display for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, fault } => write!(f, "{name}: {fault}"),
            Self::Registry(_) => f.write_str(
                "the registry has the counter of exports already: push a registry once, and keep what pushes it",
            ),
            Self::Thread(_) => f.write_str("no thread can be started to push metrics"),
        }
    }
}

impl fmt::Debug for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match std::error::Error::source(self) {
            // What `Display` leaves to it, which nobody prints here.
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for OtlpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Setting { .. } => None,
            Self::Registry(error) => Some(error),
            Self::Thread(error) => Some(error),
        }
    }
}
