//! The `gen_ai` view, as its tables in core have it.

use std::fmt::Write as _;

use brightstaff_metrics_core::reference::{self, GenAiInstrument};

const HEAD: &str = "
## The `gen_ai` view

With `Metrics::builder().gen_ai_view(true)`, [`otlp::Encoder::gen_ai`](https://docs.rs/brightstaff-metrics-core) pushes a second
scope beside `brightstaff`: `gen_ai`, with the instruments of OpenTelemetry's conventions for generative AI, pinned by the URL
of their schema. It is off unless asked for; `latest` and `1.41` choose the conventions. Nothing of it is scraped.

`1.41` is the last release of the semantic conventions that those for generative AI were part of. `latest` is their own
repository, semantic-conventions-genai, as of September 2026, when it replaced `gen_ai.client.token.usage`. In October it
renamed `gen_ai.client.operation.duration`, `.time_to_first_chunk` and `.time_per_output_chunk` of inference to
`gen_ai.client.inference...`, and of embeddings to `gen_ai.client.embeddings...` (its release 0.1): here they have the older names.

Every point has `gen_ai.operation.name` and `gen_ai.provider.name`, and `gen_ai.request.model` where a model is known: the
one that was asked for or, of implicit calls, the one that the response names (`other` is the rest of a provider, as in
`model`). Attributes that are not told: `gen_ai.response.model`, `server.address`, `server.port`, `openai.*`.
";

const NOTES: &str = "
What `llm_...` says of an instrument is defined there, from which instant to which; the view counts the same calls
once more, by operation and by error. So its sums of tokens, its durations and its numbers of calls are those of the
own families, but for calls that ask no model (lists of models, counts of tokens, moderations), of which it says nothing.

- **Buckets.** There is no second set: samples are counted in native cells (schema 3), which the explicit buckets are summed
  of. Each bound stands for the edge of a cell that is nearest to it, so that what counts as up to a bound of seconds is
  what was up to 4.4 % less or more; bounds of tokens are edges, and exact. With
  `HistogramAggregation::Base2Exponential` the cells are pushed as they are. Sums are exact in either case.
- **Tokens that nobody told** count 0 in `usage` and in `operation`, as the conventions want it, so that
  the `operation` histograms have a sample for each call; in `gen_ai.client.token.usage` of 1.41 they have none. Embeddings
  and rerankings have no output, and tell nothing of it. The details are never divided by modality.
- **`gen_ai.token.modality`** is `audio` or `image` as far as the provider counts such tokens, and `unknown` for the rest:
  no provider's count of text is kept.
- **A chunk** is a piece of the body as it arrives: mostly an event of the stream, but two that come together are one. What
  is told by hand has none. The first comes with the first byte, whatever is in it.
- **`gen_ai.server.*`** are what a model server would measure, seen from the gateway: the network, and a
  client that reads slowly, are in them. `time_to_first_token` and `time_per_output_token` are those of calls that
  ended well; `request.duration` has the samples of `client.operation.duration`.
- **Exemplars** are of sampled traces: the latest of each two octaves of durations and of all times but that per chunk.
- A registry that gives its series labels, or their names a prefix, has the say over the own families, and there is no view.
";

pub(super) fn section(out: &mut String) {
    out.push_str(HEAD);
    let versions = GenAiInstrument::versions();
    for (name, schema, _) in &versions {
        let _ = writeln!(out, "\nSchema of `{name}`: `{schema}`.");
    }
    out.push_str(
        "\n| instrument | in | kind, unit | its own attribute | one sample is | upper bounds |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let mut told = Vec::new();
    let all = versions.iter().flat_map(|(.., instruments)| instruments);
    for instrument in all {
        let (name, ..) = instrument.said();
        if told.contains(&name) {
            continue;
        }
        told.push(name);
        let within = versions.iter().filter(|(.., instruments)| {
            let mut names = instruments.iter().map(|instrument| instrument.said().0);
            names.any(|known| known == name)
        });
        let within: Vec<_> = within.map(|(version, ..)| format!("`{version}`")).collect();
        row(out, instrument, &within.join(", "));
    }
    out.push_str(NOTES);
    operations(out);
    errors(out);
    providers(out);
}

fn row(out: &mut String, instrument: &GenAiInstrument, within: &str) {
    let (name, kind, unit, attribute, bounds) = instrument.said();
    let attribute = attribute.map_or_else(String::new, |name| format!("`{name}`"));
    let bounds: Vec<_> = bounds.iter().map(f64::to_string).collect();
    let _ = writeln!(
        out,
        "| `{name}` | {within} | {kind}, `{unit}` | {attribute} | {} | {} |",
        instrument.is(),
        bounds.join(" ")
    );
}

fn operations(out: &mut String) {
    out.push_str(
        "\n`gen_ai.operation.name` is told by the response, whose API shows what was asked; where it shows none, by who calls\n\
         (`UpstreamCall::operation`; the gateway and the layers know their endpoints), and else it is `chat`.\n\n\
         | `gen_ai.operation.name` | meaning |\n| --- | --- |\n",
    );
    let (_, values, meanings) = reference::OPERATIONS;
    for (value, meaning) in values.iter().zip(meanings) {
        let _ = writeln!(out, "| `{value}` | {meaning} |");
    }
}

fn errors(out: &mut String) {
    let values = reference::error_types();
    let (statuses, words): (Vec<_>, Vec<_>) =
        values.partition(|value| value.parse::<u16>().is_ok());
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    let _ = writeln!(
        out,
        "\n`error.type` is there where a call did not end well. A status that is no 2xx stands for itself: {}; any other is\n\
         `_OTHER`. Else it is the `error_class`, but for `other`, which is `_OTHER`: {}.",
        statuses.join(" "),
        words.join(", ")
    );
}

fn providers(out: &mut String) {
    out.push_str(
        "\n`gen_ai.provider.name` is the well-known name, where `provider` is one of its spellings, whatever the case and with or\n\
         without `-`, `_`, `.` and spaces; any other is told as it is. What two spellings of one name count is told together.\n\n\
         | `gen_ai.provider.name` | `provider` |\n| --- | --- |\n",
    );
    for (name, spellings) in reference::PROVIDERS {
        let own: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let all = [&*own].into_iter().chain(spellings.iter().copied());
        let all: Vec<_> = all.map(|spelling| format!("`{spelling}`")).collect();
        let _ = writeln!(out, "| `{name}` | {} |", all.join(", "));
    }
}
