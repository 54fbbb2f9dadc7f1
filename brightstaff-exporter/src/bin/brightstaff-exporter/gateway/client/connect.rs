use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{BoxError, http::Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::Intercept,
    },
    rt::TokioIo,
};
use rustls::ClientConfig;
use tower_service::Service;

use super::traffic::Watched;

/// How long a connection may be silent before the operating system asks whether the other end is there,
/// and between two such questions.
const TCP_KEEPALIVE: Duration = Duration::from_secs(15);
const TCP_KEEPALIVE_RETRIES: u32 = 3;

/// Makes connections to one destination.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    via: Via,
    timeout: Duration,
    epoch: Instant,
}

type Secured = HttpsConnector<HttpConnector>;

#[derive(Clone, Debug)]
enum Via {
    Direct(Secured),
    /// The proxy gets whole requests, since they are not secured.
    Forward(Secured, Uri),
    /// The proxy gets bytes.
    Tunnel(HttpsConnector<Tunnel<Secured>>),
}

impl Connector {
    /// `whole_requests`: a proxy may be sent those, and else gets bytes, however plain.
    pub(super) fn new(
        proxy: Option<&Intercept>,
        whole_requests: bool,
        timeout: Duration,
        tls: &ClientConfig,
        epoch: Instant,
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        tcp.set_keepalive_interval(Some(TCP_KEEPALIVE));
        tcp.set_keepalive_retries(Some(TCP_KEEPALIVE_RETRIES));
        let tls = Arc::new(tls.clone());
        let via = match proxy {
            None => Via::Direct((tcp, tls).into()),
            Some(proxy) => {
                // A proxy speaks HTTP/1.1, and may itself be secured.
                let mut plain = ClientConfig::clone(&tls);
                plain.alpn_protocols.clear();
                let to_proxy = Secured::from((tcp, plain));
                if whole_requests {
                    Via::Forward(to_proxy, proxy.uri().clone())
                } else {
                    let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
                    if let Some(authorization) = proxy.basic_auth() {
                        tunnel = tunnel.with_auth(authorization.clone());
                    }
                    Via::Tunnel((tunnel, tls).into())
                }
            }
        };
        Self {
            via,
            timeout,
            epoch,
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Watched>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Each of the connectors inside is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let Self {
            mut via,
            timeout,
            epoch,
        } = self.clone();
        Box::pin(async move {
            let connecting = async {
                Ok::<_, BoxError>(match &mut via {
                    Via::Direct(direct) => {
                        Watched::new(direct.call(destination).await?, false, epoch)
                    }
                    Via::Forward(to_proxy, proxy) => {
                        Watched::new(to_proxy.call(proxy.clone()).await?, true, epoch)
                    }
                    Via::Tunnel(tunnel) => {
                        Watched::new(tunnel.call(destination).await?, false, epoch)
                    }
                })
            };
            match tokio::time::timeout(timeout, connecting).await {
                Ok(connected) => connected,
                Err(_) => {
                    let late = format!("not connected after {timeout:?}");
                    Err(io::Error::new(io::ErrorKind::TimedOut, late).into())
                }
            }
        })
    }
}
