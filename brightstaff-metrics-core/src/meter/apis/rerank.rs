//! Reranking: [Cohere](https://docs.cohere.com/reference/rerank),
//! [Voyage](https://docs.voyageai.com/reference/reranker-api), [Jina](https://jina.ai/reranker/),
//! [vLLM](https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html),
//! [Bedrock](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html). There is
//! no output, and many bill by search: usage is welcome, and not owed.

use crate::labels::Operation;
use crate::meter::paths::{Role, What, at};
use crate::meter::spec::{Owes, Spec};
use crate::meter::usage::{self, Place};

pub(super) const SPEC: Spec = Spec {
    name: "rerank",
    paths: &[
        at("results.relevance_score", What::Sign),
        at("results.relevanceScore", What::Sign),
        at("data.relevance_score", What::Sign),
        at("data.score", What::Sign),
        at("usage", What::Role(Role::Usage(Place::Top))),
        at("meta", What::Like("$meta")),
    ],
    speaks: super::by_signs,
    usage: usage::input_only,
    owes: Owes::Nothing,
    operation: Some(Operation::Rerank),
    ..Spec::DEFAULT
};
