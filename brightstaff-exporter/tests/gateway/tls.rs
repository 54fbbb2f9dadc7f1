//! Providers are who they say they are, or are not called.

use std::sync::Arc;

use axum::{Router, extract::Request, http::Version};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::Serve;

/// A provider with a certificate that it signed itself, and this protocol: its URL, and the certificate.
/// It answers with the version of the request.
pub(crate) async fn self_signed(protocol: &[u8]) -> (String, String) {
    let (acceptor, pem) = acceptor(protocol);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().fallback(async |request: Request| {
        assert_eq!(
            request.headers().contains_key("host"),
            request.version() < Version::HTTP_2
        );
        format!("\"{:?}\"", request.version())
    });
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (format!("https://localhost:{port}"), pem)
}

/// What secures such a provider, and its certificate.
pub(crate) fn acceptor(protocol: &[u8]) -> (TlsAcceptor, String) {
    acceptor_of(&[protocol])
}

/// The same for one with several protocols, the best first.
pub(crate) fn acceptor_of(protocols: &[&[u8]]) -> (TlsAcceptor, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned(), "upstream.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), cert.pem())
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (url, _) = self_signed(b"http/1.1").await;
    let gateway = Serve::upstreams(&[("openai", &url)]).start().await;
    let (status, error) = gateway.chat("m").await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (502, &"upstream_unreachable".into())
    );
    gateway
        .expect(r#"llm_upstream_requests_total{error_class="connect"}"#, 1.0)
        .await;
    let line = gateway.logged("no response").await;
    assert!(line.contains("certificate"), "{line}");
}

#[tokio::test]
async fn a_certificate_that_the_system_trusts_is_accepted() {
    for (protocol, version) in [(&b"http/1.1"[..], "HTTP/1.1"), (b"h2", "HTTP/2.0")] {
        let (url, pem) = self_signed(protocol).await;
        let roots = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(roots.path(), pem).unwrap();
        let gateway = Serve::upstreams(&[("openai", &url)])
            .env("SSL_CERT_FILE", roots.path().to_str().unwrap())
            .start()
            .await;
        assert_eq!(gateway.chat("m").await, (200, version.into()));
    }
}
