//! Every endpoint that the gateway knows, and what it is.
//!
//! The paths are those of the references of [OpenAI](https://platform.openai.com/docs/api-reference),
//! [Anthropic](https://docs.anthropic.com/en/api), [Gemini](https://ai.google.dev/api),
//! [Bedrock](https://docs.aws.amazon.com/bedrock/latest/APIReference),
//! [Azure](https://learn.microsoft.com/azure/ai-foundry/openai/reference),
//! [Cohere](https://docs.cohere.com/reference), [Ollama](https://docs.ollama.com/api) and
//! [Mistral](https://docs.mistral.ai/api). Where a path fits several rows, the first counts; so what is asked most stands
//! first.

use super::{
    Model::{self, Absent, Body, Path, Query},
    Task::{
        self, Audio, Batches, Chat, CountTokens, Embeddings, Files, Images, ListModels, Models,
        Moderations, Passthrough, Realtime, Rerank,
    },
};
use crate::config::Api::{
    self, Anthropic, Azure, Bedrock, Cohere, Gemini, Mistral, Ollama, OpenAi,
};

/// The methods of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Verb {
    Get,
    Post,
    Any,
}

/// An endpoint.
#[derive(Debug)]
pub(in super::super) struct Row {
    pub(super) verb: Verb,
    pub(super) pattern: &'static str,
    /// Whose path it is.
    pub(in super::super) api: Api,
    pub(in super::super) task: Task,
    pub(in super::super) model: Model,
}

const fn get(pattern: &'static str, api: Api, task: Task) -> Row {
    row(Verb::Get, pattern, api, task, Absent)
}

const fn post(pattern: &'static str, api: Api, task: Task, model: Model) -> Row {
    row(Verb::Post, pattern, api, task, model)
}

const fn any(pattern: &'static str, api: Api, task: Task) -> Row {
    row(Verb::Any, pattern, api, task, Absent)
}

const fn row(verb: Verb, pattern: &'static str, api: Api, task: Task, model: Model) -> Row {
    Row {
        verb,
        pattern,
        api,
        task,
        model,
    }
}

