use std::{fmt, io, net::SocketAddr};

/// Why metrics cannot be served: one line that names the address and the way to another.
///
/// `Debug` prints that line, too, since it is what a `main` shows that returns the error.
pub struct BindError(Kind);

enum Kind {
    Address {
        from: String,
        value: String,
    },
    Bind {
        address: SocketAddr,
        from: Option<String>,
        error: io::Error,
    },
}

impl BindError {
    pub(crate) fn address(from: &str, value: impl Into<String>) -> Self {
        Self(Kind::Address {
            from: from.to_owned(),
            value: value.into(),
        })
    }

    pub(crate) fn bind(address: SocketAddr, from: Option<String>, error: io::Error) -> Self {
        Self(Kind::Bind {
            address,
            from,
            error,
        })
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Address { from, value } => write!(
                f,
                "{from}: {value:?} is no address to listen on: write IP:PORT, for example 0.0.0.0:9092"
            ),
            Kind::Bind {
                address,
                from,
                error,
            } => {
                write!(f, "cannot serve metrics on {address}: ")?;
                match in_other_words(error) {
                    Some(fault) => write!(f, "{fault}: ")?,
                    None => write!(f, "{error}: ")?,
                }
                match from {
                    Some(from) => write!(f, "set {from} to another IP:PORT"),
                    None => f.write_str("choose another IP:PORT"),
                }
            }
        }
    }
}

impl fmt::Debug for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.0 {
            // What `Display` leaves to `source`, which nobody prints here.
            Kind::Bind { error, .. } if in_other_words(error).is_some() => write!(f, " ({error})"),
            _ => Ok(()),
        }
    }
}

/// What is told in place of the system's own words.
fn in_other_words(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::AddrInUse => Some("another process listens there"),
        io::ErrorKind::AddrNotAvailable => Some("no interface has this address"),
        _ => None,
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Bind { error, .. } => Some(error),
            Kind::Address { .. } => None,
        }
    }
}
