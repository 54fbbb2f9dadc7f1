use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

/// Where a destination lives: what its SDKs take as their base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    /// Its scheme and host, and its port where that is not the scheme's.
    pub(crate) fn host(&self) -> &str {
        &self.0[..url::Position::BeforePath]
    }

    /// What stands behind the host, without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
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
        let url = Url::parse(text).map_err(|_| refuse("is no URL"))?;
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

    #[test]
    fn a_base_is_kept_as_it_is_written() {
        for (base, host, path) in [
            ("https://host", "https://host", ""),
            ("https://host/v1/", "https://host", "/v1"),
            ("http://[::1]:9/a/b", "http://[::1]:9", "/a/b"),
        ] {
            let base: BaseUrl = base.parse().unwrap();
            assert_eq!((base.host(), base.path()), (host, path));
        }
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
