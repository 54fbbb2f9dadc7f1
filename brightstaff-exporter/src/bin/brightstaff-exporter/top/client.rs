//! One scrape after the other, from an address that may want credentials.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use axum::http::{
    HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, DATE},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use crate::usage::UsageError;

/// How long a scrape may take, as long as Prometheus' by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a response may weigh: some 60 times what 200 pairs make.
const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// Without what this begins with, it is no exposition of a gateway.
const PREFIX: &str = "brightstaff_";

/// Who asks.
#[derive(Debug)]
pub(super) enum Credentials {
    /// The first line of this file.
    Bearer(PathBuf),
    Basic {
        user: String,
        password: PathBuf,
    },
}

/// How the connection is secured.
#[derive(Debug, Default)]
pub(super) struct Tls<'a> {
    /// Whose certificates are trusted in place of those that the system trusts.
    pub(super) authority: Option<&'a Path>,
    /// A certificate of one's own, and its key.
    pub(super) identity: Option<(&'a Path, &'a Path)>,
}

/// Where metrics are.
#[derive(Debug)]
pub(super) struct Target {
    uri: Uri,
    credentials: Option<Credentials>,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

/// What a scrape brought.
#[derive(Debug)]
pub(super) struct Scraped {
    pub(super) text: String,
    /// The clock of who answered, in seconds of Unix time.
    pub(super) date: Option<f64>,
}

/// What came of one scrape after the other.
pub(super) type Scrapes = mpsc::Receiver<Result<Scraped, String>>;

impl Target {
    pub(super) fn new(uri: Uri, credentials: Option<Credentials>, tls: &Tls<'_>) -> Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let secured = uri.scheme_str() == Some("https");
        let connector = HttpsConnector::from((tcp, client_config(secured, tls)?));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let target = Self {
            uri,
            credentials,
            client,
        };
        // A file that cannot be read is told at once.
        target.authorization().map_err(UsageError::new)?;
        Ok(target)
    }

    /// Scrapes again and again, as long as somebody wants to know.
    pub(super) fn scrapes(self, every: Duration) -> Scrapes {
        let (sender, scrapes) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let next = Instant::now() + every;
                if sender.send(self.scrape().await).await.is_err() {
                    return;
                }
                sleep_until(next).await;
            }
        });
        scrapes
    }

    /// Gets the metrics, or says in a few words why there are none.
    pub(super) async fn scrape(&self) -> Result<Scraped, String> {
        match timeout(TIMEOUT, self.get()).await {
            Ok(scraped) => scraped,
            Err(_) => Err(format!("no response within {} s", TIMEOUT.as_secs())),
        }
    }

    async fn get(&self) -> Result<Scraped, String> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let accept = HeaderValue::from_static("text/plain;version=0.0.4");
        request.headers_mut().insert(ACCEPT, accept);
        // Anew each time, since tokens change.
        if let Some(authorization) = self.authorization()? {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        let response = self.client.request(request).await;
        let response = response.map_err(|error| innermost(&error))?;
        accepted(response.status())?;
        let date = date(&response);
        let body = Limited::new(response.into_body(), MAX_RESPONSE_BYTES)
            .collect()
            .await;
        let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => format!("it sends more than {} MiB", MAX_RESPONSE_BYTES >> 20),
            None => innermost(&*error),
        })?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        if !text.lines().any(|line| line.starts_with(PREFIX)) {
            return Err("no metrics of a gateway there: is it the right URL?".to_owned());
        }
        Ok(Scraped { text, date })
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, String> {
        let text = match &self.credentials {
            None => return Ok(None),
            Some(Credentials::Bearer(file)) => {
                format!("Bearer {}", first_line("--bearer-token-file", file)?)
            }
            Some(Credentials::Basic { user, password }) => {
                let password = first_line("--password-file", password)?;
                format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
            }
        };
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| "the credentials hold what no header can".to_owned())?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// The secret in a file. Neither it nor the file's name, which may be the secret itself, is repeated.
fn first_line(option: &str, file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("{option}: the file cannot be read: {error}"))?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!(
            "{option}: the first line of the file is empty: write the secret there"
        )),
    }
}

fn client_config(secured: bool, tls: &Tls<'_>) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("the TLS provider lacks the default protocol versions")?;
    let builder = match tls.authority {
        Some(file) => builder.with_root_certificates(roots(file)?),
        None if secured => builder
            .with_platform_verifier()
            .context("no trusted certificates: install ca-certificates or give --cacert")?,
        None => builder.with_root_certificates(RootCertStore::empty()),
    };
    let Some((certificate, key)) = tls.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| UsageError::new(format_args!("--key: the file holds no key: {error}")))?;
    let config = builder.with_client_auth_cert(certificates("--cert", certificate)?, key);
    let config = config.map_err(|error| UsageError::new(format_args!("--cert: {error}")))?;
    Ok(config)
}

fn roots(file: &Path) -> Result<RootCertStore, UsageError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("--cacert", file)? {
        let added = roots.add(certificate);
        added.map_err(|error| UsageError::new(format_args!("--cacert: {error}")))?;
    }
    Ok(roots)
}

fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, UsageError> {
    let fault = |error: &dyn std::fmt::Display| {
        UsageError::new(format_args!(
            "{option}: the file holds no certificate in PEM: {error}"
        ))
    };
    let found = CertificateDer::pem_file_iter(file).map_err(|error| fault(&error))?;
    let found: Vec<_> = found
        .collect::<Result<_, _>>()
        .map_err(|error| fault(&error))?;
    if found.is_empty() {
        return Err(fault(&"none is there"));
    }
    Ok(found)
}

fn accepted(status: StatusCode) -> Result<(), String> {
    let code = status.as_u16();
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!(
            "it responds with {code}: see --bearer-token-file and --user"
        )),
        _ => Err(format!("it responds with {code}")),
    }
}

fn date(response: &Response<Incoming>) -> Option<f64> {
    let text = response.headers().get(DATE)?.to_str().ok()?;
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs_f64())
}

/// What lies below all that only says where it happened.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.last().unwrap_or(error).to_string()
}
