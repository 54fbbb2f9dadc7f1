use std::fmt;

/// Why metrics could not be registered, or declared later. The message names the thing that failed.
///
/// Its `Debug` is the message with its cause, since that is what falls out of a `main` that returns it.
pub struct RegisterError(Kind);

enum Kind {
    Buckets(&'static str, &'static str),
    Upstream {
        provider: String,
        model: String,
    },
    Provider(String),
    Cap {
        what: &'static str,
        cap: usize,
        most: usize,
    },
    NoRoom {
        provider: String,
        model: Option<String>,
    },
    Label(String),
    Registry(prometheus::Error),
}

impl RegisterError {
    pub(crate) fn buckets(set: &'static str, fault: &'static str) -> Self {
        Self(Kind::Buckets(set, fault))
    }

    pub(crate) fn upstream(provider: &str, model: &str) -> Self {
        Self(Kind::Upstream {
            provider: provider.to_owned(),
            model: model.to_owned(),
        })
    }

    pub(crate) fn provider(name: &str) -> Self {
        Self(Kind::Provider(name.to_owned()))
    }

    pub(crate) fn cap(what: &'static str, cap: usize, most: usize) -> Self {
        Self(Kind::Cap { what, cap, most })
    }

    pub(crate) fn no_room(provider: &str, model: Option<&str>) -> Self {
        Self(Kind::NoRoom {
            provider: provider.to_owned(),
            model: model.map(ToOwned::to_owned),
        })
    }

    pub(crate) fn label(name: &str) -> Self {
        Self(Kind::Label(name.to_owned()))
    }

    pub(crate) fn registry(error: prometheus::Error) -> Self {
        Self(Kind::Registry(error))
    }

    /// Whether the registry already holds these families, for example from an earlier
    /// registration.
    ///
    /// ```
    /// use brightstaff_metrics_core::Metrics;
    ///
    /// let registry = prometheus::Registry::new();
    /// Metrics::builder().register(&registry)?;
    /// assert!(Metrics::builder().register(&registry).unwrap_err().is_already_registered());
    /// # Ok::<_, brightstaff_metrics_core::RegisterError>(())
    /// ```
    #[must_use]
    pub fn is_already_registered(&self) -> bool {
        matches!(self.0, Kind::Registry(prometheus::Error::AlreadyReg))
    }
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Buckets(set, fault) => {
                write!(f, "bad buckets for {set}: {fault}")
            }
            Kind::Upstream { provider, model } => write!(
                f,
                "bad upstream pair {provider:?}, {model:?}: each name needs 1 to {} bytes and no control character",
                crate::labels::MAX_LABEL_BYTES
            ),
            Kind::Provider(name) => write!(
                f,
                "bad provider {name:?}: its name needs 1 to {} bytes and no control character",
                crate::labels::MAX_LABEL_BYTES
            ),
            Kind::Cap { what, cap, most } => {
                write!(f, "bad {what} of {cap}: it can be {most} at most")
            }
            Kind::NoRoom { provider, model } => match model {
                Some(model) => write!(
                    f,
                    "no room is left for the upstream pair {provider:?}, {model:?}: declare it before the registration, \
                     or raise later_upstreams"
                ),
                None => write!(
                    f,
                    "no room is left for the provider {provider:?}: name it before the registration"
                ),
            },
            Kind::Label(name) => write!(
                f,
                "the registry gives every series a label {name:?}, which is one of the brightstaff families' own: \
                 Prometheus refuses a scrape with two of them"
            ),
            Kind::Registry(prometheus::Error::AlreadyReg) => {
                f.write_str("the registry already holds the brightstaff families")
            }
            Kind::Registry(_) => f.write_str("the registry refused the brightstaff families"),
        }
    }
}

impl fmt::Debug for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.0 {
            Kind::Registry(error) if !self.is_already_registered() => write!(f, ": {error}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for RegisterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Registry(error) => Some(error),
            Kind::Buckets(..)
            | Kind::Upstream { .. }
            | Kind::Provider(_)
            | Kind::Cap { .. }
            | Kind::NoRoom { .. }
            | Kind::Label(_) => None,
        }
    }
}
