//! Whom a connection trusts, and who it says it is.

use std::{fmt, fs, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::super::{error::OtlpError, settings::Named};

/// The files that say it.
#[derive(Debug)]
pub(in super::super) struct Tls {
    pub(in super::super) certificate: Option<Named>,
    pub(in super::super) client_certificate: Option<Named>,
    pub(in super::super) client_key: Option<Named>,
}

type Result<T> = std::result::Result<T, OtlpError>;

impl Tls {
    /// What a connection without TLS does not use, for the log.
    pub(in super::super) fn unused(&self, secured: bool) -> impl Iterator<Item = String> {
        let files = [
            &self.certificate,
            &self.client_certificate,
            &self.client_key,
        ];
        let files = files.into_iter().flatten().filter(move |_| !secured);
        files.map(|file| {
            format!(
                "{}: is not used, since the endpoint is not https",
                file.from
            )
        })
    }

    /// For connections that are secured, or for others, which need none of the files.
    pub(super) fn config(&self, secured: bool) -> Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the default protocol versions");
        if !secured {
            let nobody = RootCertStore::empty();
            return Ok(builder.with_root_certificates(nobody).with_no_client_auth());
        }
        let builder = match &self.certificate {
            Some(file) => builder.with_root_certificates(roots(file)?),
            None => builder.with_platform_verifier().map_err(|_| {
                OtlpError::setting(
                    "endpoint",
                    "is https, and the system trusts no certificates: install ca-certificates, or set SSL_CERT_FILE",
                )
            })?,
        };
        let config = match (&self.client_certificate, &self.client_key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(certificate), Some(key)) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(|_| fault(key, "is not the key of the client's certificate")),
            (Some(one), None) => Err(fault(one, "has no key: set the client key, too")),
            (None, Some(one)) => Err(fault(
                one,
                "has no certificate: set the client certificate, too",
            )),
        };
        let mut config = config?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn fault(file: &Named, fault: impl fmt::Display) -> OtlpError {
    OtlpError::setting(&file.from, fault)
}

fn roots(file: &Named) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        let added = roots.add(certificate);
        added.map_err(|_| {
            fault(
                file,
                "holds a certificate that cannot be used: write it anew",
            )
        })?;
    }
    Ok(roots)
}

fn certificates(file: &Named) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read(file)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<std::result::Result<_, _>>();
    // Not in the parser's words, which hold what stands there.
    let certificates: Vec<_> =
        certificates.map_err(|_| fault(file, "holds no sound PEM: write the certificate anew"))?;
    if certificates.is_empty() {
        let none = "holds no certificate: a line -----BEGIN CERTIFICATE----- is needed";
        return Err(fault(file, none));
    }
    Ok(certificates)
}

fn private_key(file: &Named) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|_| {
        fault(
            file,
            "holds no key: a line -----BEGIN PRIVATE KEY----- is needed",
        )
    })
}

/// The path is not repeated: it may be the certificate itself, or the key.
fn read(file: &Named) -> Result<Vec<u8>> {
    fs::read(&file.path).map_err(|error| {
        let why = error.kind();
        fault(
            file,
            format_args!("the file cannot be read ({why}): name one that can"),
        )
    })
}
