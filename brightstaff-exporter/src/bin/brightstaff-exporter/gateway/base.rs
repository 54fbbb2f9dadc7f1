//! Where the paths of an API are at a provider.
//!
//! One rule: *a base is what the provider's own SDK takes as its base URL.*
//!
//! - SDKs for OpenAI's API, and for Mistral's, take a base that has its version
//!   (`https://api.openai.com/v1`, `https://open.bigmodel.cn/api/paas/v4`). One without any path means `/v1`. So a `/v1` at the
//!   start of what a client asks for gives way to the base.
//! - All others take a base that stands before the version (`https://api.anthropic.com`). One that ends in a version of
//!   the API, or in the place where the provider speaks OpenAI's API, means the same as without.
//! - What is another API's own (`/v1beta/models/…`, `/api/chat`) goes below the base without its `/v1`, and OpenAI's paths go
//!   to where a provider of another API has them (`/v1beta/openai`, `/compatibility/v1`).

use std::borrow::Cow;

use super::endpoint::Asked;
use crate::config::{Api, BaseUrl};

const V1: &str = "/v1";

/// The paths of a provider.
#[derive(Clone, Debug)]
pub(super) struct Base {
    api: Api,
    /// What stands before a version.
    root: Box<str>,
    /// What stands in place of `/v1`, where the base has the version.
    versioned: Box<str>,
}

impl Base {
    pub(super) fn new(url: &BaseUrl, api: Api) -> Self {
        let path = url.path();
        let ends = api.openai_below().iter().chain(api.versions());
        let mut ends = ends.filter_map(|end| path.strip_suffix(end));
        let root = ends.next().unwrap_or(path);
        Self {
            api,
            root: root.into(),
            versioned: if path.is_empty() { V1 } else { path }.into(),
        }
    }

    /// The path on the provider's host of what is asked.
    pub(super) fn path<'p>(&self, asked: &'p Asked<'_>) -> Cow<'p, str> {
        let path = &*asked.path;
        if asked.verbatim {
            return below(&self.root, path);
        }
        let behind_v1 = path.strip_prefix(V1);
        let behind_v1 = behind_v1.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        if self.api.has_version_in_base() {
            return match behind_v1 {
                Some(_) if *self.versioned == *V1 => Cow::Borrowed(path),
                Some(rest) => below(&self.versioned, rest),
                None if asked.row.api.has_version_in_base() => below(&self.versioned, path),
                None => below(&self.root, path),
            };
        }
        let openai = asked.row.api.has_version_in_base()
            && (!asked.is_common() || matches!(self.api, Api::Azure | Api::Bedrock));
        match (behind_v1, self.api.openai_below().first()) {
            (Some(rest), Some(openai_below)) if openai => {
                Cow::Owned(format!("{}{openai_below}{rest}", self.root))
            }
            _ => below(&self.root, path),
        }
    }
}

