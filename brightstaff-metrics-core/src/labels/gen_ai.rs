//! OpenTelemetry's words for what a call was for.

use super::closed::{Index, Label, label};

label! {
    /// What a call to a provider was for, in the words of OpenTelemetry's conventions for generative AI. Their value
    /// for what fits no other, and ours for reranking, which they have no word for.
    Operation = "gen_ai.operation.name" {
        /// A conversation goes on: Chat Completions, Responses, Messages, Converse and their like.
        Chat => "chat",
        /// A text goes on: the legacy Completions, and generation from a prompt alone.
        TextCompletion => "text_completion",
        /// Text becomes vectors.
        Embeddings => "embeddings",
        /// Content of any kind is generated: Gemini's `generateContent`, images, speech, transcriptions.
        GenerateContent => "generate_content",
        /// Documents are ranked. No value of the conventions, which allow others.
        Rerank => "rerank",
    }
}

impl Operation {
    /// Whether its responses hold generated output, which is counted in tokens.
    #[cfg(feature = "otlp")]
    pub(crate) fn generates(self) -> bool {
        !matches!(self, Self::Embeddings | Self::Rerank)
    }
}
