//! The APIs: one file each, which holds all that the API is, and one line here.

use super::event::Event;
use super::said::Said;
use super::spec::{Speaks, Spec};
use crate::labels::Operation;

/// Names the files, and of each the APIs in it, in the order in which they are asked whether an event is
/// theirs; makes [`Api`] and [`SPECS`] of them.
macro_rules! apis {
    ($($file:ident { $($api:ident = $spec:ident: $doc:literal),+ $(,)? })+) => {
        $(mod $file;)+

        /// The protocol that a response speaks, recognised from its content.
        ///
        /// Dialects share a value: whatever looks like Chat Completions (Azure, Groq, Mistral, vLLM, ...) is
        /// [`Api::OpenAiChat`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Api {
            $($(#[doc = $doc] $api,)+)+
        }

        /// What each API is, by its number.
        pub(crate) const SPECS: &[Spec] = &[$($($file::$spec,)+)+];

        const ALL: &[Api] = &[$($(Api::$api,)+)+];
    };
}

apis! {
    openai_chat { OpenAiChat = CHAT: "[Chat Completions](https://platform.openai.com/docs/api-reference/chat) and its dialects.", OpenAiCompletions = COMPLETIONS: "The legacy [Completions](https://platform.openai.com/docs/api-reference/completions)." }
    openai_responses { OpenAiResponses = SPEC: "[Responses](https://platform.openai.com/docs/api-reference/responses)." }
    openai_media { OpenAiImages = IMAGES: "[Images](https://platform.openai.com/docs/api-reference/images).", OpenAiTranscriptions = TRANSCRIPTIONS: "[Transcriptions and translations](https://platform.openai.com/docs/api-reference/audio).", OpenAiSpeech = SPEECH: "[Speech](https://platform.openai.com/docs/api-reference/audio/createSpeech), as events." }
    rerank { Rerank = SPEC: "Reranking: Cohere, Voyage, Jina, vLLM, Bedrock." }
    embeddings { OpenAiEmbeddings = OPENAI: "[Embeddings](https://platform.openai.com/docs/api-reference/embeddings).", CohereEmbed = COHERE: "[Embed](https://docs.cohere.com/reference/embed).", GeminiEmbed = GEMINI: "`embedContent` and `batchEmbedContents`.", OllamaEmbed = OLLAMA: "`/api/embed` and the older `/api/embeddings`." }
    no_calls { Moderations = MODERATIONS: "[Moderations](https://platform.openai.com/docs/api-reference/moderations); no call that owes tokens.", Models = MODELS: "Models, or one of them; no call that owes tokens.", TokenCount = TOKEN_COUNT: "Counting tokens, or making them of text; no call that owes tokens." }
    anthropic { AnthropicMessages = MESSAGES: "[Messages](https://docs.anthropic.com/en/api/messages), Vertex's too.", AnthropicComplete = COMPLETE: "The legacy [Text Completions](https://docs.anthropic.com/en/api/complete)." }
    cohere { CohereChat = SPEC: "[Chat](https://docs.cohere.com/reference/chat), versions 1 and 2." }
    bedrock { BedrockConverse = CONVERSE: "[Converse and `ConverseStream`](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)." }
    gemini { GeminiGenerate = SPEC: "[`generateContent`](https://ai.google.dev/api/generate-content), streamed or not." }
    ollama { OllamaGenerate = GENERATE: "`/api/generate`.", OllamaChat = CHAT: "[`/api/chat`](https://github.com/ollama/ollama/blob/main/docs/api.md)." }
    llama_cpp { LlamaCpp = SPEC: "llama.cpp's own [`/completion`](https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md)." }
    tgi { Tgi = SPEC: "[`/generate` and `/generate_stream`](https://huggingface.github.io/text-generation-inference/) of Text Generation Inference." }
    dashscope { DashScope = SPEC: "Alibaba's own [generation](https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-dashscope)." }
    watsonx { Watsonx = SPEC: "IBM watsonx.ai's [text generation](https://cloud.ibm.com/apidocs/watsonx-ai#text-generation)." }
    workers_ai { WorkersAi = SPEC: "Cloudflare [Workers AI](https://developers.cloudflare.com/workers-ai/), natively." }
    bedrock_invoke { BedrockInvoke = SPEC: "`InvokeModel` and `InvokeModelWithResponseStream`, where the payload is not that of another API." }
}

impl Api {
    /// The name as it stands in reports, such as `openai-chat`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// What a call is for whose response speaks so, in OpenTelemetry's words: `None` where no model is asked, as for a
    /// list of models.
    ///
    /// ```
    /// use brightstaff_metrics_core::{labels::Operation, meter::Api};
    ///
    /// assert_eq!(Api::OpenAiEmbeddings.operation(), Some(Operation::Embeddings));
    /// assert_eq!(Api::Models.operation(), None);
    /// ```
    #[must_use]
    pub const fn operation(self) -> Option<Operation> {
        self.spec().operation
    }

    pub(crate) const fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which API speaks so, and whether that is certain.
pub(crate) fn recognise(event: &Event) -> Option<(Api, bool)> {
    let mut guess = None;
    for &api in ALL {
        let said = Said {
            event,
            api: Some(api),
        };
        match (api.spec().speaks)(&said) {
            Speaks::Yes => return Some((api, true)),
            Speaks::Maybe if guess.is_none() => guess = Some((api, false)),
            Speaks::Maybe | Speaks::No => {}
        }
    }
    guess
}

/// The API's own signs, for files whose APIs have no other mark.
pub(crate) fn by_signs(said: &Said<'_>) -> Speaks {
    said.api.is_some_and(|api| said.event.signs_of(api)).into()
}
