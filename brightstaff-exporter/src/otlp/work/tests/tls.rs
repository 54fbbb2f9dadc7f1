use std::{fs, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer,
    server::WebPkiClientVerifier,
};

use super::{
    LONG, SHORT, last,
    receiver::{Receiver, ok},
};
use crate::otlp::{ExportOutcome, Otlp};

/// An authority of one's own, and the files that it made.
struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for this name: its file, and that of its key.
    fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (pem, key_pem) = (self.file(name), self.file(&format!("{name}.key")));
        fs::write(&pem, certificate.pem()).unwrap();
        fs::write(&key_pem, key.serialize_pem()).unwrap();
        (pem, key_pem)
    }

    /// A server of this name, which may ask clients for a certificate of this authority.
    fn server(&self, name: &str, asks: bool) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let chain = vec![certificate.der().clone()];
        builder.with_single_cert(chain, key).unwrap()
    }
}

fn to(receiver: &Receiver) -> Otlp {
    Otlp::new().endpoint(&format!(
        "https://localhost:{}/v1/metrics",
        receiver.address.port()
    ))
}

#[tokio::test]
async fn a_receiver_is_trusted_by_its_authority_alone() {
    let (ours, other) = (Authority::new(), Authority::new());
    let receiver = Receiver::with_tls([ok()], ours.server("localhost", false)).await;
    let otlp = to(&receiver).certificate(ours.file("ca.pem"));
    assert_eq!(last(otlp, LONG).await, ExportOutcome::Ok);
    assert_eq!(receiver.received().len(), 1);

    let otlp = to(&receiver).certificate(other.file("ca.pem"));
    assert_eq!(last(otlp, SHORT).await, ExportOutcome::Failed);
    // A name that it is not for, and no TLS at all.
    let receiver = Receiver::with_tls([ok()], ours.server("example.com", false)).await;
    let otlp = to(&receiver).certificate(ours.file("ca.pem"));
    assert_eq!(last(otlp, SHORT).await, ExportOutcome::Failed);
    assert_eq!(receiver.received().len(), 0);
    let receiver = Receiver::new([ok()]).await;
    let otlp = to(&receiver).certificate(ours.file("ca.pem"));
    assert_eq!(last(otlp, SHORT).await, ExportOutcome::Failed);
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let (ours, other) = (Authority::new(), Authority::new());
    let receiver = Receiver::with_tls([ok()], ours.server("localhost", true)).await;
    let with = |authority: &Authority| {
        let (certificate, key) = authority.issue("client");
        let otlp = to(&receiver).certificate(ours.file("ca.pem"));
        otlp.client_certificate(certificate).client_key(key)
    };
    assert_eq!(last(with(&ours), LONG).await, ExportOutcome::Ok);
    assert_eq!(last(with(&other), SHORT).await, ExportOutcome::Failed);
    let without = to(&receiver).certificate(ours.file("ca.pem"));
    assert_eq!(last(without, SHORT).await, ExportOutcome::Failed);
    assert_eq!(receiver.received().len(), 1);
}