fn below<'p>(base: &str, path: &'p str) -> Cow<'p, str> {
    if base.is_empty() {
        Cow::Borrowed(path)
    } else {
        Cow::Owned(format!("{base}{path}"))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::{
        super::endpoint::{Endpoint, Named},
        *,
    };

    #[track_caller]
    fn at(base: &str, api: Api, path: &str) -> String {
        let base = Base::new(&base.parse().unwrap(), api);
        let name = "p".into();
        match Endpoint::at(&[Named { name, api }], &Method::POST, path) {
            Endpoint::Provider(_, asked) | Endpoint::Shared(asked) => {
                base.path(&asked).into_owned()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_base_is_what_its_sdk_takes() {
        for (base, api, path, expected) in [
            (
                "https://h",
                Api::OpenAi,
                "/v1/chat/completions",
                "/v1/chat/completions",
            ),
            (
                "https://h/v1/",
                Api::OpenAi,
                "/v1/chat/completions",
                "/v1/chat/completions",
            ),
            (
                "https://h/v1",
                Api::OpenAi,
                "/chat/completions",
                "/v1/chat/completions",
            ),
            (
                "https://h",
                Api::OpenAi,
                "/p/chat/completions",
                "/v1/chat/completions",
            ),
            (
                "https://h/v1",
                Api::OpenAi,
                "/p/v1/chat/completions/",
                "/v1/chat/completions",
            ),
            (
                "https://h/v1",
                Api::OpenAi,
                "/p//v1//chat/completions",
                "/v1/chat/completions",
            ),
            (
                "https://h/v1",
                Api::OpenAi,
                "/p/v1/v1/chat/completions",
                "/v1/chat/completions",
            ),
            (
                "https://h/v1",
                Api::OpenAi,
                "/p/new/thing/",
                "/v1/new/thing/",
            ),
            (
                "https://h/api/paas/v4",
                Api::OpenAi,
                "/v1/chat/completions",
                "/api/paas/v4/chat/completions",
            ),
            (
                "https://h/inference",
                Api::OpenAi,
                "/p/chat/completions",
                "/inference/chat/completions",
            ),
            (
                "https://h/v1beta/openai/",
                Api::OpenAi,
                "/p/v1/embeddings",
                "/v1beta/openai/embeddings",
            ),
            (
                "https://h",
                Api::OpenAi,
                "/p/api/v1/chat/completions",
                "/api/v1/chat/completions",
            ),
            (
                "https://h/v1",
                Api::OpenAi,
                "/p/v1beta/models/m:generateContent",
                "/v1beta/models/m:generateContent",
            ),
            ("https://h/v1", Api::OpenAi, "/p/api/chat", "/api/chat"),
            ("https://h", Api::OpenAi, "/v1/messages", "/v1/messages"),
            (
                "https://h",
                Api::Mistral,
                "/p/v1/fim/completions",
                "/v1/fim/completions",
            ),
            ("https://h", Api::Anthropic, "/v1/messages", "/v1/messages"),
            (
                "https://h/v1",
                Api::Anthropic,
                "/p/v1/messages",
                "/v1/messages",
            ),
            (
                "https://h/anthropic",
                Api::Anthropic,
                "/p/v1/messages",
                "/anthropic/v1/messages",
            ),
            (
                "https://h",
                Api::Anthropic,
                "/p/v1/messages/batches",
                "/v1/messages/batches",
            ),
            (
                "https://h",
                Api::Anthropic,
                "/p/v1/chat/completions",
                "/v1/chat/completions",
            ),
            (
                "https://h",
                Api::Gemini,
                "/p/v1beta/models/m:generateContent",
                "/v1beta/models/m:generateContent",
            ),
            (
                "https://h/v1beta",
                Api::Gemini,
                "/p/v1beta/openai/chat/completions",
                "/v1beta/openai/chat/completions",
            ),
            (
                "https://h/v1beta/openai",
                Api::Gemini,
                "/v1/chat/completions",
                "/v1beta/openai/chat/completions",
            ),
            (
                "https://h",
                Api::Bedrock,
                "/p/model/a%3A0/converse",
                "/model/a%3A0/converse",
            ),
            (
                "https://h",
                Api::Bedrock,
                "/v1/chat/completions",
                "/openai/v1/chat/completions",
            ),
            (
                "https://h",
                Api::Azure,
                "/p/openai/deployments/d/chat/completions",
                "/openai/deployments/d/chat/completions",
            ),
            (
                "https://h/openai/v1",
                Api::Azure,
                "/p/openai/v1/responses",
                "/openai/v1/responses",
            ),
            (
                "https://h",
                Api::Azure,
                "/v1/responses",
                "/openai/v1/responses",
            ),
            ("https://h/v2", Api::Cohere, "/p/v2/chat", "/v2/chat"),
            ("https://h", Api::Cohere, "/p/v1/rerank", "/v1/rerank"),
            (
                "https://h",
                Api::Cohere,
                "/v1/chat/completions",
                "/compatibility/v1/chat/completions",
            ),
            ("https://h", Api::Ollama, "/p/api/chat", "/api/chat"),
            (
                "https://h/v1",
                Api::Ollama,
                "/p/v1/chat/completions",
                "/v1/chat/completions",
            ),
            ("https://h/api", Api::Ollama, "/p/", "/"),
        ] {
            assert_eq!(at(base, api, path), expected, "{base} {api:?} {path}");
        }
    }
}
