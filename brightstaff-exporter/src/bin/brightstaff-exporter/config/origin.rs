use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use super::host::HostPort;

/// The origin of a web page, as browsers send it: `https://app.example.com`, without a default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebOrigin(String);

impl WebOrigin {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The scheme of an origin, and its host.
pub(crate) fn parts(origin: &str) -> Option<(&str, HostPort<'_>)> {
    let (scheme, host) = origin.split_once("://")?;
    Some((scheme, HostPort::parse(host)?))
}

impl<'de> Deserialize<'de> for WebOrigin {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if is_exact(&text) {
            return Ok(Self(text));
        }
        Err(D::Error::custom(
            "is no origin as browsers send it: write for example \"https://app.example.com\", in \
             lower case, without a path, a wildcard or the scheme's own port",
        ))
    }
}

/// Whether a browser writes an origin in just this way: another spelling would never match.
fn is_exact(text: &str) -> bool {
    let Some((scheme, host)) = parts(text) else {
        return false;
    };
    if text.contains('*') || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return false;
    }
    match scheme {
        "http" | "https" => {
            Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
        }
        // Of extensions and applications; URLs cannot tell their origin.
        _ => {
            let word = |byte: u8| byte.is_ascii_lowercase() || b"+-.0123456789".contains(&byte);
            scheme.starts_with(|c: char| c.is_ascii_lowercase())
                && scheme.bytes().all(word)
                && text.ends_with(host.host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_browsers_send_is_an_origin() {
        for text in [
            "https://app.example.com",
            "http://localhost:3000",
            "http://[::1]:3000",
            "chrome-extension://abcdef",
            "tauri://localhost",
        ] {
            assert!(is_exact(text), "{text}");
        }
        for text in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com:443",
            "https://APP.example.com",
            "https://me:secret@app.example.com",
            "https://app.example.com?key=1",
            "tauri://localhost/x",
            "://h",
            "1x://h",
        ] {
            assert!(!is_exact(text), "{text}");
        }
    }
}
