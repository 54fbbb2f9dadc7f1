//! Embeddings: [OpenAI's](https://platform.openai.com/docs/api-reference/embeddings) and those who copied it
//! (Mistral, Voyage, Jina, vLLM: `total_tokens` alone is the input),
//! [Cohere's](https://docs.cohere.com/reference/embed),
//! [Gemini's](https://ai.google.dev/api/embeddings),
//! [Ollama's](https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings). None has output.

use crate::labels::Operation;
use crate::meter::apis::Api;
use crate::meter::paths::{Role, What, at};
use crate::meter::seen::Seen;
use crate::meter::spec::{Owes, Speaks, Spec};
use crate::meter::usage::{self, Place, Slot};

const EMBEDDINGS: Spec = Spec {
    speaks: super::by_signs,
    usage: usage::input_only,
    owes: Owes::Prompt,
    operation: Some(Operation::Embeddings),
    ..Spec::DEFAULT
};

pub(super) const OPENAI: Spec = Spec {
    name: "openai-embeddings",
    paths: &[
        at("data.embedding", What::Sign),
        at("usage", What::Role(Role::Usage(Place::Top))),
    ],
    speaks: |said| match super::by_signs(said) {
        Speaks::No if said.event.object() == b"list" && said.seen(Seen::USAGE) => Speaks::Maybe,
        speaks => speaks,
    },
    ..EMBEDDINGS
};

pub(super) const COHERE: Spec = Spec {
    name: "cohere-embed",
    paths: &[
        at("embeddings", What::Sign),
        at("meta", What::Like("$meta")),
    ],
    speaks: |said| {
        let chat = said.event.signs_of(Api::CohereChat);
        Speaks::from(chat && super::by_signs(said) == Speaks::Yes)
    },
    ..EMBEDDINGS
};

pub(super) const GEMINI: Spec = Spec {
    name: "gemini-embed",
    paths: &[
        at("embedding.values", What::Sign),
        at("embeddings.values", What::Sign),
        at("usageMetadata", What::Role(Role::Metadata)),
    ],
    ..EMBEDDINGS
};

pub(super) const OLLAMA: Spec = Spec {
    name: "ollama-embed",
    paths: &[
        at("embedding", What::Sign),
        at("embeddings", What::Sign),
        at(
            "prompt_eval_count",
            What::Role(Role::Count(Slot::Prompt, 0)),
        ),
    ],
    ..EMBEDDINGS
};
