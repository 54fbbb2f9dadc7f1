//! Which API a request is for, where nothing more is known of it than its head.

use axum::http::{HeaderMap, HeaderName};

use crate::config::Api;

/// Every request of Anthropic's SDKs has it, to paths that OpenAI has as well.
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// The API whose errors a client understands that asks for this path.
pub(in crate::gateway) fn api_of(path: &str, headers: &HeaderMap) -> Api {
    let path = ["/agents", "/routing"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .unwrap_or(path);
    let begins = |prefix: &str| {
        let rest = path.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if begins("/v1/messages") || begins("/v1/complete") {
        Api::Anthropic
    } else if begins("/v1beta") || begins("/v1alpha") || path.contains(':') {
        // A call of Google's is a model's name, a colon and a verb.
        Api::Gemini
    } else if begins("/model") {
        Api::Bedrock
    } else if begins("/v2") {
        Api::Cohere
    } else if begins("/api") {
        Api::Ollama
    } else if begins("/openai/deployments") {
        Api::Azure
    } else if headers.contains_key(ANTHROPIC_VERSION) {
        Api::Anthropic
    } else {
        Api::OpenAi
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_path_tells_its_api() {
        for (path, api) in [
            ("/v1/chat/completions", Api::OpenAi),
            ("/v1/models", Api::OpenAi),
            ("/v1/completions", Api::OpenAi),
            ("/v1/messages", Api::Anthropic),
            ("/v1/messages/count_tokens", Api::Anthropic),
            ("/agents/v1/messages", Api::Anthropic),
            ("/routing/v1/messages", Api::Anthropic),
            ("/v1/messagesx", Api::OpenAi),
            ("/v1beta/models/g:streamGenerateContent", Api::Gemini),
            ("/v1/models/g:generateContent", Api::Gemini),
            ("/model/m/converse", Api::Bedrock),
            ("/models", Api::OpenAi),
            ("/v2/chat", Api::Cohere),
            ("/api/chat", Api::Ollama),
            ("/openai/deployments/d/chat/completions", Api::Azure),
            ("/", Api::OpenAi),
            ("", Api::OpenAi),
        ] {
            assert_eq!(api_of(path, &HeaderMap::new()), api, "{path}");
        }
        let version = HeaderValue::from_static("2023-06-01");
        let headers = HeaderMap::from_iter([(ANTHROPIC_VERSION, version)]);
        assert_eq!(api_of("/v1/models", &headers), Api::Anthropic);
        assert_eq!(api_of("/v2/chat", &headers), Api::Cohere);
    }
}
