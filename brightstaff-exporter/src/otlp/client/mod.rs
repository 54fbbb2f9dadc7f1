//! Requests to one receiver, one at a time, over HTTP/1.1: each within its time and a bound of what comes back.

mod connect;
mod tls;

use std::{
    error::Error,
    fmt::{self, Write as _},
    time::{Duration, Instant},
};

use axum::http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, PROXY_AUTHORIZATION, USER_AGENT},
};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use tokio::task::AbortHandle;

use self::connect::Connector;
pub(super) use self::tls::Tls;
use super::{endpoint::Endpoint, error::OtlpError};

/// How much of a response is read, in bytes: what OTLP has to say takes a few hundred.
pub(super) const MAX_RESPONSE_BYTES: usize = 4 << 20;

/// How long the head of a response may be, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// How long a connection is kept for the next export. Receivers close theirs after a minute, as a rule, which is the
/// usual interval: a request would meet a connection that is just being closed.
const KEPT: Duration = Duration::from_secs(30);

/// The receiver.
#[derive(Debug)]
pub(super) struct Client {
    endpoint: Endpoint,
    connector: Connector,
    /// What each request says.
    headers: HeaderMap,
    /// The receiver's own, or for a proxy the whole.
    target: Uri,
    timeout: Duration,
    /// Whether the next export comes soon enough for a connection to be kept.
    keeps: bool,
    kept: Option<Kept>,
}

/// A connection that has served a request.
#[derive(Debug)]
struct Kept {
    connection: Connection,
    since: Instant,
}

/// A connection, which ends with this.
#[derive(Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Whole(Bytes),
    /// Longer than [`MAX_RESPONSE_BYTES`], and not read.
    TooLong,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum Failure {
    Late(Duration),
    Unreachable(Box<dyn Error + Send + Sync>),
    Broken(hyper::Error),
}

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) body: Bytes,
    pub(super) gzip: bool,
}

impl Client {
    pub(super) fn new(
        endpoint: Endpoint,
        mut headers: HeaderMap,
        tls: &Tls,
        timeout: Duration,
        interval: Duration,
    ) -> Result<Self, OtlpError> {
        let connector = Connector::new(&endpoint, tls.config(endpoint.is_https())?);
        let uri = endpoint.uri();
        let mut target = uri.path_and_query().map(|path| path.as_str().parse());
        if let Some(authorization) = connector.forward() {
            target = Some(Ok(uri.clone()));
            if let Some(authorization) = authorization {
                headers.insert(PROXY_AUTHORIZATION, authorization.clone());
            }
        }
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let host = HeaderValue::from_str(host).expect("the authority of a URL fits into a header");
        headers.insert(HOST, host);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!(
                "brightstaff-exporter/",
                env!("CARGO_PKG_VERSION")
            )));
        Ok(Self {
            target: target.transpose().ok().flatten().unwrap_or_default(),
            endpoint,
            connector,
            headers,
            timeout,
            keeps: interval <= KEPT,
            kept: None,
        })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether a receiver's words hold what was sent to it in a header of the operator's.
    pub(super) fn repeats_a_secret(&self, text: &str) -> bool {
        let secrets = self.headers.values().filter(|value| value.is_sensitive());
        let mut secrets = secrets.filter_map(|value| value.to_str().ok());
        secrets.any(|secret| {
            // `Bearer` and its token may be told apart.
            let words = secret
                .split(' ')
                .filter(|word| word.len() >= MIN_SECRET_BYTES);
            words.into_iter().any(|word| text.contains(word))
        })
    }

    /// Sends this, and waits for the whole response.
    pub(super) async fn post(&mut self, content: &Content) -> Result<Response, Failure> {
        let timeout = self.timeout;
        match tokio::time::timeout(timeout, self.try_post(content)).await {
            Ok(done) => done,
            Err(_) => Err(Failure::Late(timeout)),
        }
    }

    async fn try_post(&mut self, content: &Content) -> Result<Response, Failure> {
        let kept = self.kept.take();
        let kept = kept.filter(|kept| kept.since.elapsed() < KEPT);
        if let Some(Kept { mut connection, .. }) = kept
            && connection.sender.ready().await.is_ok()
        {
            match self.send(connection, content).await {
                // The receiver may have closed it just then: as with an error of any connection, once more.
                Err(Failure::Broken(_)) => {}
                done => return done,
            }
        }
        let connection = self.connect().await?;
        self.send(connection, content).await
    }

    async fn connect(&mut self) -> Result<Connection, Failure> {
        let stream = self.connector.connect().await;
        let stream = stream.map_err(Failure::Unreachable)?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(stream)
            .await
            .map_err(Failure::Broken)?;
        // What becomes of it shows where it is used.
        let driver = tokio::spawn(async { drop(connection.await) }).abort_handle();
        Ok(Connection { sender, driver })
    }

    async fn send(
        &mut self,
        mut connection: Connection,
        content: &Content,
    ) -> Result<Response, Failure> {
        let mut request = Request::new(Full::new(content.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        if content.gzip {
            let gzip = HeaderValue::from_static("gzip");
            request.headers_mut().insert(CONTENT_ENCODING, gzip);
        }
        let response = connection.sender.send_request(request).await;
        let (head, body) = response.map_err(Failure::Broken)?.into_parts();
        let body = read(body).await.map_err(Failure::Broken)?;
        if self.keeps && matches!(body, Body::Whole(_)) {
            let since = Instant::now();
            self.kept = Some(Kept { connection, since });
        }
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

/// The shortest word of a header's value that is taken for a secret, in bytes.
const MIN_SECRET_BYTES: usize = 8;

async fn read(mut body: Incoming) -> Result<Body, hyper::Error> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if read.len() + data.len() > MAX_RESPONSE_BYTES {
            return Ok(Body::TooLong);
        }
        read.extend_from_slice(&data);
    }
    Ok(Body::Whole(read.freeze()))
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(timeout) => write!(f, "no whole response after {timeout:?}"),
            Self::Unreachable(error) => write!(f, "cannot connect: {}", chain(&**error)),
            Self::Broken(error) => write!(f, "no response: {}", chain(error)),
        }
    }
}

/// An error and its causes, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}
