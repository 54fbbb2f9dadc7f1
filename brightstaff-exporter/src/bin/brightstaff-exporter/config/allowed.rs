use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};

/// What may be asked of a provider beside LLM calls: a method, or any, and a path, which may end in `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// `None` is any.
    method: Option<Box<str>>,
    path: Box<str>,
    /// Whatever stands behind the path.
    and_below: bool,
}

impl Allowed {
    pub(crate) fn allows(&self, method: &str, path: &str) -> bool {
        let fits = if self.and_below {
            path.starts_with(&*self.path)
        } else {
            path == &*self.path
        };
        fits && self
            .method
            .as_deref()
            .is_none_or(|allowed| allowed == method)
    }
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            || "is no method and path: write \"POST /v1/files\" or \"* /v1/files/*\"".to_owned();
        let (method, path) = text.split_once(' ').ok_or_else(refuse)?;
        let is_method = method == "*" || method.bytes().all(|byte| byte.is_ascii_uppercase());
        let (path, and_below) = match path.strip_suffix('*') {
            Some(path) => (path, true),
            None => (path, false),
        };
        let is_path = path.starts_with('/') && !path.contains(['*', '?', '#', ' ']);
        if method.is_empty() || !is_method || !is_path {
            return Err(refuse());
        }
        Ok(Self {
            method: (method != "*").then(|| method.into()),
            path: path.into(),
            and_below,
        })
    }
}

impl<'de> Deserialize<'de> for Allowed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_what_it_says() {
        for (allowed, method, path, expected) in [
            ("POST /v1/files", "POST", "/v1/files", true),
            ("POST /v1/files", "GET", "/v1/files", false),
            ("POST /v1/files", "POST", "/v1/files/f", false),
            ("* /v1/files/*", "DELETE", "/v1/files/f", true),
            ("GET /v1/files*", "GET", "/v1/files", true),
            ("GET /*", "GET", "/v1/anything", true),
        ] {
            let allowed: Allowed = allowed.parse().unwrap();
            assert_eq!(
                allowed.allows(method, path),
                expected,
                "{allowed:?} {method} {path}"
            );
        }
        for text in [
            "",
            "/v1/files",
            "POST",
            "post /v1",
            "POST v1",
            "POST /v1/*/x",
            "POST /v1?a",
            " /v1",
        ] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }
}
