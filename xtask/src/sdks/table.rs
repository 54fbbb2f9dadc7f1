//! The SDKs, and the providers that they call.

/// One SDK, with the script that calls all that it can.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sdk {
    pub(super) script: &'static str,
    /// How a user points it at the gateway.
    pub(super) base: &'static str,
}

pub(super) static SDKS: [&Sdk; 9] = [
    &Sdk {
        script: "openai_sdk.py",
        base: "`OpenAI(base_url=\"http://127.0.0.1:12000/openai/v1\")`",
    },
    &Sdk {
        script: "azure_sdk.py",
        base: "`AzureOpenAI(azure_endpoint=\"http://127.0.0.1:12000/azure\")`",
    },
    &Sdk {
        script: "anthropic_sdk.py",
        base: "`Anthropic(base_url=\"http://127.0.0.1:12000/anthropic\")`",
    },
    &Sdk {
        script: "gemini_sdk.py",
        base: "`genai.Client(http_options={\"base_url\": \"http://127.0.0.1:12000/gemini\"})`",
    },
    &Sdk {
        script: "bedrock_sdk.py",
        base: "`boto3.client(\"bedrock-runtime\", endpoint_url=\"http://127.0.0.1:12000/bedrock\")`",
    },
    &Sdk {
        script: "cohere_sdk.py",
        base: "`cohere.ClientV2(base_url=\"http://127.0.0.1:12000/cohere\")`",
    },
    &Sdk {
        script: "ollama_sdk.py",
        base: "`ollama.Client(host=\"http://127.0.0.1:12000/ollama\")`",
    },
    &Sdk {
        script: "mistral_sdk.py",
        base: "`Mistral(server_url=\"http://127.0.0.1:12000/mistral\")`",
    },
    &Sdk {
        script: "litellm_sdk.py",
        base: "`api_base=\"http://127.0.0.1:12000/PROVIDER\"`, with `/v1` or `/v1beta` where LiteLLM wants it",
    },
];

/// What the gateway calls each provider, and its base as the provider's SDK takes it, below the simulator.
pub(super) const PROVIDERS: [(&str, &str); 8] = [
    ("openai", "openai/v1"),
    ("anthropic", "anthropic"),
    ("gemini", "gemini"),
    ("bedrock", "bedrock"),
    ("azure", "azure"),
    ("cohere", "cohere"),
    ("ollama", "ollama"),
    ("mistral", "mistral/v1"),
];
