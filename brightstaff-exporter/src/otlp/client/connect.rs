//! Connections to the receiver, through a proxy where the environment names one.

use axum::http::{HeaderValue, Uri};
use hyper::rt::{Read, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::{
    legacy::connect::{HttpConnector, proxy::Tunnel},
    proxy::matcher::Matcher,
};
use rustls::ClientConfig;
use tower_service::Service;

use super::super::endpoint::Endpoint;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Secured = HttpsConnector<HttpConnector>;

/// What a connection consists of, TLS included.
pub(super) trait Stream: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Stream for T {}

/// Makes connections to one receiver.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    to: Uri,
    via: Via,
}

#[derive(Clone, Debug)]
enum Via {
    Direct(Secured),
    /// The proxy gets whole requests, since they are not secured.
    Forward(Secured, Uri, Option<HeaderValue>),
    /// The proxy gets bytes.
    Tunnel(HttpsConnector<Tunnel<Secured>>),
}

impl Connector {
    pub(super) fn new(endpoint: &Endpoint, tls: ClientConfig) -> Self {
        let proxy = Matcher::from_env().intercept(endpoint.uri());
        let proxy = proxy.filter(|_| !endpoint.is_loopback());
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let via = match proxy {
            None => Via::Direct((tcp, tls).into()),
            Some(proxy) => {
                // A proxy may itself be secured, and by another certificate than the receiver.
                let authorization = proxy.basic_auth().cloned();
                let to_proxy = Secured::from((tcp, tls.clone()));
                if endpoint.is_https() {
                    let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
                    if let Some(authorization) = authorization {
                        tunnel = tunnel.with_auth(authorization);
                    }
                    Via::Tunnel((tunnel, tls).into())
                } else {
                    Via::Forward(to_proxy, proxy.uri().clone(), authorization)
                }
            }
        };
        let to = endpoint.uri().clone();
        Self { to, via }
    }

    /// What the proxy that gets whole requests wants to see in each of them, if there is such a proxy.
    pub(super) fn forward(&self) -> Option<Option<&HeaderValue>> {
        match &self.via {
            Via::Forward(.., authorization) => Some(authorization.as_ref()),
            Via::Direct(_) | Via::Tunnel(_) => None,
        }
    }

    pub(super) async fn connect(&mut self) -> Result<Box<dyn Stream>, BoxError> {
        let to = self.to.clone();
        Ok(match &mut self.via {
            Via::Direct(direct) => Box::new(direct.call(to).await?),
            Via::Forward(to_proxy, proxy, _) => Box::new(to_proxy.call(proxy.clone()).await?),
            Via::Tunnel(tunnel) => Box::new(tunnel.call(to).await?),
        })
    }
}
