//! TLS, by real handshakes.

use std::{net::SocketAddr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
        version::{TLS12, TLS13},
    },
};

use crate::support::{Folder, get_over, serve, status};

/// An authority that signs both sides' certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    fn identity(&self, names: Vec<SanType>, usage: ExtendedKeyUsagePurpose) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self) -> Identity {
        let name = SanType::DnsName("localhost".try_into().unwrap());
        self.identity(vec![name], ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self, names: Vec<SanType>) -> Identity {
        self.identity(names, ExtendedKeyUsagePurpose::ClientAuth)
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// A folder whose server has a certificate of this authority.
fn folder(authority: &Authority, more: &str) -> Folder {
    let yaml = format!("tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n{more}");
    let folder = Folder::new(&yaml);
    write(&folder, &authority.server());
    folder.write("ca.crt", &authority.pem);
    folder
}

fn write(folder: &Folder, server: &Identity) {
    folder.write("tls.crt", &server.certificate);
    folder.write("tls.key", &server.key);
}

/// The status of a scrape, or None where the handshake fails.
async fn scrape(
    address: SocketAddr,
    authority: &Authority,
    client: Option<&Identity>,
) -> Option<u16> {
    scrape_with(address, authority, client, &[&TLS13, &TLS12]).await
}

async fn scrape_with(
    address: SocketAddr,
    authority: &Authority,
    client: Option<&Identity>,
    versions: &[&'static tokio_rustls::rustls::SupportedProtocolVersion],
) -> Option<u16> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap())
        .unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let certificate =
                CertificateDer::from_pem_slice(client.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes()).unwrap();
            builder
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        }
    };
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .ok()?;
    let response = get_over(stream, "/metrics", "").await.ok()?;
    (!response.is_empty()).then(|| status(&response))
}

#[tokio::test]
async fn scrapes_are_secured() {
    let authority = Authority::new();
    let files = folder(&authority, "");
    let exporter = files.exporter().unwrap();
    let bound = exporter.bind().await.unwrap();
    assert_eq!(bound.scheme(), "https");
    let address = bound.local_addr();
    tokio::spawn(bound.serve());
    assert_eq!(scrape(address, &authority, None).await, Some(200));
    assert_eq!(
        scrape_with(address, &authority, None, &[&TLS12]).await,
        Some(200)
    );
    let plain = TcpStream::connect(address).await.unwrap();
    assert!(
        !get_over(plain, "/metrics", "")
            .await
            .unwrap_or_default()
            .starts_with("HTTP")
    );
}

#[tokio::test]
async fn versions_and_suites_are_those_that_are_named() {
    let authority = Authority::new();
    let files = folder(&authority, "  min_version: TLS13\n");
    let address = serve(files.exporter().unwrap()).await;
    assert_eq!(
        scrape_with(address, &authority, None, &[&TLS12]).await,
        None
    );
    assert_eq!(
        scrape_with(address, &authority, None, &[&TLS13]).await,
        Some(200)
    );

    let rsa = "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n";
    let files = folder(&authority, rsa);
    let address = serve(files.exporter().unwrap()).await;
    // The certificate's key is of another kind.
    assert_eq!(scrape(address, &authority, None).await, None);
    let ecdsa = "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n  \
                 curve_preferences: [CurveP384]\n  prefer_server_cipher_suites: false\n";
    let files = folder(&authority, ecdsa);
    let address = serve(files.exporter().unwrap()).await;
    assert_eq!(scrape(address, &authority, None).await, Some(200));
}

#[tokio::test]
async fn certificates_of_clients_are_asked_for_and_checked() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (known, stranger) = (ours.client(vec![dns("a")]), theirs.client(vec![dns("a")]));
    let ca = "  client_ca_file: ca.crt\n";
    for (kind, ca, without, with_known, with_stranger) in [
        ("NoClientCert", "", true, true, true),
        ("RequestClientCert", "", true, true, true),
        ("RequireAnyClientCert", "", false, true, true),
        ("RequireClientCert", "", false, true, true),
        ("VerifyClientCertIfGiven", ca, true, true, false),
        ("RequireAndVerifyClientCert", ca, false, true, false),
    ] {
        let more = format!("  client_auth_type: {kind}\n{ca}");
        let files = folder(&ours, &more);
        let address = serve(files.exporter().unwrap()).await;
        for (client, allowed) in [
            (None, without),
            (Some(&known), with_known),
            (Some(&stranger), with_stranger),
        ] {
            let scraped = scrape(address, &ours, client).await;
            assert_eq!(
                scraped,
                allowed.then_some(200),
                "{kind} {}",
                client.is_some()
            );
        }
    }
}

#[tokio::test]
async fn names_of_clients_are_compared_letter_by_letter() {
    let authority = Authority::new();
    let more = "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans:\n    \
                - prometheus.example\n    - 192.0.2.1\n    - ops@example.org\n    - spiffe://example/prometheus\n";
    let files = folder(&authority, more);
    let address = serve(files.exporter().unwrap()).await;
    let mail = |name: &str| SanType::Rfc822Name(name.try_into().unwrap());
    let uri = |name: &str| SanType::URI(name.try_into().unwrap());
    let ip = |name: &str| SanType::IpAddress(name.parse().unwrap());
    for (names, allowed) in [
        (vec![dns("prometheus.example")], true),
        (vec![dns("other"), ip("192.0.2.1")], true),
        (vec![mail("ops@example.org")], true),
        (vec![uri("spiffe://example/prometheus")], true),
        (vec![dns("*.example")], false),
        (vec![ip("192.0.2.2")], false),
        (vec![uri("spiffe://example/other")], false),
        (vec![], false),
    ] {
        let what = format!("{names:?}");
        let client = authority.client(names);
        let scraped = scrape(address, &authority, Some(&client)).await;
        assert_eq!(scraped, allowed.then_some(200), "{what}");
    }
}

#[tokio::test]
async fn certificates_are_read_again_once_they_change() {
    let (old, new) = (Authority::new(), Authority::new());
    let folder = folder(&old, "");
    let address = serve(folder.exporter().unwrap()).await;
    assert_eq!(scrape(address, &old, None).await, Some(200));
    let server = new.server();
    folder.write("tls.crt", &server.certificate);
    // With the key of the old one it cannot be used.
    assert_eq!(scrape(address, &old, None).await, None);
    folder.write("tls.key", &server.key);
    assert_eq!(scrape(address, &old, None).await, None);
    assert_eq!(scrape(address, &new, None).await, Some(200));
}

#[test]
fn a_certificate_and_a_key_that_do_not_fit_are_told() {
    let authority = Authority::new();
    let folder = folder(&authority, "");
    folder.write("tls.key", &authority.server().key);
    let error = folder.exporter().unwrap_err().to_string();
    assert!(error.contains("tls_server_config.cert_file: "), "{error}");
    assert!(
        error.contains("belongs to another key than the one of key_file"),
        "{error}"
    );
    folder.write("tls.key", "hunter2");
    let error = folder.exporter().unwrap_err().to_string();
    assert!(error.contains("tls_server_config.key_file: "), "{error}");
    assert!(error.contains("holds no private key"), "{error}");
}
