//! What the simulator says, read by the meter: both know the same of it.

use axum::http::{HeaderMap, Method};
use brightstaff_metrics_core::meter::{End, Meter};
use serde_json::{Value, json};

use super::{Ask, answer};
use crate::sim::{
    behaviour::{Behaviour, Content, Fault},
    call::Usage,
    script::Script,
    serve::Provider,
};

/// Calls of every API: what is asked, and whether a stream comes.
const CALLS: [(Provider, &str, bool); 34] = [
    (Provider::OpenAi, "/v1/chat/completions", false),
    (Provider::OpenAi, "/v1/chat/completions", true),
    (Provider::OpenAi, "/v1/completions", false),
    (Provider::OpenAi, "/v1/completions", true),
    (Provider::OpenAi, "/v1/responses", false),
    (Provider::OpenAi, "/v1/responses", true),
    (Provider::OpenAi, "/v1/embeddings", false),
    (Provider::OpenAi, "/v1/images/generations", false),
    (Provider::OpenAi, "/v1/images/edits", true),
    (Provider::OpenAi, "/v1/audio/transcriptions", false),
    (Provider::OpenAi, "/v1/audio/transcriptions", true),
    (Provider::Anthropic, "/v1/messages", false),
    (Provider::Anthropic, "/v1/messages", true),
    (Provider::Gemini, "/v1beta/models/m:generateContent", false),
    (
        Provider::Gemini,
        "/v1beta/models/m:streamGenerateContent",
        true,
    ),
    (
        Provider::Gemini,
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        true,
    ),
    (Provider::Gemini, "/v1beta/models/m:embedContent", false),
    (
        Provider::Gemini,
        "/v1beta/models/m:batchEmbedContents",
        false,
    ),
    (Provider::Bedrock, "/model/m/converse", false),
    (Provider::Bedrock, "/model/m/converse-stream", true),
    (Provider::Bedrock, "/model/meta.llama/invoke", false),
    (
        Provider::Bedrock,
        "/model/meta.llama/invoke-with-response-stream",
        true,
    ),
    (Provider::Bedrock, "/model/amazon.titan-text/invoke", false),
    (
        Provider::Bedrock,
        "/model/amazon.titan-text/invoke-with-response-stream",
        true,
    ),
    (Provider::Bedrock, "/model/anthropic.claude/invoke", false),
    (
        Provider::Bedrock,
        "/model/anthropic.claude/invoke-with-response-stream",
        true,
    ),
    (
        Provider::Azure,
        "/openai/deployments/d/chat/completions",
        true,
    ),
    (Provider::Cohere, "/v2/chat", false),
    (Provider::Cohere, "/v2/chat", true),
    (Provider::Cohere, "/v1/chat", true),
    (Provider::Ollama, "/api/chat", false),
    (Provider::Ollama, "/api/chat", true),
    (Provider::Mistral, "/v1/chat/completions", true),
    (Provider::Mistral, "/v1/fim/completions", false),
];

fn ask(target: &str, body: &Value) -> Ask {
    let uri = target.parse().unwrap();
    let path = target.split('?').next().unwrap();
    let body = body.to_string();
    Ask::new(
        &Method::POST,
        path,
        &uri,
        &HeaderMap::new(),
        body.as_bytes(),
    )
}

fn played(provider: Provider, target: &str, streamed: bool, behaviour: &Behaviour) -> Script {
    let body = json!({"model": "m", "stream": streamed, "input": ["a", "b"],
        "stream_options": {"include_usage": true}});
    answer(provider, &ask(target, &body), behaviour)
}

/// What the meter reads of it.
fn read(script: &Script) -> Meter {
    let mut meter = Meter::new(Some(script.content_type), None);
    for frame in &script.frames {
        meter.push(&frame.bytes);
    }
    meter.finish();
    meter
}

/// What the simulator says that it reported.
fn told(script: &Script) -> Usage {
    let reports = script.frames.iter().filter_map(|frame| frame.usage);
    reports.fold(Usage::default(), Usage::replaced_by)
}

#[test]
fn the_meter_reads_what_is_told() {
    let behaviour = Behaviour {
        content: Content {
            prompt: 31,
            words: 7,
            ..Content::default()
        },
        ..Behaviour::default()
    };
    for (provider, target, streamed) in CALLS {
        let script = played(provider, target, streamed, &behaviour);
        let (meter, told) = (read(&script), told(&script));
        let facts = meter.facts();
        let at = format!("{provider:?} {target} {streamed}");
        assert_eq!((script.status, script.streamed), (200, streamed), "{at}");
        assert_eq!(facts.streaming, streamed, "{at}");
        assert_eq!(told.prompt, Some(31), "{at}");
        assert_eq!(facts.usage.prompt, told.prompt, "{at}");
        assert_eq!(facts.usage.completion, told.completion, "{at}");
        assert_eq!(facts.end(), End::Complete, "{at}");
        assert_eq!(facts.usage_missing(false), None, "{at}");
        assert_eq!(facts.first_token_event.is_some(), streamed, "{at}");
    }
}

#[test]
fn faults_are_faults_in_every_stream() {
    for (fault, end) in [
        (Fault::EarlyEnd(1), End::Truncated),
        (Fault::ErrorEvent(1), End::Error),
    ] {
        let behaviour = Behaviour {
            fault: Some(fault),
            ..Behaviour::default()
        };
        let streams = CALLS.into_iter().filter(|(_, _, streamed)| *streamed);
        for (provider, target, _) in streams {
            let script = played(provider, target, true, &behaviour);
            let meter = read(&script);
            assert_eq!(meter.facts().end(), end, "{provider:?} {target} {fault:?}");
        }
    }
}

/// Without being asked OpenAI says nothing of usage; asked, it is null but in a chunk of its own, the last.
#[test]
fn usage_is_streamed_where_it_is_asked_for() {
    for path in ["/v1/chat/completions", "/v1/completions"] {
        for asked in [false, true] {
            let options = json!({"include_usage": asked});
            let body = json!({"model": "m", "stream": true, "stream_options": options});
            let script = answer(Provider::OpenAi, &ask(path, &body), &Behaviour::default());
            let chunks: Vec<Value> = script
                .frames
                .iter()
                .filter_map(|frame| {
                    serde_json::from_slice(frame.bytes.strip_prefix(b"data: ")?).ok()
                })
                .collect();
            let (last, others) = chunks.split_last().unwrap();
            let usages = others.iter().map(|chunk| chunk.get("usage"));
            if asked {
                assert_eq!(
                    (&last["choices"], &last["usage"]["total_tokens"]),
                    (&json!([]), &json!(37))
                );
                usages.for_each(|usage| assert_eq!(usage, Some(&Value::Null)));
            } else {
                assert_eq!(last.get("usage"), None);
                usages.for_each(|usage| assert_eq!(usage, None));
            }
        }
    }
}

#[test]
fn what_an_api_does_not_have_is_not_found() {
    for provider in Provider::ALL {
        let script = answer(
            provider,
            &ask("/v1/nothing", &json!({})),
            &Behaviour::default(),
        );
        assert_eq!(script.status, 404, "{provider:?}");
    }
}
