use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

/// Where a destination lives: what stands before `/v1/…`.
///
/// A base that ends in `/v1`, as the providers' SDKs write it, means the same as one that does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    /// The URL of this path (it starts with `/`), with the query that the client sent.
    pub(crate) fn join(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.0.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url.set_query(query);
        url
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether the host is this machine, by its name or address.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The text is not repeated: a key may stand anywhere in it.
        let refuse = |why: &str| format!("{why}: write https://host or https://host/base");
        let mut url = Url::parse(text).map_err(|_| refuse("is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "holds a name or a password, which belong in api_key_env",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("has a query or a fragment"));
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(base: &str, path: &str, query: Option<&str>) -> String {
        let base: BaseUrl = base.parse().unwrap();
        base.join(path, query).to_string()
    }

    #[test]
    fn joins_bases_with_and_without_v1() {
        for base in [
            "https://host",
            "https://host/",
            "https://host/v1",
            "https://host/v1/",
        ] {
            assert_eq!(join(base, "/v1/models", None), "https://host/v1/models");
        }
        assert_eq!(
            join("https://host/openai/v1", "/v1/messages", Some("beta=true")),
            "https://host/openai/v1/messages?beta=true"
        );
        assert_eq!(
            join("http://[::1]:9/a", "/v1/x", None),
            "http://[::1]:9/a/v1/x"
        );
    }

    #[test]
    fn refuses_what_is_no_base() {
        for (text, why) in [
            ("api.openai.com", "is no URL"),
            ("ftp://host", "neither http nor https"),
            ("https://host?key=1", "query"),
            ("https://", "is no URL"),
        ] {
            let error = text.parse::<BaseUrl>().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        for text in [
            "https://me:secret@host",
            "https://secret@host",
            "https://me:secret@host:99999",
            "https://host?key=secret",
            "https://host#secret",
            "secret://host",
            "secret",
        ] {
            let error = text.parse::<BaseUrl>().unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn knows_this_machine() {
        let loopback = |text: &str| text.parse::<BaseUrl>().unwrap().is_loopback();
        assert!(loopback("http://127.0.0.1:1") && loopback("http://[::1]:1"));
        assert!(loopback("http://localhost:1") && !loopback("http://10.0.0.1"));
    }
}
