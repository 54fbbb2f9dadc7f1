//! Who may scrape, in the form of exporter-toolkit's web configuration: TLS, passwords, headers, a rate; and bearer
//! tokens, which that form does not know.

mod client_certs;
mod error;
mod file;
mod guard;
mod pem;
mod rate;
mod reload;
mod tls;
mod tokens;
mod users;
mod yaml;

use std::{path::PathBuf, sync::Arc};

use axum::Router;

pub use self::error::WebConfigError;
pub(crate) use self::tls::Tls;
use self::{file::Settings, rate::Rate, reload::Reloaded, tokens::Tokens};

/// Who may scrape. All may who are not kept out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    web: Option<Arc<Web>>,
    tokens: Option<Arc<Reloaded<Tokens>>>,
}

/// A web configuration. Its rate, and whether there is TLS at all, are those of the start.
#[derive(Debug)]
struct Web {
    settings: Reloaded<Settings>,
    rate: Option<Rate>,
    secured: bool,
}

impl Access {
    /// Lets in as the web configuration in this file says.
    pub(crate) fn configure(&mut self, path: PathBuf) -> Result<(), WebConfigError> {
        let settings = Reloaded::new(move |files, start| Settings::load(&path, files, start))?;
        let start = settings.current()?;
        self.web = Some(Arc::new(Web {
            rate: start.rate.map(Rate::new),
            secured: !matches!(start.tls, Ok(None)),
            settings,
        }));
        Ok(())
    }

    /// Lets in who has one of these tokens.
    pub(crate) fn allow_tokens(&mut self, tokens: Vec<String>) -> Result<(), WebConfigError> {
        let tokens = Reloaded::new(move |_, _| Tokens::new(&tokens))?;
        self.tokens = Some(Arc::new(tokens));
        Ok(())
    }

    /// Lets in who has one of the tokens in this file, one a line.
    pub(crate) fn allow_tokens_in(&mut self, path: PathBuf) -> Result<(), WebConfigError> {
        let tokens = Reloaded::new(move |files, _| {
            let text = files.read(&path).map_err(|error| error.of(&path))?;
            Tokens::new(text.lines().map(str::trim).filter(|line| !line.is_empty()))
                .map_err(|error| error.of(&path))
        })?;
        self.tokens = Some(Arc::new(tokens));
        Ok(())
    }

    /// The router, behind what keeps others out.
    pub(crate) fn guard(&self, router: Router) -> Router {
        if self.web.is_none() && self.tokens.is_none() {
            return router;
        }
        guard::guard(self.clone(), router)
    }

    /// How connections are secured, if they are.
    pub(crate) fn tls(&self) -> Option<Tls> {
        let web = self.web.as_ref()?;
        web.secured.then(|| Tls::new(Arc::clone(web)))
    }
}
