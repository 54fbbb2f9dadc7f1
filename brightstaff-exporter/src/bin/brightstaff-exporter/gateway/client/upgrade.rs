//! Requests that ask for another protocol on their connection.

use axum::http::{
    Request, Response, StatusCode, Uri,
    header::UPGRADE,
    uri::{Authority, Scheme},
};
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::{client::legacy::connect::capture_connection, rt::TokioIo};
use rustls::ClientConfig;

use super::{Client, Failure, Outbound};
use crate::gateway::{destination::Outgoing, headers::lists};

/// What a server made of a request for another protocol.
#[derive(Debug)]
pub(in crate::gateway) struct Upgrade {
    pub(in crate::gateway) response: Response<Incoming>,
    /// The connection, where the server took the protocol.
    pub(in crate::gateway) connection: Option<TokioIo<Upgraded>>,
}

impl Client {
    /// Sends a request that asks for this protocol, on a connection of its own, and waits for the head of the response.
    pub(in crate::gateway) async fn upgrade(
        &self,
        out: Outgoing<'_>,
        protocol: &str,
    ) -> Result<Upgrade, Failure> {
        let (mut request, begun) = self.request(out, None)?;
        with_port(&mut request);
        let captured = capture_connection(&mut request);
        let mut response = match self.upgrading.request(request).await {
            Ok(response) => response,
            Err(error) => {
                let connection = captured.connection_metadata();
                return Err(Failure::of(&error, connection.as_ref(), &begun));
            }
        };
        let status = response.status();
        let connection = match status {
            StatusCode::SWITCHING_PROTOCOLS if lists(response.headers(), &UPGRADE, protocol) => {
                let upgraded = hyper::upgrade::on(&mut response).await;
                Some(TokioIo::new(
                    upgraded.map_err(|error| Failure::upgrade(&error))?,
                ))
            }
            _ if status.is_informational() => return Err(Failure::informational(status)),
            _ => None,
        };
        Ok(Upgrade {
            response,
            connection,
        })
    }
}

/// HTTP/2 changes protocols in another way, which this does not speak.
pub(super) fn http1_alone(tls: &ClientConfig) -> ClientConfig {
    let mut tls = tls.clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    tls
}

/// Writes the port down that `http` implies: a tunnel through a proxy would take another for implied.
fn with_port(request: &mut Request<Outbound>) {
    let uri = request.uri();
    let plain = uri.scheme() == Some(&Scheme::HTTP);
    let Some(authority) = uri
        .authority()
        .filter(|host| plain && host.port().is_none())
    else {
        return;
    };
    let Ok(authority) = Authority::try_from(format!("{authority}:80")) else {
        return;
    };
    let mut parts = uri.clone().into_parts();
    parts.authority = Some(authority);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}
