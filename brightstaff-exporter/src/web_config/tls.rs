//! What `tls_server_config` says.

use std::{path::Path, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, SupportedKxGroup, ring},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Web, WebConfigError,
    client_certs::{Named, Unverified},
    pem::{Pem, pem},
    reload::Files,
    yaml::Node,
};

type Result<T> = std::result::Result<T, WebConfigError>;

/// Secures connections, each as the files say at that moment.
#[derive(Clone, Debug)]
pub(crate) struct Tls(Arc<Web>);

impl Tls {
    pub(super) fn new(web: Arc<Web>) -> Self {
        Self(web)
    }

    /// The handshake. None where it fails.
    pub(crate) async fn accept<S>(&self, stream: S) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let settings = self.0.settings.current().ok()?;
        let config = match &settings.tls {
            Ok(config) => Arc::clone(config.as_ref()?),
            Err(error) => {
                tracing::error!(%error, "nobody may scrape until this is mended");
                return None;
            }
        };
        let accepted = TlsAcceptor::from(config).accept(stream).await;
        accepted
            .inspect_err(|error| tracing::debug!(%error, "a scraper's TLS handshake failed"))
            .ok()
    }
}

const KEYS: [&str; 13] = [
    "cert",
    "key",
    "client_ca",
    "cert_file",
    "key_file",
    "client_auth_type",
    "client_ca_file",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
];

/// How connections are secured, if anything is said of that.
pub(super) fn server_config(
    node: Node<'_>,
    folder: &Path,
    files: &mut Files,
) -> Result<Option<Arc<ServerConfig>>> {
    let set = node
        .clone()
        .entries()?
        .iter()
        .any(|(_, node)| node.is_set());
    let [
        cert,
        key,
        client_ca,
        cert_file,
        key_file,
        client_auth,
        client_ca_file,
        sans,
        min,
        max,
        suites,
        prefer,
        curves,
    ] = node.table(KEYS)?;
    if !set {
        return Ok(None);
    }
    let mut read = |inline, file| pem(inline, file, folder, files);
    let (Some(certs), Some(private)) = (read(&cert, &cert_file)?, read(&key, &key_file)?) else {
        let missing = if cert.is_set() || cert_file.is_set() {
            &key_file
        } else {
            &cert_file
        };
        return Err(missing.fault("missing: TLS needs cert_file and key_file"));
    };
    let ca = read(&client_ca, &client_ca_file)?;
    let provider = Arc::new(CryptoProvider {
        cipher_suites: cipher_suites(&suites)?,
        kx_groups: kx_groups(curves)?,
        ..ring::default_provider()
    });
    let verifier = verifier(&client_auth, ca, &client_ca_file, &sans, &provider)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(&min, &max)?)
        .map_err(|_| suites.fault("none is of a version between min_version and max_version"))?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let built = builder.with_single_cert(certs.certificates()?, private.key()?);
    let mut config = built.map_err(|error| certs.fault(misfit(&error)))?;
    config.ignore_client_order = prefer.flag()?.unwrap_or(true);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Why a certificate and a key cannot be used.
fn misfit(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "belongs to another key than the one of key_file: name the one that it was made with"
                .to_owned()
        }
        error => format!("cannot be used: {error}"),
    }
}

/// Whose certificates are asked for, and which are taken.
fn verifier(
    kind: &Node<'_>,
    ca: Option<Pem<'_, '_>>,
    ca_node: &Node<'_>,
    sans: &Node<'_>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>> {
    let algorithms = provider.signature_verification_algorithms;
    let unverified = |mandatory| -> Arc<dyn ClientCertVerifier> {
        Arc::new(Unverified {
            mandatory,
            algorithms,
        })
    };
    let text = kind.text()?.unwrap_or_else(|| "NoClientCert".to_owned());
    let (verified, mandatory) = auth_type(kind, &text)?;
    let inner = match (verified, ca) {
        (true, Some(ca)) => {
            let mut roots = RootCertStore::empty();
            for certificate in ca.certificates()? {
                roots
                    .add(certificate)
                    .map_err(|error| ca.fault(format_args!("cannot be used: {error}")))?;
            }
            let builder =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            let builder = if mandatory {
                builder
            } else {
                builder.allow_unauthenticated()
            };
            builder
                .build()
                .map_err(|error| ca.fault(format_args!("cannot be used: {error}")))?
        }
        (true, None) => {
            return Err(ca_node.fault(format_args!(
                "missing: {text} needs the CA that signs clients' certificates"
            )));
        }
        (false, Some(ca)) => {
            return Err(ca.node.fault(format_args!(
                "has no effect with client_auth_type {text}: write RequireAndVerifyClientCert there"
            )));
        }
        (false, None) => unverified(mandatory),
    };
    let names = names(sans)?;
    if !names.is_empty() && !mandatory {
        return Err(sans.fault(format_args!(
            "keeps nobody out who shows no certificate, which client_auth_type {text} allows: write \
             RequireAndVerifyClientCert there"
        )));
    }
    Ok(match (&*text, names.is_empty()) {
        ("NoClientCert", _) => None,
        (_, true) => Some(inner),
        (_, false) => Some(Arc::new(Named { inner, names })),
    })
}

