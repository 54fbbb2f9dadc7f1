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

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use self::{
    hosts::Hosts,
    origins::{Origins, Page},
    token_file::CurrentTokens,
};
use super::error::Refusal;
use crate::config::{Config, ConfigError};

/// Everything that a request is judged by.
#[derive(Debug)]
pub(super) struct Access {
    hosts: Hosts,
    origins: Origins,
    tokens: Option<Arc<CurrentTokens>>,
}

impl Access {
    /// Reads the clients' tokens.
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            hosts: Hosts::new(&config.allowed_hosts),
            origins: Origins::new(&config.cors_origins),
            tokens: CurrentTokens::read(config)?.map(Arc::new),
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

    /// The web page that a request comes from, if it does and may.
    fn page<'a>(&self, request: &'a Request) -> Result<Option<Page<'a>>, Refusal> {
        let host = self.hosts.check(request)?;
        let own = host.filter(|host| self.hosts.is_certain(*host));
        self.origins.check(request.headers(), own)
    }

    /// Takes the client's token out of a request, or refuses it.
    fn client(&self, request: &mut Request) -> Result<(), Refusal> {
        match &self.tokens {
            Some(tokens) => tokens.now().take(request),
            None => Ok(()),
        }
    }
}

/// Lets a request in, or answers it: the outermost but for the metrics.
pub(super) async fn gate(
    State(access): State<Arc<Access>>,
    mut request: Request,
    next: Next,
) -> Response {
    let page = match access.page(&request) {
        Ok(page) => page,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(page) = &page
        && let Some(preflight) = page.preflight(&request)
    {
        return preflight;
    }
    let page = page.map(Page::to_owned);
    origins::forget(request.headers_mut());
    let mut response = match access.client(&mut request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    origins::mark(response.headers_mut(), page);
    response
}
