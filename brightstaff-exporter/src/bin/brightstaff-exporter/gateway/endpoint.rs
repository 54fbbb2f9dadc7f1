//! What is asked at which path.

use axum::http::{
    HeaderValue, Method,
    header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
};
use brightstaff_metrics_axum::RequestHead;
use brightstaff_metrics_core::labels::RouteKind;

use super::{sockets, upgrade};

/// What the gateway answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A request that is passed on.
    Ask(RouteKind),
    /// `/routing/…`: where it would be passed on to.
    Decide,
    Models,
    Agents,
}

/// Every path, and what is asked there.
const PATHS: [(&str, Endpoint); 13] = [
    ("/v1/chat/completions", Endpoint::Ask(RouteKind::Llm)),
    ("/v1/completions", Endpoint::Ask(RouteKind::Llm)),
    ("/v1/embeddings", Endpoint::Ask(RouteKind::Llm)),
    ("/v1/responses", Endpoint::Ask(RouteKind::Llm)),
    ("/v1/messages", Endpoint::Ask(RouteKind::Llm)),
    (
        "/agents/v1/chat/completions",
        Endpoint::Ask(RouteKind::Agent),
    ),
    ("/agents/v1/responses", Endpoint::Ask(RouteKind::Agent)),
    ("/agents/v1/messages", Endpoint::Ask(RouteKind::Agent)),
    ("/routing/v1/chat/completions", Endpoint::Decide),
    ("/routing/v1/responses", Endpoint::Decide),
    ("/routing/v1/messages", Endpoint::Decide),
    ("/v1/models", Endpoint::Models),
    ("/agents/v1/models", Endpoint::Agents),
];

impl Endpoint {
    pub(super) fn at(path: &str) -> Option<Self> {
        find(path).map(|(_, endpoint)| endpoint)
    }

    pub(super) fn takes(self, method: &Method) -> bool {
        match self {
            Self::Ask(_) | Self::Decide => method == Method::POST,
            Self::Models | Self::Agents => method == Method::GET || method == Method::HEAD,
        }
    }

    /// The methods that it takes, for the header `allow`.
    pub(super) fn allow(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Ask(_) | Self::Decide => "POST",
            Self::Models | Self::Agents => "GET,HEAD",
        })
    }
}

/// The paths under which destinations are asked: from `/v1` on.
pub(super) fn forwarded_paths() -> impl Iterator<Item = &'static str> {
    let paths = PATHS.iter().map(|(path, _)| *path);
    paths.filter(|path| path.starts_with("/v1/"))
}

/// The handler of a request whose name its path does not tell.
pub(super) fn handler(request: &RequestHead<'_>) -> Option<&'static str> {
    if request.path() == sockets::PATH || upgrade::is_asked(request.headers()) {
        return Some(sockets::HANDLER);
    }
    handler_of_other_method(request)
}

/// The handler of a request whose path does not take its method, and which is no preflight: the path.
fn handler_of_other_method(request: &RequestHead<'_>) -> Option<&'static str> {
    let (path, endpoint) = find(request.path())?;
    if endpoint.takes(request.method()) && request.method() != Method::HEAD {
        // They have names of their own.
        return None;
    }
    let headers = request.headers();
    let preflight = request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    (!preflight).then_some(path)
}

fn find(path: &str) -> Option<(&'static str, Endpoint)> {
    PATHS.into_iter().find(|(known, _)| *known == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_takes_its_methods_and_no_others() {
        for (path, method, takes) in [
            ("/v1/chat/completions", Method::POST, true),
            ("/v1/chat/completions", Method::GET, false),
            ("/agents/v1/messages", Method::POST, true),
            ("/routing/v1/responses", Method::OPTIONS, false),
            ("/v1/models", Method::GET, true),
            ("/v1/models", Method::HEAD, true),
            ("/agents/v1/models", Method::POST, false),
        ] {
            let endpoint = Endpoint::at(path).unwrap();
            assert_eq!(endpoint.takes(&method), takes, "{method} {path}");
            let allowed = endpoint.allow();
            let mut allowed = allowed.to_str().unwrap().split(',');
            assert_eq!(allowed.any(|name| method == name), takes);
        }
        for path in ["", "/", "/v1/chat/completions/", "/v1/files", "/routing"] {
            assert_eq!(Endpoint::at(path), None, "{path}");
        }
    }
}
