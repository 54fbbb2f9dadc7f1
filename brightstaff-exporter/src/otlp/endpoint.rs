//! Where exports go.

use std::fmt;

use axum::http::{Uri, uri::PathAndQuery};

/// The URL of a receiver.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Endpoint(Uri);

/// What a receiver of metrics is asked at, by OTLP/HTTP.
const PATH: &str = "/v1/metrics";

/// The port of OTLP's other transport.
const GRPC_PORT: u16 = 4317;

impl Endpoint {
    /// A URL that is used as it is.
    pub(super) fn whole(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| NO_URL)?;
        let authority = uri.authority().ok_or(NO_URL)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || authority.host().is_empty() {
            return Err(NO_URL);
        }
        if authority.as_str().contains('@') {
            return Err(USER);
        }
        // A port that is no number, or too large a one.
        if authority.as_str().len() > authority.host().len() && authority.port_u16().is_none() {
            return Err(NO_URL);
        }
        Ok(Self(uri))
    }

    /// A URL of a receiver of all signals: metrics have a path below its own.
    pub(super) fn base(url: &str) -> Result<Self, &'static str> {
        let mut parts = Self::whole(url)?.0.into_parts();
        let given = parts.path_and_query.as_ref();
        let (path, query) = given.map_or(("", None), |given| (given.path(), given.query()));
        let mut whole = format!("{}{PATH}", path.trim_end_matches('/'));
        if let Some(query) = query {
            whole = format!("{whole}?{query}");
        }
        parts.path_and_query = Some(PathAndQuery::try_from(whole).map_err(|_| NO_URL)?);
        Uri::from_parts(parts).map(Self).map_err(|_| NO_URL)
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.0
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// Whether it is on this machine, which no proxy leads to.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.0.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
    }

    /// What may be wrong with it where nothing is found there, with a comma before it.
    pub(super) fn hint(&self) -> String {
        if self.0.path().ends_with(PATH) {
            return String::new();
        }
        let with_path = Self::base(&self.to_string());
        with_path.map_or_else(
            |_| String::new(),
            |with_path| format!(", and the endpoint is used as it is: {with_path} may be meant"),
        )
    }

    /// What may be wrong with it where nobody speaks HTTP there, with a comma before it.
    pub(super) fn port_hint(&self) -> &'static str {
        match self.0.port_u16() {
            Some(GRPC_PORT) => ", and 4317 is the port of gRPC: that of http/protobuf is 4318",
            _ => "",
        }
    }
}

const NO_URL: &str = "is no URL of a receiver: write for example http://localhost:4318";

const USER: &str = "holds a user or a password: those belong in a header, as Authorization, which \
                    OTEL_EXPORTER_OTLP_HEADERS may hold";

/// Without its query, which may hold a key.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map_or("", |host| host.as_str());
        write!(f, "{scheme}://{authority}{}", self.0.path())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_has_metrics_below_its_path_and_a_whole_url_is_as_it_is() {
        for (url, whole, base) in [
            (
                "http://h:4318",
                "http://h:4318/",
                "http://h:4318/v1/metrics",
            ),
            (
                "http://h:4318/",
                "http://h:4318/",
                "http://h:4318/v1/metrics",
            ),
            (
                "https://h/otlp/",
                "https://h/otlp/",
                "https://h/otlp/v1/metrics",
            ),
            (
                "http://h/api/v1/otlp?a=b",
                "http://h/api/v1/otlp?a=b",
                "http://h/api/v1/otlp/v1/metrics?a=b",
            ),
            (
                "http://[::1]:4318",
                "http://[::1]:4318/",
                "http://[::1]:4318/v1/metrics",
            ),
        ] {
            assert_eq!(Endpoint::whole(url).unwrap().uri().to_string(), whole);
            assert_eq!(Endpoint::base(url).unwrap().uri().to_string(), base);
        }
    }

    #[test]
    fn what_is_no_url_of_a_receiver_is_refused() {
        for url in [
            "",
            "collector:4318",
            "/v1/metrics",
            "ftp://h",
            "grpc://h:4317",
            "http://",
            "http://h:99999",
            "http://h:port",
            "http://h h",
        ] {
            assert_eq!(Endpoint::whole(url), Err(NO_URL), "{url}");
            assert_eq!(Endpoint::base(url), Err(NO_URL), "{url}");
        }
        assert_eq!(Endpoint::base("https://me:secret@h"), Err(USER));
    }

    #[test]
    fn it_is_shown_without_its_query() {
        let endpoint = Endpoint::whole("https://h/v1/metrics?api-key=secret").unwrap();
        assert_eq!(
            format!("{endpoint} {endpoint:?}"),
            "https://h/v1/metrics https://h/v1/metrics"
        );
    }

    #[test]
    fn a_path_that_is_missing_is_told() {
        let hint = |url| Endpoint::whole(url).unwrap().hint();
        assert_eq!(hint("http://h/api/v1/otlp/v1/metrics"), "");
        let told =
            ", and the endpoint is used as it is: http://h/api/v1/otlp/v1/metrics may be meant";
        assert_eq!(hint("http://h/api/v1/otlp"), told);
        assert_eq!(hint("http://h/api/v1/otlp?key=secret"), told);
    }

    #[test]
    fn loopback_is_known_by_any_name() {
        for (url, loopback) in [
            ("http://localhost", true),
            ("http://127.0.0.7:1", true),
            ("http://[::1]:1", true),
            ("http://collector", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(
                Endpoint::whole(url).unwrap().is_loopback(),
                loopback,
                "{url}"
            );
        }
    }
}
