//! The web page that a request comes from, and what its browser has to be told.
//!
//! Browsers send requests of any page to any host, and only keep the response from the page: a POST of
//! `text/plain` would have cost the operator's money by then. So it is the gateway that refuses.
//!
//! Nothing here is tower-http's `CorsLayer`, which lets the requests of other pages through.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
            ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
        },
    },
};

use super::super::{Request, error::Refusal};
use crate::config::{HostPort, WebOrigin, origin_parts};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the endpoints of providers take.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");

/// How long a browser may remember the response to a preflight, in seconds: 10 minutes. Whoever takes an
/// origin out of the configuration waits no longer for it to count, and refusals count at once.
const PREFLIGHT_MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// What a response says of CORS. It is the gateway that a page asks, so what an upstream says counts for
/// nothing.
const ANSWERED: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// The origins of pages that may use the gateway.
#[derive(Debug)]
pub(super) struct Origins(Vec<HeaderValue>);

/// The page of another site that a request comes from, and which may.
#[derive(Clone, Copy, Debug)]
pub(in crate::gateway) struct Page<'a>(&'a HeaderValue);

impl Origins {
    pub(super) fn new(allowed: &[WebOrigin]) -> Self {
        let values = allowed.iter();
        Self(
            values
                .filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok())
                .collect(),
        )
    }

    /// `own` is the host that was asked for, where it is certain to be the gateway: asked where it matters.
    ///
    /// `None` is a request that no browser made, one of the gateway's own site, or what a person typed.
    pub(super) fn check<'a>(
        &self,
        headers: &'a HeaderMap,
        own: impl FnOnce() -> Option<HostPort<'a>>,
    ) -> Result<Option<Page<'a>>, Refusal> {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) if fetched_elsewhere(headers) => Err(refusal()),
            (None, _) => Ok(None),
            (Some(origin), None) if self.0.contains(origin) => Ok(Some(Page(origin))),
            (Some(origin), None) if own().is_some_and(|own| is_same(origin, own)) => Ok(None),
            (Some(_), _) => Err(refusal()),
        }
    }
}

fn refusal() -> Refusal {
    let fault = "web pages of this origin may not use the gateway: add it to cors_origins";
    Refusal::request("origin_not_allowed", fault).with_status(StatusCode::FORBIDDEN)
}

/// Images and links of other pages come without `Origin`, but not without this (Fetch Metadata).
fn fetched_elsewhere(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    sites.any(|site| site != "same-origin" && site != "none")
}

/// Whether a page stands on this very host. Whether over TLS the gateway cannot tell, behind what
/// terminates it; the port that a scheme implies is left out on both sides.
fn is_same(origin: &HeaderValue, own: HostPort<'_>) -> bool {
    let Some((scheme, host)) = origin.to_str().ok().and_then(origin_parts) else {
        return false;
    };
    let implied = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let port = |host: HostPort<'_>| host.port.unwrap_or(implied);
    host.host.eq_ignore_ascii_case(own.host) && port(host) == port(own)
}

impl Page<'_> {
    /// The response to a preflight, if the request is one. It has no credentials, so none are asked for.
    pub(in crate::gateway) fn preflight(self, request: &Request) -> Option<Response<Body>> {
        let headers = request.headers();
        if request.method() != Method::OPTIONS
            || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let own = response.headers_mut();
        own.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        own.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE_SECONDS);
        // SDKs send headers of their own, which pass.
        for asked in headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
            own.append(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        allow(own, self.to_owned());
        Some(response)
    }

    pub(in crate::gateway) fn to_owned(self) -> HeaderValue {
        self.0.clone()
    }
}

/// Removes what tells of a page: providers that refuse web pages would judge anew, and of another host.
pub(in crate::gateway) fn forget(headers: &mut HeaderMap) {
    headers.remove(ORIGIN);
    headers.remove(SEC_FETCH_SITE);
}

/// Says in a response that the page it goes to may read it, and nobody else.
pub(in crate::gateway) fn mark(headers: &mut HeaderMap, page: Option<HeaderValue>) {
    // Most say nothing: looking at the names once costs less than looking for each.
    if headers.keys().any(|name| ANSWERED.contains(name)) {
        for name in ANSWERED {
            headers.remove(name);
        }
    }
    if let Some(page) = page {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
        allow(headers, page);
    }
}

/// No response may be kept for a page of another origin.
fn allow(headers: &mut HeaderMap, page: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page);
    headers.append(VARY, HeaderValue::from_static("origin"));
}
