use serde::Deserialize;

/// The API that a provider speaks first: whose paths lead to it, how its base is written, and how it is given its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Api {
    OpenAi,
    Anthropic,
    Gemini,
    Bedrock,
    Azure,
    Cohere,
    Ollama,
    Mistral,
}

impl Api {
    /// What the name of a provider says, where its configuration does not.
    pub(crate) fn by_name(name: &str) -> Self {
        match name {
            "anthropic" => Self::Anthropic,
            "gemini" | "google" => Self::Gemini,
            "bedrock" => Self::Bedrock,
            "azure" => Self::Azure,
            "cohere" => Self::Cohere,
            "ollama" => Self::Ollama,
            "mistral" => Self::Mistral,
            _ => Self::OpenAi,
        }
    }

    /// Whether streams of OpenAI's completions tell their usage only where the request asks for it. Mistral tells it in any
    /// case; of those that are left out the documentation knows no such question.
    pub(crate) fn wants_usage_asked(self) -> bool {
        match self {
            Self::OpenAi | Self::Azure | Self::Ollama | Self::Anthropic => true,
            Self::Mistral | Self::Cohere | Self::Gemini | Self::Bedrock => false,
        }
    }

    /// Whether its SDKs take the version as a part of the base (`https://api.openai.com/v1`).
    pub(crate) fn has_version_in_base(self) -> bool {
        matches!(self, Self::OpenAi | Self::Mistral)
    }

    /// Below what of its host it speaks OpenAI's API as well, where that is not below `/v1`.
    pub(crate) fn openai_below(self) -> &'static [&'static str] {
        match self {
            Self::Gemini => &["/v1beta/openai"],
            Self::Bedrock => &["/openai/v1"],
            Self::Azure => &["/openai/v1", "/openai"],
            Self::Cohere => &["/compatibility/v1"],
            Self::OpenAi | Self::Anthropic | Self::Ollama | Self::Mistral => &[],
        }
    }

    /// The versions of its own that its SDKs put behind the base.
    pub(crate) fn versions(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi | Self::Mistral | Self::Anthropic => &["/v1"],
            Self::Gemini => &["/v1beta", "/v1alpha", "/v1"],
            Self::Cohere => &["/v2", "/v1"],
            Self::Ollama => &["/api", "/v1"],
            Self::Bedrock | Self::Azure => &[],
        }
    }
}
