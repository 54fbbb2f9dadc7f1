//! Who may use the gateway: it holds keys of its operator, so neither every client nor every web page may.
//!
//! Every request is judged before anything else of it is looked at, in this order:
//!
//! 1. the host that it asks for ([`hosts`]), so that no name of a stranger leads a browser here;
//! 2. the web page that it comes from ([`origins`]), so that no page spends the operator's money;
//! 3. the token of its client ([`tokens`]), which goes no further than here.
//!
//! What is refused is a response like any other, counted as HTTP 4xx, and no call to a provider.

mod hosts;
mod origins;
mod token_file;
mod tokens;

use std::{net::SocketAddr, sync::Arc};

pub(super) use self::origins::{Page, forget as forget_page, mark};
use self::{hosts::Hosts, origins::Origins, token_file::CurrentTokens};
use super::{Request, error::Refusal};
use crate::config::{Config, ConfigError};

/// Everything that a request is judged by.
#[derive(Debug)]
pub(super) struct Access {
    hosts: Hosts,
    origins: Origins,
    tokens: Option<Arc<CurrentTokens>>,
}

impl Access {
    /// Reads the clients' tokens, unless `before` has them from the same place.
    pub(super) fn new(config: &Config, before: Option<&Self>) -> Result<Self, ConfigError> {
        let before = before.and_then(|before| before.tokens.as_ref());
        let tokens = match before.filter(|tokens| tokens.are_of(config)) {
            Some(same) => Some(Arc::clone(same)),
            None => CurrentTokens::read(config)?.map(Arc::new),
        };
        Ok(Self {
            hosts: Hosts::new(&config.allowed_hosts),
            origins: Origins::new(&config.cors_origins),
            tokens,
        })
    }

    /// For a gateway that listens here: from now on the clients' tokens are those that their file holds.
    pub(super) fn bound_to(mut self, address: SocketAddr) -> Self {
        self.hosts.bound_to(address);
        if let Some(tokens) = &self.tokens {
            tokens.watch();
        }
        self
    }

    /// Whether a request names its host as HTTP wants it, whichever that is.
    pub(super) fn host_is_valid(&self, request: &Request) -> Result<(), Refusal> {
        hosts::asked(request).map(drop)
    }

    /// The web page that a request comes from, if it does and may.
    pub(super) fn page<'a>(&self, request: &'a Request) -> Result<Option<Page<'a>>, Refusal> {
        let host = self.hosts.check(request)?;
        let own = || host.filter(|host| self.hosts.is_certain(*host));
        self.origins.check(request.headers(), own)
    }

    /// Takes the client's token out of a request, or refuses it.
    pub(super) fn client(&self, request: &mut Request) -> Result<(), Refusal> {
        match &self.tokens {
            Some(tokens) => tokens.now().take(request),
            None => Ok(()),
        }
    }
}