pub(super) static TABLE: &[Row] = &[
    post("/v1/chat/completions", OpenAi, Chat, Body),
    post("/v1/messages", Anthropic, Chat, Body),
    post("/v1/responses", OpenAi, Chat, Body),
    post("/v1/completions", OpenAi, Chat, Body),
    post("/v1/embeddings", OpenAi, Embeddings, Body),
    get("/v1/models", OpenAi, ListModels),
    get("/v1/models/{}/**", OpenAi, Models),
    // Gemini, whose stable version is v1, too, and Vertex.
    post("/{v}/models/{model}:generateContent", Gemini, Chat, Path),
    post(
        "/{v}/models/{model}:streamGenerateContent",
        Gemini,
        Chat,
        Path,
    ),
    post("/{v}/models/{model}:embedContent", Gemini, Embeddings, Path),
    post(
        "/{v}/models/{model}:batchEmbedContents",
        Gemini,
        Embeddings,
        Path,
    ),
    post("/{v}/models/{model}:countTokens", Gemini, CountTokens, Path),
    post("/{v}/models/{model}:predict", Gemini, Images, Path),
    post(
        "/{v}/models/{model}:batchGenerateContent",
        Gemini,
        Batches,
        Path,
    ),
    post(
        "/{v}/tunedModels/{model}:generateContent",
        Gemini,
        Chat,
        Path,
    ),
    post(
        "/{v}/tunedModels/{model}:streamGenerateContent",
        Gemini,
        Chat,
        Path,
    ),
    post("/{v}/interactions", Gemini, Chat, Body),
    post(
        "/{v}/projects/{}/locations/{}/publishers/{}/models/{model}:generateContent",
        Gemini,
        Chat,
        Path,
    ),
    post(
        "/{v}/projects/{}/locations/{}/publishers/{}/models/{model}:streamGenerateContent",
        Gemini,
        Chat,
        Path,
    ),
    post(
        "/{v}/projects/{}/locations/{}/publishers/{}/models/{model}:rawPredict",
        Gemini,
        Chat,
        Path,
    ),
    post(
        "/{v}/projects/{}/locations/{}/publishers/{}/models/{model}:streamRawPredict",
        Gemini,
        Chat,
        Path,
    ),
    post(
        "/{v}/projects/{}/locations/{}/publishers/{}/models/{model}:countTokens",
        Gemini,
        CountTokens,
        Path,
    ),
    post(
        "/{v}/projects/{}/locations/{}/publishers/{}/models/{model}:predict",
        Gemini,
        Embeddings,
        Path,
    ),
    // Bedrock.
    post("/model/{model}/converse", Bedrock, Chat, Path),
    post("/model/{model}/converse-stream", Bedrock, Chat, Path),
    post("/model/{model}/invoke", Bedrock, Chat, Path),
    post(
        "/model/{model}/invoke-with-response-stream",
        Bedrock,
        Chat,
        Path,
    ),
    post("/model/{model}/count-tokens", Bedrock, CountTokens, Path),
    any("/model/**", Bedrock, Passthrough),
    any("/async-invoke/**", Bedrock, Passthrough),
    any("/guardrail/**", Bedrock, Passthrough),
    // Azure: what its deployments are asked; the rest of `/openai` is OpenAI's.
    post(
        "/openai/deployments/{model}/chat/completions",
        Azure,
        Chat,
        Path,
    ),
    post(
        "/openai/deployments/{model}/extensions/chat/completions",
        Azure,
        Chat,
        Path,
    ),
    post("/openai/deployments/{model}/completions", Azure, Chat, Path),
    post(
        "/openai/deployments/{model}/embeddings",
        Azure,
        Embeddings,
        Path,
    ),
    post(
        "/openai/deployments/{model}/images/generations",
        Azure,
        Images,
        Path,
    ),
    post(
        "/openai/deployments/{model}/images/edits",
        Azure,
        Images,
        Path,
    ),
    post(
        "/openai/deployments/{model}/audio/transcriptions",
        Azure,
        Audio,
        Path,
    ),
    post(
        "/openai/deployments/{model}/audio/translations",
        Azure,
        Audio,
        Path,
    ),
    post(
        "/openai/deployments/{model}/audio/speech",
        Azure,
        Audio,
        Path,
    ),
    any("/openai/deployments/**", Azure, Passthrough),
    // Cohere.
    post("/v2/chat", Cohere, Chat, Body),
    post("/v2/embed", Cohere, Embeddings, Body),
    post("/v2/rerank", Cohere, Rerank, Body),
    post("/v1/chat", Cohere, Chat, Body),
    post("/v1/generate", Cohere, Chat, Body),
    post("/v1/summarize", Cohere, Chat, Body),
    post("/v1/embed", Cohere, Embeddings, Body),
    post("/v1/tokenize", Cohere, CountTokens, Body),
    post("/v1/detokenize", Cohere, CountTokens, Body),
    any("/v2/**", Cohere, Passthrough),
    // Ollama.
    post("/api/chat", Ollama, Chat, Body),
    post("/api/generate", Ollama, Chat, Body),
    post("/api/embed", Ollama, Embeddings, Body),
    post("/api/embeddings", Ollama, Embeddings, Body),
    get("/api/tags", Ollama, ListModels),
    get("/api/ps", Ollama, Models),
    post("/api/show", Ollama, Models, Body),
    any("/api/**", Ollama, Passthrough),
    // Anthropic.
    post("/v1/messages/count_tokens", Anthropic, CountTokens, Body),
    any("/v1/messages/batches/**", Anthropic, Batches),
    post("/v1/complete", Anthropic, Chat, Body),
    // OpenAI.
    post("/v1/responses/compact", OpenAi, Chat, Body),
    post("/v1/responses/input_tokens", OpenAi, CountTokens, Body),
    // Codex asks for a socket here.
    get("/v1/responses", OpenAi, Realtime),
    post("/v1/moderations", OpenAi, Moderations, Body),
    post("/v1/images/generations", OpenAi, Images, Body),
    post("/v1/images/edits", OpenAi, Images, Body),
    post("/v1/images/variations", OpenAi, Images, Body),
    post("/v1/audio/speech", OpenAi, Audio, Body),
    post("/v1/audio/transcriptions", OpenAi, Audio, Body),
    post("/v1/audio/translations", OpenAi, Audio, Body),
    post("/v1/rerank", OpenAi, Rerank, Body),
    row(Verb::Get, "/v1/realtime", OpenAi, Realtime, Query),
    // Over WebRTC, whose offer is asked for here.
    post("/v1/realtime", OpenAi, Realtime, Query),
    post("/v1/realtime/calls", OpenAi, Realtime, Query),
    any("/v1/files/**", OpenAi, Files),
    any("/v1/uploads/**", OpenAi, Files),
    any("/v1/batches/**", OpenAi, Batches),
    get("/v1/chat/completions", OpenAi, Passthrough),
    any("/v1/chat/completions/{}/**", OpenAi, Passthrough),
    any("/v1/responses/{}/**", OpenAi, Passthrough),
    any("/v1/models/{}/**", OpenAi, Passthrough),
    // Mistral.
    post("/v1/fim/completions", Mistral, Chat, Body),
    post("/v1/agents/completions", Mistral, Chat, Body),
    post("/v1/chat/moderations", Mistral, Moderations, Body),
    post("/v1/classifications", Mistral, Moderations, Body),
    post("/v1/chat/classifications", Mistral, Moderations, Body),
    // What else Gemini and Vertex have.
    get("/v1beta/models", Gemini, ListModels),
    get("/v1alpha/models", Gemini, ListModels),
    get("/v1beta/models/{}", Gemini, Models),
    get("/v1alpha/models/{}", Gemini, Models),
    any("/{v}/files/**", Gemini, Files),
    any("/upload/{v}/files/**", Gemini, Files),
    any("/{v}/batches/**", Gemini, Batches),
    any("/v1beta/**", Gemini, Passthrough),
    any("/v1alpha/**", Gemini, Passthrough),
    any("/v1beta1/**", Gemini, Passthrough),
    any("/upload/**", Gemini, Passthrough),
    any("/ws/**", Gemini, Realtime),
    any("/v1/projects/**", Gemini, Passthrough),
    // What else OpenAI has and will have.
    any("/v1/**", OpenAi, Passthrough),
];

/// What a provider is asked that no row tells of.
pub(super) static PASSTHROUGH: [Row; 8] = [
    any("/**", OpenAi, Passthrough),
    any("/**", Anthropic, Passthrough),
    any("/**", Gemini, Passthrough),
    any("/**", Bedrock, Passthrough),
    any("/**", Azure, Passthrough),
    any("/**", Cohere, Passthrough),
    any("/**", Ollama, Passthrough),
    any("/**", Mistral, Passthrough),
];
