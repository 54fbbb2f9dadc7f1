//! The client of one destination: its connections, which of them are kept, and what is sent twice.
//!
//! A server may close a connection that was kept just when the next request goes out on it. What then
//! happens depends on how far the request came:
//!
//! - The end was noticed before the connection took the request, or nothing of it was written: it goes
//!   to a connection made anew, whatever its method.
//! - It was written, the connection had served others before, and ended without one byte of a response:
//!   the server most likely never read it, but nobody knows. A request with an idempotent method is sent
//!   once more (RFC 9110, section 9.2.2); others only with `retry_reused`.
//! - A byte of the response came, or the connection was made for this request: never.

mod connect;
mod failure;
mod outbound;
mod traffic;
mod upgrade;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::http::{
    self, HeaderMap, HeaderValue, Request, Response, Uri, Version,
    header::{HOST, PROXY_AUTHORIZATION},
    uri::{Authority, InvalidUri, Scheme},
};
use hyper::body::Incoming;
use hyper_util::{
    client::{
        legacy::{self, connect::capture_connection},
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

use self::{
    connect::Connector,
    outbound::{Begun, Outbound},
};
pub(super) use self::{
    failure::{Failure, chain},
    outbound::Content,
    upgrade::Upgrade,
};
use super::{destination::Outgoing, request_id::RequestId};
use crate::config::{BaseUrl, MIN_RESPONSE_HEAD_BYTES, UpstreamLimits};

type Pool = legacy::Client<Connector, Outbound>;

/// The connections to one destination.
#[derive(Debug)]
pub(super) struct Client {
    scheme: Scheme,
    authority: Authority,
    /// The URIs of paths that are asked all the time, without a query.
    ready: Vec<(Box<str>, Uri)>,
    /// What goes into `host`, which hyper-util would put together for each request. Left to it where HTTP/2 may be
    /// spoken, which has no such header.
    host: Option<HeaderValue>,
    /// Connections that are kept, for as long as the limits say.
    kept: Pool,
    /// Makes a connection for each request.
    fresh: Pool,
    /// The same for what may become another protocol than HTTP.
    upgrading: Pool,
    retry_reused: bool,
    /// What a proxy that gets whole requests wants to see in each of them.
    proxy_authorization: Option<HeaderValue>,
    epoch: Instant,
}

/// The least that a connection buffers before it writes (it is the same as for the heads that it reads),
/// without what hyper adds to a head: `host`, which repeats the URL's, and the body's length.
const HEAD_ROOM_BYTES: usize = MIN_RESPONSE_HEAD_BYTES - 1024;

impl Client {
    /// `usual`: the paths that are asked all the time.
    pub(super) fn new(
        url: &BaseUrl,
        usual: impl IntoIterator<Item = Box<str>>,
        limits: &UpstreamLimits,
        tls: &ClientConfig,
    ) -> anyhow::Result<Self> {
        let uri: Uri = url.host().parse()?;
        let ready = usual.into_iter();
        let ready = ready.map(|path| {
            let uri = format!("{}{path}", url.host()).parse()?;
            Ok((path, uri))
        });
        let ready = ready.collect::<Result<_, InvalidUri>>()?;
        let proxy = Matcher::from_env().intercept(&uri);
        let proxy = proxy.filter(|_| !url.is_loopback());
        let proxy_authorization = proxy
            .as_ref()
            .filter(|_| !url.is_https())
            .and_then(|proxy| proxy.basic_auth().cloned());
        // The URL names no user, and no port that its scheme implies.
        let host = uri.authority().filter(|_| !url.is_https());
        let host = host.map(|host| HeaderValue::from_str(host.as_str()));
        let epoch = Instant::now();
        let connector = |whole_requests, tls: &ClientConfig| {
            let timeout = limits.connect_timeout;
            Connector::new(proxy.as_ref(), whole_requests, timeout, tls, epoch)
        };
        let plain = connector(!url.is_https(), tls);
        let upgrading = connector(false, &upgrade::http1_alone(tls));
        let pool = |most: usize, connector: &Connector| {
            legacy::Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(limits.pool_idle_timeout)
                .pool_max_idle_per_host(most)
                .http1_max_buf_size(limits.max_response_head_bytes)
                .http2_max_header_list_size(
                    u32::try_from(limits.max_response_head_bytes).unwrap_or(u32::MAX),
                )
                // Finds out about connections that died in silence.
                .http2_keep_alive_interval(Duration::from_secs(30))
                .http2_keep_alive_timeout(Duration::from_secs(10))
                .build(connector.clone())
        };
        let most = if limits.pool_idle_timeout.is_zero() {
            0
        } else {
            usize::MAX
        };
        let parts = uri.into_parts();
        Ok(Self {
            scheme: parts.scheme.context("a base has a scheme")?,
            authority: parts.authority.context("a base has a host")?,
            ready,
            host: host.transpose()?,
            kept: pool(most, &plain),
            fresh: pool(0, &plain),
            upgrading: pool(0, &upgrading),
            retry_reused: limits.retry_reused,
            proxy_authorization,
            epoch,
        })
    }

    /// Sends a request, and waits for the head of the response; `again` where that is safe, or wanted.
    pub(super) async fn send<'a>(
        &self,
        name: &str,
        first: Outgoing<'a>,
        again: impl FnOnce() -> Option<Outgoing<'a>>,
    ) -> Result<Response<Incoming>, Failure> {
        let idempotent = first.method.is_idempotent();
        let id = RequestId::of(&first.headers);
        let failure = match self.send_once(&self.kept, first).await {
            Ok(response) => return Ok(response),
            Err(failure) => failure,
        };
        if !failure.may_repeat(idempotent || self.retry_reused) {
            return Err(failure);
        }
        let Some(again) = again() else {
            return Err(failure);
        };
        let request_id = id.as_ref().map(RequestId::as_str);
        tracing::info!(upstream = %name, cause = %failure.cause, request_id, "sent a second time");
        Box::pin(self.send_once(&self.fresh, again)).await
    }

    async fn send_once(
        &self,
        pool: &Pool,
        out: Outgoing<'_>,
    ) -> Result<Response<Incoming>, Failure> {
        let (mut request, begun) = self.request(out, self.proxy_authorization.as_ref())?;
        let captured = capture_connection(&mut request);
        let failed = match pool.request(request).await {
            Ok(response) if response.status().is_informational() => {
                return Err(Failure::informational(response.status()));
            }
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let connection = captured.connection_metadata();
        Err(Failure::of(&failed, connection.as_ref(), &begun))
    }

    /// The request as a connection is given it.
    fn request(
        &self,
        out: Outgoing<'_>,
        proxy_authorization: Option<&HeaderValue>,
    ) -> Result<(Request<Outbound>, Arc<Begun>), Failure> {
        let uri = self.uri(&out.path, out.query.as_deref());
        let uri = uri.map_err(|error| Failure::url(&error))?;
        let mut headers = out.headers;
        match &self.host {
            // In the place of the client's.
            Some(host) => drop(headers.insert(HOST, host.clone())),
            None => drop(headers.remove(HOST)),
        }
        if let Some(authorization) = proxy_authorization {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let (body, begun) = Outbound::new(out.body, fits(&uri, &headers), self.epoch);
        let mut request = Request::new(body);
        *request.method_mut() = out.method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = headers;
        Ok((request, begun))
    }

    /// The URL of this path, for people to read.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.authority)
    }

    fn uri(&self, path: &str, query: Option<&str>) -> Result<Uri, http::Error> {
        let mut ready = self.ready.iter().filter(|_| query.is_none());
        if let Some((_, uri)) = ready.find(|(known, _)| **known == *path) {
            return Ok(uri.clone());
        }
        let builder = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone());
        let target = match query {
            Some(query) => builder.path_and_query(format!("{path}?{query}")),
            None => builder.path_and_query(path),
        };
        target.build()
    }
}

/// Whether the head of a request fits into the buffer of a connection.
fn fits(uri: &Uri, headers: &HeaderMap) -> bool {
    // The URL may stand in the request line, before a proxy, and its host in `host`.
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let host = uri.authority().map_or(0, |host| host.as_str().len());
    let lines = headers.iter();
    let lines = lines.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    path + 2 * host + lines.sum::<usize>() < HEAD_ROOM_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_fits_up_to_the_least_buffer() {
        let uri = Uri::from_static("http://host/v1/chat/completions");
        let with = |bytes: usize| {
            let value = HeaderValue::from_str(&"x".repeat(bytes)).unwrap();
            HeaderMap::from_iter([(PROXY_AUTHORIZATION, value)])
        };
        assert!(fits(&uri, &HeaderMap::new()) && fits(&uri, &with(7000)));
        assert!(!fits(&uri, &with(HEAD_ROOM_BYTES)) && !fits(&uri, &with(100_000)));
    }
}
