//! Who may use the gateway: it holds keys of its operator, so neither every client nor every web page may.
//!
//! Every request is judged before anything else of it is looked at, in this order:
//!
//! 1. the host that it asks for ([`hosts`]), so that no name of a stranger leads a browser here;
//! 2. the web page that it comes from ([`origins`]), so that no page spends the operator's money; where there is none to
//!    spend, and nothing is said of origins, a page that has credentials of its own is its provider's to judge;
//! 3. the token of its client ([`tokens`]), which goes no further than here.
//!
//! What is refused is a response like any other, counted as HTTP 4xx, and no call to a provider.

mod hosts;
mod origins;
mod token_file;
mod tokens;

use std::{net::SocketAddr, sync::Arc};

use axum::http::{
    HeaderMap, HeaderName, Method,
    header::{ACCESS_CONTROL_REQUEST_METHOD, COOKIE, ORIGIN},
};

pub(super) use self::origins::{Page, forget as forget_page, mark};
use self::{hosts::Hosts, origins::Origins, token_file::CurrentTokens};
use super::{Request, credentials, error::Refusal, upgrade};
use crate::config::{Config, ConfigError};

/// Everything that a request is judged by.
#[derive(Debug)]
pub(super) struct Access {
    hosts: Hosts,
    origins: Origins,
    tokens: Option<Arc<CurrentTokens>>,
    /// There is nothing of the operator's to protect: providers judge pages themselves.
    nothing_to_spend: bool,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Visitor<'a> {
    /// No web page, or the gateway's own.
    Plain,
    /// A page that may use the gateway.
    Page(Page<'a>),
    /// A page that its provider judges: what tells of it passes, and so does what the provider says to that.
    OfProvider,
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
            nothing_to_spend: config.cors_origins.is_empty()
                && config.client_tokens_env.is_none()
                && config.client_tokens_file.is_none()
                && config.keys().next().is_none(),
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

    /// Where a request comes from, if it may.
    pub(super) fn visitor<'a>(&self, request: &'a Request) -> Result<Visitor<'a>, Refusal> {
        let host = self.hosts.check(request)?;
        let own = || host.filter(|host| self.hosts.is_certain(*host));
        match self.origins.check(request.headers(), own) {
            Ok(page) => Ok(page.map_or(Visitor::Plain, Visitor::Page)),
            Err(_) if self.nothing_to_spend && is_of_provider(request) => Ok(Visitor::OfProvider),
            Err(refusal) => Err(refusal),
        }
    }

    /// Takes the client's token out of a request, or refuses it.
    pub(super) fn client(&self, request: &mut Request) -> Result<(), Refusal> {
        match &self.tokens {
            Some(tokens) => tokens.now().take(request),
            None => Ok(()),
        }
    }
}

/// Whether a provider would be asked by its name for what a page asks: by a preflight, or with credentials of the page's
/// own, which no browser sends before its preflight was answered.
fn is_of_provider(request: &Request) -> bool {
    let headers = request.headers();
    let one_origin = headers.get_all(ORIGIN).iter().count() == 1;
    // Before a web socket there is no preflight, whatever it carries.
    one_origin
        && !upgrade::is_asked(headers)
        && (is_preflight(request.method(), headers) || headers.keys().any(is_credential_header))
}

/// Whether a browser asks what a page may do.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// No cookie: browsers send those by themselves.
fn is_credential_header(name: &HeaderName) -> bool {
    name != COOKIE && credentials::is_credential(name.as_str())
}
