use std::sync::Arc;

use anyhow::Context;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How connections to providers are secured: by the roots that the operating system trusts
/// (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
///
/// Where no destination is `https`, no roots are read, which need not be there then.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    has_roots: bool,
}

impl Tls {
    /// `before` is used on where it has what is needed.
    pub(super) fn new(https: bool, before: Option<&Self>) -> anyhow::Result<Self> {
        if let Some(before) = before.filter(|before| before.has_roots || !https) {
            return Ok(before.clone());
        }
        Ok(Self {
            config: Arc::new(client_config(https)?),
            has_roots: https,
        })
    }

    pub(super) fn config(&self) -> &ClientConfig {
        &self.config
    }
}

fn client_config(https: bool) -> anyhow::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("the TLS provider lacks the default protocol versions")?;
    let mut config = if https {
        builder
            .with_platform_verifier()
            .context("no trusted certificates: install ca-certificates or set SSL_CERT_FILE")?
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
