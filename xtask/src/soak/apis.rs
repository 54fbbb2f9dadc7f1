//! Rows of what is passed on under the name of a provider: other APIs, uploads and downloads, and what is no call.

use super::{
    plan::Plan,
    rows::{Actix, Body, Client, Counted, Row, Sees},
    table::BASE,
};

/// Of an API that the example on actix-web has no route for.
const NAMED: Row = Row {
    actix: Actix::Not("it has no such route"),
    ..BASE
};

/// What is passed on, and is no call.
const PASSED: Row = Row {
    calls: &[],
    ..NAMED
};

/// More than the gateway would hold in memory.
const LONG: usize = 256 * 1024;

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "JSON, by the name of the provider",
        share: 6,
        path: "/openai/v1/chat/completions",
        body: Body::Completion("m", false),
        tokens: Plan::JSON_TOKENS,
        ..NAMED
    },
    Row {
        name: "stream of Gemini's",
        share: 6,
        path: "/gemini/v1beta/models/m:streamGenerateContent?alt=sse",
        body: Body::Object,
        plan: Plan::Gemini,
        calls: &[("gemini", "2xx", "none")],
        tokens: Plan::GEMINI_TOKENS,
        ..NAMED
    },
    Row {
        name: "stream of Bedrock's",
        share: 6,
        path: "/bedrock/model/m/converse-stream",
        body: Body::Object,
        plan: Plan::Converse,
        calls: &[("bedrock", "2xx", "none")],
        tokens: Plan::CONVERSE_TOKENS,
        ..NAMED
    },
    Row {
        name: "stream of Cohere's",
        share: 4,
        path: "/cohere/v2/chat",
        body: Body::Completion("m", true),
        plan: Plan::Cohere,
        calls: &[("cohere", "2xx", "none")],
        tokens: Plan::COHERE_TOKENS,
        ..NAMED
    },
    Row {
        name: "stream of Ollama's",
        share: 4,
        path: "/ollama/api/chat",
        body: Body::Completion("m", true),
        plan: Plan::Ollama,
        calls: &[("ollama", "2xx", "none")],
        tokens: Plan::OLLAMA_TOKENS,
        ..NAMED
    },
    Row {
        name: "client leaves in a stream of Gemini's",
        path: "/gemini/v1beta/models/m:streamGenerateContent?alt=sse",
        body: Body::Object,
        plan: Plan::Open,
        client: Client::LeavesInBody,
        sees: Sees::Left,
        counted: Counted::Cancelled("llm_chat", "2xx", "body"),
        calls: &[("gemini", "2xx", "cancelled")],
        ..NAMED
    },
    Row {
        name: "embeddings",
        share: 4,
        path: "/openai/v1/embeddings",
        body: Body::Completion("m", false),
        plan: Plan::Embeddings,
        counted: Counted::As("embeddings", "POST", "2xx"),
        tokens: Plan::EMBEDDINGS_TOKENS,
        ..NAMED
    },
    Row {
        name: "upload",
        share: 4,
        path: "/openai/v1/files",
        body: Body::Form(LONG),
        plan: Plan::File,
        counted: Counted::As("files", "POST", "2xx"),
        ..PASSED
    },
    Row {
        name: "half of an upload, and gone",
        path: "/openai/v1/files",
        body: Body::Form(LONG),
        client: Client::LeavesInRequest,
        sees: Sees::Left,
        counted: Counted::Cancelled("files", "error", "headers"),
        ..PASSED
    },
    Row {
        name: "download",
        share: 4,
        method: "GET",
        path: "/openai/v1/files/file-1/content",
        body: Body::None,
        plan: Plan::Download,
        counted: Counted::As("files", "GET", "2xx"),
        ..PASSED
    },
    Row {
        name: "client leaves in a download",
        method: "GET",
        path: "/openai/v1/files/file-1/content",
        body: Body::None,
        plan: Plan::Open,
        client: Client::LeavesInBody,
        sees: Sees::Left,
        counted: Counted::Cancelled("files", "2xx", "body"),
        ..PASSED
    },
    Row {
        name: "count of tokens",
        path: "/gemini/v1beta/models/m:countTokens",
        body: Body::Object,
        counted: Counted::As("count_tokens", "POST", "2xx"),
        ..PASSED
    },
    Row {
        name: "batch whose provider answers 500",
        method: "GET",
        path: "/openai/v1/batches/batch_1",
        body: Body::None,
        plan: Plan::Status(500),
        sees: Sees::Whole(500),
        counted: Counted::As("batches", "GET", "5xx"),
        ..PASSED
    },
    Row {
        name: "anything whose provider refuses connections",
        path: "/dead/v1/anything?at=all",
        body: Body::Object,
        sees: Sees::Whole(502),
        counted: Counted::As("passthrough", "POST", "5xx"),
        ..PASSED
    },
];
