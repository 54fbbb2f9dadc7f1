//! The host that a request asks for.
//!
//! A browser takes any name to this machine that its owner's name server leads here (DNS rebinding), and
//! then treats the gateway as a part of that owner's site. So a gateway on loopback answers to the names
//! of loopback alone, and to those that it is told.

use std::net::SocketAddr;

use axum::http::{StatusCode, Version, header::HOST};

use super::super::{Request, error::Refusal};
use crate::config::{AllowedHost, HostPort};

#[derive(Debug)]
pub(super) struct Hosts {
    allowed: Vec<AllowedHost>,
    /// Whether any other host is refused.
    only_these: bool,
}

impl Hosts {
    pub(super) fn new(allowed: &[AllowedHost]) -> Self {
        Self {
            allowed: allowed.to_vec(),
            only_these: true,
        }
    }

    /// By what name a gateway is known that listens on all addresses, only its operator can tell.
    pub(super) fn bound_to(&mut self, address: SocketAddr) {
        let loopback = address.ip().to_canonical().is_loopback();
        self.only_these = loopback || !self.allowed.is_empty();
    }

    /// The host that is asked for. Only HTTP/1.0 may do without.
    pub(super) fn check<'a>(&self, request: &'a Request) -> Result<Option<HostPort<'a>>, Refusal> {
        let host = asked(request)?;
        match host {
            Some(host) if self.only_these && !self.is_listed(host) => {
                let fault = "this host is not the gateway's: ask for localhost, or add the host to \
                             allowed_hosts";
                let refusal = Refusal::request("host_not_allowed", fault);
                Err(refusal.with_status(StatusCode::FORBIDDEN))
            }
            host => Ok(host),
        }
    }

    /// Whether no name server has a say in this host being the gateway.
    pub(super) fn is_certain(&self, host: HostPort<'_>) -> bool {
        host.address().is_some() || self.is_listed(host)
    }

    fn is_listed(&self, host: HostPort<'_>) -> bool {
        host.is_loopback() || self.allowed.iter().any(|allowed| allowed.allows(host))
    }
}

/// RFC 9112, section 3.2, and RFC 9113, section 8.3.1: what the target says goes before `Host`, which must
/// be there once in HTTP/1.1, and must not say anything else in HTTP/2.
pub(super) fn asked(request: &Request) -> Result<Option<HostPort<'_>>, Refusal> {
    let invalid = |fault: &str| Refusal::request("invalid_host", fault);
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(invalid("`Host` must be there once only"));
    }
    let host = match host.map(|host| host.to_str().ok().and_then(HostPort::parse)) {
        None => None,
        Some(Some(host)) => Some(host),
        Some(None) => return Err(invalid("`Host` must be a host, with or without a port")),
    };
    let target = match request.uri().authority() {
        None => None,
        Some(authority) => match HostPort::parse(authority.as_str()) {
            Some(target) => Some(target),
            None => return Err(invalid("the target must name a host and nothing else")),
        },
    };
    let version = request.version();
    match (target, host) {
        (_, None) if version == Version::HTTP_11 => Err(invalid("`Host` is missing")),
        (None, None) if version >= Version::HTTP_2 => Err(invalid("`:authority` is missing")),
        (Some(target), Some(host)) if version >= Version::HTTP_2 && !target.is(host) => {
            Err(invalid("`:authority` and `Host` must be the same"))
        }
        (target, host) => Ok(target.or(host)),
    }
}