/// Whether certificates are verified, and whether there must be one, as Go's `ClientAuthType` has it.
fn auth_type(kind: &Node<'_>, text: &str) -> Result<(bool, bool)> {
    Ok(match text {
        "NoClientCert" | "RequestClientCert" => (false, false),
        // The second is an older name of the first.
        "RequireAnyClientCert" | "RequireClientCert" => (false, true),
        "VerifyClientCertIfGiven" => (true, false),
        "RequireAndVerifyClientCert" => (true, true),
        _ => {
            return Err(kind.fault(format_args!(
                "{text:?} does not exist: write RequireAndVerifyClientCert, VerifyClientCertIfGiven, \
                 RequireAnyClientCert, RequestClientCert or NoClientCert"
            )));
        }
    })
}

fn names(sans: &Node<'_>) -> Result<Vec<String>> {
    let names = sans.clone().list()?.into_iter().map(|node| {
        let name = node.text()?;
        name.ok_or_else(|| node.fault("a name is empty: write it, or remove its line"))
    });
    names.collect()
}

fn versions(min: &Node<'_>, max: &Node<'_>) -> Result<Vec<&'static SupportedProtocolVersion>> {
    let number = |node: &Node<'_>, default| match node.text()?.as_deref() {
        None => Ok(default),
        Some("TLS12") => Ok(2),
        Some("TLS13") => Ok(3),
        Some("TLS10" | "TLS11") => {
            Err(node.fault("rustls speaks none older than 1.2: write TLS12"))
        }
        Some(text) => Err(node.fault(format_args!(
            "{text:?} does not exist: write TLS12 or TLS13"
        ))),
    };
    match (number(min, 2)?, number(max, 3)?) {
        (2, 2) => Ok(vec![&TLS12]),
        (3, 3) => Ok(vec![&TLS13]),
        (2, 3) => Ok(vec![&TLS13, &TLS12]),
        _ => Err(min.fault("above max_version: no version is left")),
    }
}

/// The suites that are named, in that order, and all of TLS 1.3, which Go does not let choose either.
fn cipher_suites(node: &Node<'_>) -> Result<Vec<SupportedCipherSuite>> {
    let items = node.clone().list()?;
    let all = ring::ALL_CIPHER_SUITES;
    if items.is_empty() {
        return Ok(all.to_vec());
    }
    let is_13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
    let mut suites: Vec<_> = all.iter().filter(|suite| is_13(suite)).copied().collect();
    for item in items {
        let name = item.text()?.unwrap_or_default();
        let mut found = all.iter().copied();
        let Some(suite) = found.find(|suite| go_name(*suite) == name) else {
            let known: Vec<_> = all
                .iter()
                .filter(|suite| !is_13(suite))
                .map(|suite| go_name(*suite))
                .collect();
            return Err(item.fault(format_args!(
                "rustls has no {name:?}: remove it, or write one of {}",
                known.join(", ")
            )));
        };
        if !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    Ok(suites)
}

fn go_name(suite: SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    name.replacen("TLS13_", "TLS_", 1)
}

fn kx_groups(node: Node<'_>) -> Result<Vec<&'static dyn SupportedKxGroup>> {
    let items = node.list()?;
    if items.is_empty() {
        return Ok(ring::ALL_KX_GROUPS.to_vec());
    }
    let groups = items.into_iter().map(|item| match item.text()?.as_deref() {
        Some("X25519") => Ok(ring::kx_group::X25519),
        Some("CurveP256") => Ok(ring::kx_group::SECP256R1),
        Some("CurveP384") => Ok(ring::kx_group::SECP384R1),
        text => Err(item.fault(format_args!(
            "rustls has no {:?}: remove it, or write one of X25519, CurveP256, CurveP384",
            text.unwrap_or_default()
        ))),
    });
    groups.collect()
}
