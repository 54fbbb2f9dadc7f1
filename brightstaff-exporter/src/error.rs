use std::{fmt, io, net::SocketAddr};

/// Why metrics cannot be served: one line that names the address and the way to another.
#[derive(Debug)]
pub struct BindError(Kind);

#[derive(Debug)]
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
                let fault = match error.kind() {
                    io::ErrorKind::AddrInUse => "another process listens there".to_owned(),
                    io::ErrorKind::AddrNotAvailable => "no interface has this address".to_owned(),
                    _ => error.to_string(),
                };
                write!(f, "cannot serve metrics on {address}: {fault}: ")?;
                match from {
                    Some(from) => write!(f, "set {from} to another IP:PORT"),
                    None => f.write_str("choose another IP:PORT"),
                }
            }
        }
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
