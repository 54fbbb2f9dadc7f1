//! Web sockets: requests that pass to a destination as they come, and the bytes that follow on both connections.
//!
//! A request asks for one where `connection` names `upgrade`, and `upgrade` names `websocket` (RFC 6455, section 4.1). It
//! is a GET over HTTP/1.1; any other that asks is answered 426 at once. Other protocols are not passed on: a request that
//! asks for one is served as if it had not (RFC 9110, section 7.8).

use std::borrow::Cow;

use axum::{
    body::Body as WholeBody,
    http::{
        HeaderMap, HeaderValue, Method, Response, StatusCode, Version,
        header::{CONNECTION, UPGRADE},
    },
};
use brightstaff_metrics_core::UpgradedRequest;
use bytes::Bytes;
use http_body::Body as _;

use super::{
    Request,
    client::Content,
    destination::{Destination, Outgoing},
    entrance::ResponseBody,
    error::Refusal,
    forward::pass_on,
    headers::{lists, strip_request},
    tunnel::{Ended, tunnel},
};
use crate::serve::Takeover;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADES: HeaderValue = HeaderValue::from_static("upgrade");

/// Whether a request asks for a web socket.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    // Most have none of the two.
    headers.contains_key(UPGRADE)
        && lists(headers, &UPGRADE, "websocket")
        && lists(headers, &CONNECTION, "upgrade")
}

/// A request has to ask for a web socket, and does not, or not in a way that can be passed on.
fn required() -> Refusal {
    let fault = "this needs a web socket: send GET with upgrade: websocket over HTTP/1.1";
    Refusal::request("upgrade_required", fault).with_status(StatusCode::UPGRADE_REQUIRED)
}

/// Passes a request for a web socket on to this path and query of a destination, and its response back. Where that is a
/// 101, the client's connection is a tunnel to the destination's behind it.
pub(super) async fn pass(
    destination: &Destination,
    path: Cow<'_, str>,
    query: Option<Cow<'_, str>>,
    request: Box<Request>,
) -> Result<Response<ResponseBody>, Refusal> {
    let (parts, body) = request.into_parts();
    let passes = parts.method == Method::GET && parts.version == Version::HTTP_11;
    if !passes || !is_asked(&parts.headers) || !body.is_end_stream() {
        return Err(required());
    }
    body.client().may_switch();
    let mut headers = parts.headers;
    strip_request(&mut headers);
    offer(&mut headers, WEBSOCKET);
    let out = Outgoing {
        method: Method::GET,
        path,
        query,
        headers,
        body: Content::Whole(Bytes::new()),
    };
    let (mut response, connection) = destination
        .upgrade(out, "websocket")
        .await
        .map_err(|failure| Refusal::upstream(&destination.name, &failure))?;
    let offered = response.headers().get(UPGRADE).cloned();
    pass_on(&mut response);
    let status = response.status();
    if let Some(offered) = offered
        && (connection.is_some() || status == StatusCode::UPGRADE_REQUIRED)
    {
        offer(response.headers_mut(), offered);
    }
    let Some(connection) = connection else {
        return Ok(response.map(ResponseBody::Unmeasured));
    };
    let upgraded = UpgradedRequest::new();
    let extensions = response.extensions_mut();
    extensions.insert(upgraded.mark());
    let (name, silence) = (
        destination.name.clone(),
        destination.websocket_idle_timeout(),
    );
    extensions.insert(Takeover::new(async move |client, read| {
        match tunnel(client, read, connection, silence).await {
            Ended::Closed => upgraded.complete(),
            Ended::ClientLeft(error) => {
                tracing::debug!(upstream = %name, %error, "the client of a web socket left");
                drop(upgraded);
            }
            Ended::Broken(error) => {
                tracing::warn!(upstream = %name, cause = %error, "a web socket broke off");
                upgraded.fail();
            }
        }
    }));
    Ok(response.map(|_| ResponseBody::Whole(WholeBody::empty())))
}

/// Names a protocol that this connection may change to.
fn offer(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, UPGRADES);
    headers.insert(UPGRADE, protocol);
}
