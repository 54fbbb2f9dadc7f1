//! Certificates and keys, which stand in the file itself or in one that it names.

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{WebConfigError, reload::Files, yaml::Node};

type Result<T> = std::result::Result<T, WebConfigError>;

/// PEM, and the key that it stands at or that names its file.
pub(super) struct Pem<'n, 'a> {
    text: String,
    pub(super) node: &'n Node<'a>,
    /// The file, if it is one, for the errors.
    file: Option<String>,
}

/// What stands in the file, or right here.
pub(super) fn pem<'n, 'a>(
    inline: &'n Node<'a>,
    file: &'n Node<'a>,
    folder: &Path,
    files: &mut Files,
) -> Result<Option<Pem<'n, 'a>>> {
    Ok(match (inline.text()?, file.text()?) {
        (Some(_), Some(_)) => {
            return Err(file.fault("stands beside what it would hold: remove one of the two"));
        }
        (Some(text), None) => Some(Pem {
            text,
            node: inline,
            file: None,
        }),
        (None, Some(path)) => {
            let path = folder.join(path);
            let text = files
                .read(&path)
                .map_err(|error| file.fault(error.of(&path)))?;
            Some(Pem {
                text,
                node: file,
                file: Some(path.display().to_string()),
            })
        }
        (None, None) => None,
    })
}

impl Pem<'_, '_> {
    pub(super) fn fault(&self, fault: impl std::fmt::Display) -> WebConfigError {
        match &self.file {
            Some(file) => self.node.fault(format_args!("{file}: {fault}")),
            None => self.node.fault(fault),
        }
    }

    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let certificates = CertificateDer::pem_slice_iter(self.text.as_bytes());
        // What is wrong with it is not told in the parser's words, which hold what stands there.
        let certificates: Vec<_> = certificates
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| self.fault("no sound PEM: write the certificate anew"))?;
        if certificates.is_empty() {
            return Err(
                self.fault("holds no certificate: a line -----BEGIN CERTIFICATE----- is needed")
            );
        }
        Ok(certificates)
    }

    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>> {
        PrivateKeyDer::from_pem_slice(self.text.as_bytes()).map_err(|_| {
            self.fault("holds no private key: a line -----BEGIN PRIVATE KEY----- is needed, and no passphrase")
        })
    }
}
