//! The example gateway asks for the usage of streams, and changes no other request.

use serde_json::{Value, json};

use super::with_usage;

const CHAT: &str = "/v1/chat/completions";

#[test]
fn streams_are_asked_for_their_usage() {
    let usage = json!({"include_usage": true});
    for (options, asked) in [
        (Value::Null, usage.clone()),
        (json!({}), usage.clone()),
        (json!({"a": 1}), json!({"a": 1, "include_usage": true})),
    ] {
        let request = json!({"model": "m", "stream": true, "stream_options": options});
        let (model, body) = with_usage(CHAT, request.to_string().into());
        assert_eq!(model, "m");
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({"model": "m", "stream": true, "stream_options": asked});
        assert_eq!(sent, expected);
    }
}

#[test]
fn what_is_no_stream_or_says_what_it_wants_is_left_alone() {
    for (path, request, model) in [
        (CHAT, r#"{ "model": "m" }"#, "m"),
        (CHAT, r#"{ "model": "m", "stream": false }"#, "m"),
        (
            CHAT,
            r#"{ "model": "m", "stream": true, "stream_options": { "include_usage": false } }"#,
            "m",
        ),
        ("/v1/responses", r#"{ "model": "m", "stream": true }"#, "m"),
        (CHAT, "no JSON", "unknown"),
        (CHAT, "[true]", "unknown"),
    ] {
        let sent = with_usage(path, request.into());
        assert_eq!(sent, (model.to_owned(), request.into()));
    }
}
