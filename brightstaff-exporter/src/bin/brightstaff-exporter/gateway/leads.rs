//! Where requests lead, told by the very code that leads them there.

use axum::http::Method;

use super::{
    directory::Directory,
    endpoint::{Endpoint, Named},
};
use crate::config::Api;

/// What the clients of an API ask for most.
const fn usual(api: Api) -> &'static str {
    match api {
        Api::OpenAi | Api::Mistral => "/v1/chat/completions",
        Api::Anthropic => "/v1/messages",
        Api::Gemini => "/v1beta/models/MODEL:generateContent",
        Api::Bedrock => "/model/MODEL/converse",
        Api::Azure => "/openai/deployments/MODEL/chat/completions",
        Api::Cohere => "/v2/chat",
        Api::Ollama => "/api/chat",
    }
}

/// A line for each provider, under its name; one for each path that leads to a provider without; and those of agents.
pub(super) fn of(directory: &Directory) -> Vec<String> {
    let mut lines = Vec::new();
    let lead = |path: &str| {
        let destination = match Endpoint::at(directory.named(), &Method::POST, path) {
            Endpoint::Provider(place, asked) => directory.provider(place).url(&asked),
            Endpoint::Shared(asked) => directory.of_api(&asked)?.url(&asked),
            Endpoint::Agent(asked) => directory.only_agent()?.url(&asked),
            _ => return None,
        };
        Some(format!("POST {path} -> {destination}"))
    };
    for Named { name, api } in directory.named().iter() {
        lines.extend(lead(&format!("/{name}{}", usual(*api))));
    }
    for Named { api, .. } in directory.named().iter() {
        let line = lead(usual(*api));
        lines.extend(line.filter(|line| !lines.contains(line)));
    }
    lines.extend(lead("/agents/v1/chat/completions"));
    lines
}
