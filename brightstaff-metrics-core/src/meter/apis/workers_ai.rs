//! Cloudflare [Workers AI](https://developers.cloudflare.com/workers-ai/), natively: `response`, wrapped in
//! `result` where it does not stream. A stream ends at `[DONE]`.

use crate::meter::calls::Calls;
use crate::meter::paths::{Role, What, at};
use crate::meter::seen::Seen;
use crate::meter::spec::{Speaks, Spec, Verdict};
use crate::meter::usage::Place;

pub(super) const SPEC: Spec = Spec {
    name: "workers-ai",
    paths: &[
        at("response", What::Output),
        at("result.response", What::Sign),
        at("result.usage", What::Role(Role::Usage(Place::Top))),
        at("result.tool_calls", What::Like("$tool_calls")),
        at("result.tool_calls", What::Role(Role::Call)),
        at("tool_calls", What::Like("$tool_calls")),
        at("$tool_calls.name", What::Output),
        at("usage", What::Role(Role::Usage(Place::Top))),
    ],
    speaks: |said| match super::by_signs(said) {
        // A text, and no word of who speaks.
        Speaks::No if said.output() && said.kind().is_empty() => Speaks::Yes,
        speaks => speaks,
    },
    // A stream may have them whole or in parts, and does not tell which.
    calls: |said| match super::by_signs(said) {
        Speaks::No => Calls::Unknown,
        _ => Calls::More(said.calls()),
    },
    judge: |said| {
        let verdict = Verdict::ending(said, false);
        Verdict {
            error: verdict.error || said.seen(Seen::NO_SUCCESS),
            ..verdict
        }
    },
    ..Spec::DEFAULT
};
