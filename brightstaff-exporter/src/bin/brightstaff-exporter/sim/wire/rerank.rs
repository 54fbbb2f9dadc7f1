//! Reranking, which has no output.

use serde_json::{Value, json};

use super::{Ask, input_only};
use crate::sim::{behaviour::Behaviour, script::Script};

/// As Jina and those answer who copied it.
pub(super) fn jina(ask: &Ask, behaviour: &Behaviour) -> Script {
    let document = json!({"id": "rerank-simulated", "model": ask.model(), "results": results(ask),
        "usage": {"total_tokens": behaviour.content.prompt}});
    Script::whole(
        &document,
        Some(input_only(behaviour.content)),
        behaviour.fault,
    )
}

/// As Cohere answers, in searches.
pub(super) fn cohere(ask: &Ask, behaviour: &Behaviour) -> Script {
    let document = json!({"id": "rerank-simulated", "results": results(ask),
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}});
    Script::whole(&document, None, behaviour.fault)
}

fn results(ask: &Ask) -> Vec<Value> {
    let documents = super::inputs(&ask.body["documents"]);
    let result = |index| json!({"index": index, "relevance_score": 0.5});
    (0..documents).map(result).collect()
}
