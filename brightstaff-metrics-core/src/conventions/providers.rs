//! What the conventions call a provider.

/// Their well-known names, each with the spellings that mean it, as [`plain`] leaves them. The name itself is one, too.
pub(crate) const WELL_KNOWN: &[(&str, &[&str])] = &[
    ("anthropic", &["claude"]),
    ("aws.bedrock", &["amazonbedrock", "bedrock"]),
    (
        "azure.ai.inference",
        &[
            "azureai",
            "azureaifoundry",
            "azurefoundry",
            "azureinference",
        ],
    ),
    ("azure.ai.openai", &["azure", "azureopenai"]),
    ("cohere", &[]),
    ("deepseek", &[]),
    (
        "gcp.gemini",
        &["aistudio", "gemini", "googleaistudio", "googlegemini"],
    ),
    ("gcp.gen_ai", &["google", "googleai", "googlegenai"]),
    (
        "gcp.vertex_ai",
        &["googlevertex", "googlevertexai", "vertex", "vertexai"],
    ),
    ("groq", &[]),
    ("ibm.watsonx.ai", &["ibmwatsonx", "watsonx", "watsonxai"]),
    ("mistral_ai", &["mistral"]),
    ("moonshot_ai", &["kimi", "moonshot"]),
    ("openai", &[]),
    ("perplexity", &["perplexityai", "pplx"]),
    ("x_ai", &["grok"]),
];

/// The conventions' name for a provider; the gateway's own where they have none.
pub(crate) fn well_known(provider: &str) -> &str {
    let plain = plain(provider);
    let means = |(name, spellings): &&(&str, &[&str])| {
        self::plain(name) == plain || spellings.contains(&&*plain)
    };
    let found = WELL_KNOWN.iter().find(means);
    found.map_or(provider, |(name, _)| name)
}

/// Without case, and without what stands between words: `Azure-OpenAI` is `azureopenai`.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' '));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_lead_to_one_name() {
        for (provider, name) in [
            ("openai", "openai"),
            ("OpenAI", "openai"),
            ("azure", "azure.ai.openai"),
            ("Azure-OpenAI", "azure.ai.openai"),
            ("azure.ai.openai", "azure.ai.openai"),
            ("aws_bedrock", "aws.bedrock"),
            ("bedrock", "aws.bedrock"),
            ("gemini", "gcp.gemini"),
            ("vertex-ai", "gcp.vertex_ai"),
            ("mistral", "mistral_ai"),
            ("mistralai", "mistral_ai"),
            ("xai", "x_ai"),
            ("x-ai", "x_ai"),
            ("watsonx", "ibm.watsonx.ai"),
            ("moonshotai", "moonshot_ai"),
            // Not known: as they are.
            ("openai-eu", "openai-eu"),
            ("vLLM", "vLLM"),
            ("other", "other"),
            ("", ""),
        ] {
            assert_eq!(well_known(provider), name, "{provider}");
        }
    }

    #[test]
    fn no_spelling_means_two() {
        let all = WELL_KNOWN.iter().flat_map(|(name, spellings)| {
            let spellings = spellings.iter().map(|spelling| (*spelling).to_owned());
            spellings.chain([plain(name)])
        });
        let mut all: Vec<_> = all.collect();
        assert!(all.iter().all(|spelling| *spelling == plain(spelling)));
        let before = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
