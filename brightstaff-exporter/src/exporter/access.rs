//! Who may scrape.

use std::path::Path;

use super::Exporter;
use crate::web_config::WebConfigError;

/// # Access
impl Exporter {
    /// Serves as the web configuration in this file says, which has the form that the exporters of Prometheus' own
    /// project read from `--web.config.file`
    /// ([exporter-toolkit](https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md)): TLS,
    /// with or without certificates of clients; users and their passwords, hashed with bcrypt; response headers; a
    /// rate.
    ///
    /// As there:
    /// - With users configured **every** path asks for a password, `/healthz` as well.
    /// - The file, and the certificates and keys that it names, are read again once they change. While one cannot be
    ///   read, or is wrong, nobody is let in: handshakes fail, requests are answered by 500. `tracing` has an error
    ///   that says why. Whether there is TLS at all, and the rate, stay as they were at the start.
    /// - Paths are relative to the folder of the file.
    ///
    /// Not as there:
    /// - What this server cannot do is an error: HTTP/2 (`http2: true`; unset means HTTP/1 here), TLS below 1.2, and
    ///   the cipher suites and curves that rustls does not have.
    /// - An unknown key, or one that has no effect, is an error wherever it stands.
    /// - A user who does not exist costs as much time as one of those who do, whatever the cost of their hashes. At
    ///   most 16 passwords wait for their check, which goes one by one; past that it is 503. A password that was right
    ///   is not checked again while the file stays as it is.
    ///
    /// Of [`router`](Self::router) only TLS is left to the server that it is mounted on.
    ///
    /// # Errors
    ///
    /// What cannot be read, or cannot be, in one line that names the file, the key and the fix, and no secret.
    pub fn web_config(mut self, path: impl AsRef<Path>) -> Result<Self, WebConfigError> {
        self.access.configure(path.as_ref().to_owned())?;
        Ok(self)
    }

    /// Lets in who has one of these tokens: `Authorization: Bearer TOKEN`, which Prometheus sends for
    /// `authorization: { credentials_file: … }`. With [users](Self::web_config) configured as well, either will do.
    /// Every path asks for it.
    ///
    /// Tokens are compared in a time that does not depend on them.
    ///
    /// # Errors
    ///
    /// There is no token, or one that no header can hold: visible ASCII without blanks is needed.
    pub fn bearer_tokens<T: Into<String>>(
        mut self,
        tokens: impl IntoIterator<Item = T>,
    ) -> Result<Self, WebConfigError> {
        let tokens = tokens.into_iter().map(Into::into).collect();
        self.access.allow_tokens(tokens)?;
        Ok(self)
    }

    /// As [`bearer_tokens`](Self::bearer_tokens), with the tokens in a file, one a line, which is read again once it
    /// changes: two lines let a token be replaced without a gap.
    ///
    /// # Errors
    ///
    /// Those of [`bearer_tokens`](Self::bearer_tokens), and a file that cannot be read.
    pub fn bearer_token_file(mut self, path: impl AsRef<Path>) -> Result<Self, WebConfigError> {
        self.access.allow_tokens_in(path.as_ref().to_owned())?;
        Ok(self)
    }
}
