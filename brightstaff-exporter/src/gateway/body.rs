//! The JSON of a request: what decides where it goes, and the few bytes that change on the way.

use std::{ops::Range, time::Duration};

use axum::{body::Body, http::StatusCode};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{error::Refusal, fields::Fields};

/// A request body, read to its end.
#[derive(Clone, Debug)]
pub(super) struct ModelRequest {
    bytes: Bytes,
    /// Absent or `null` is empty.
    model: String,
    /// Where the value of `model` stands.
    model_span: Option<Range<usize>>,
    /// The edit that asks for usage, where the client left that open on a stream.
    ask_usage: Option<Edit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    span: Range<usize>,
    text: String,
}

impl ModelRequest {
    /// Reads a body of up to `limit` bytes.
    pub(super) async fn read(mut body: Body, limit: usize) -> Result<Self, Refusal> {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                let message = "the request body did not arrive whole";
                return Err(Refusal::request("incomplete_body", message));
            };
            let Some(data) = frame.data_ref() else {
                continue;
            };
            if data.len() > limit - bytes.len() {
                drop(bytes);
                discard(body).await;
                let message = format!("the request body is longer than {limit} bytes");
                return Err(Refusal::request("request_too_large", message)
                    .with_status(StatusCode::PAYLOAD_TOO_LARGE));
            }
            bytes.extend_from_slice(data);
        }
        Self::parse(bytes.freeze())
    }

    fn parse(bytes: Bytes) -> Result<Self, Refusal> {
        let invalid = |why: String| {
            let message = format!("the request body is not a JSON object: {why}");
            Refusal::request("invalid_json", message)
        };
        // The fields' type would also take an array of their values.
        let Some(open) = object_start(&bytes) else {
            return Err(invalid("it does not start with {".to_owned()));
        };
        let fields: Fields<'_> =
            serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
        if let Some(name) = fields.misspelt {
            let fault = format!(
                "a field is named like `{name}` but for the case of its letters, and some servers \
                 would take it for that: rename or remove it"
            );
            return Err(Refusal::request("ambiguous_field", fault).with_param(name));
        }
        let place = |raw: &RawValue| span_in(&bytes, raw.get());
        let model_span = fields.model.map(place);
        let model = match fields.model.map(RawValue::get) {
            None | Some("null") => String::new(),
            Some(raw) => serde_json::from_str(raw).map_err(|_| {
                Refusal::request("invalid_type", "`model` must be a string").with_param("model")
            })?,
        };
        let streamed = fields.stream.is_some_and(|raw| raw.get() == "true");
        let ask_usage = if streamed {
            ask_usage(open, fields.stream_options, place)
        } else {
            None
        };
        Ok(Self {
            model,
            model_span,
            ask_usage,
            bytes,
        })
    }

    /// The model that the client named; empty where it named none.
    pub(super) fn model(&self) -> &str {
        &self.model
    }

    /// The body for a destination: with this model in place of the client's, and with usage asked
    /// for. Every other byte stays as it is.
    pub(super) fn for_destination(&self, model: Option<&str>, ask_usage: bool) -> Bytes {
        let renamed = model.filter(|model| *model != self.model);
        let rename = renamed
            .zip(self.model_span.clone())
            .map(|(model, span)| Edit {
                span,
                text: serde_json::Value::from(model).to_string(),
            });
        let ask_usage = self.ask_usage.clone().filter(|_| ask_usage);
        let mut edits: Vec<Edit> = rename.into_iter().chain(ask_usage).collect();
        if edits.is_empty() {
            return self.bytes.clone();
        }
        edits.sort_by_key(|edit| edit.span.start);
        let mut out = Vec::with_capacity(self.bytes.len() + 64);
        let mut done = 0;
        for edit in edits {
            out.extend_from_slice(&self.bytes[done..edit.span.start]);
            out.extend_from_slice(edit.text.as_bytes());
            done = edit.span.end;
        }
        out.extend_from_slice(&self.bytes[done..]);
        out.into()
    }
}

/// Takes the rest without keeping it, for a while: most clients read no answer before they have sent
/// everything, and would only see the connection break.
pub(super) async fn discard(mut body: Body) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(Duration::from_secs(5), rest).await;
}

#[derive(Deserialize)]
struct StreamOptions<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    include_usage: Option<&'a RawValue>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// Where `{` stands, if that is how the text starts.
fn object_start(bytes: &[u8]) -> Option<usize> {
    let first = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    (bytes[first] == b'{').then_some(first)
}

/// Where a part that was borrowed from `bytes` stands in it.
fn span_in(bytes: &[u8], part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - bytes.as_ptr() as usize;
    start..start + part.len()
}

fn ask_usage(
    open: usize,
    options: Option<&RawValue>,
    place: impl Fn(&RawValue) -> Range<usize>,
) -> Option<Edit> {
    let Some(options) = options else {
        let text = r#""stream_options":{"include_usage":true},"#.to_owned();
        return Some(Edit {
            span: open + 1..open + 1,
            text,
        });
    };
    let span = place(options);
    if options.get() == "null" {
        let text = r#"{"include_usage":true}"#.to_owned();
        return Some(Edit { span, text });
    }
    object_start(options.get().as_bytes())?;
    let chosen: StreamOptions<'_> = serde_json::from_str(options.get()).ok()?;
    if chosen.include_usage.is_some() {
        return None;
    }
    let empty = options.get()[1..].trim_start().starts_with('}');
    let text = r#""include_usage":true"#.to_owned() + if empty { "" } else { "," };
    Some(Edit {
        span: span.start + 1..span.start + 1,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> ModelRequest {
        ModelRequest::parse(Bytes::from_static(text.as_bytes())).unwrap()
    }

    #[track_caller]
    fn edited(text: &'static str, model: Option<&str>, expected: &str) {
        let body = parse(text).for_destination(model, true);
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
        serde_json::from_slice::<serde_json::Value>(&body).unwrap();
    }

    #[test]
    fn renames_the_model_and_nothing_else() {
        edited(
            "{ \"messages\" : [1.50, {\"model\":\"x\"}],\"model\" : \"openai/gpt-4o\"\t}",
            Some("gpt-4o"),
            "{ \"messages\" : [1.50, {\"model\":\"x\"}],\"model\" : \"gpt-4o\"\t}",
        );
        edited(
            r#"{"mod\u0065l":"a\/b"}"#,
            Some("b\"c"),
            r#"{"mod\u0065l":"b\"c"}"#,
        );
        edited(r#"{"model":"a"}"#, Some("a"), r#"{"model":"a"}"#);
        edited(r#"{"model":null}"#, Some("a"), r#"{"model":"a"}"#);
    }

    #[test]
    fn asks_for_usage_where_the_client_left_it_open() {
        for (text, expected) in [
            (
                r#"{"stream":true,"model":"p/m"}"#,
                r#"{"stream_options":{"include_usage":true},"stream":true,"model":"m"}"#,
            ),
            (
                r#" {"model":"p/m","stream_options":null,"stream":true}"#,
                r#" {"model":"m","stream_options":{"include_usage":true},"stream":true}"#,
            ),
            (
                r#"{"stream_options":{ },"stream":true,"model":"p/m"}"#,
                r#"{"stream_options":{"include_usage":true },"stream":true,"model":"m"}"#,
            ),
            (
                r#"{"stream_options":{"other":1},"stream":true,"model":"p/m"}"#,
                r#"{"stream_options":{"include_usage":true,"other":1},"stream":true,"model":"m"}"#,
            ),
        ] {
            edited(text, Some("m"), expected);
        }
    }

    #[test]
    fn leaves_the_clients_choice_alone() {
        for text in [
            r#"{"stream_options":{"include_usage":false},"stream":true,"model":"m"}"#,
            r#"{"stream_options":{"include_usage":null},"stream":true,"model":"m"}"#,
            r#"{"stream_options":7,"stream":true,"model":"m"}"#,
            r#"{"stream":false,"model":"m"}"#,
            r#"{"stream":null,"model":"m"}"#,
            r#"{"model":"m"}"#,
        ] {
            edited(text, None, text);
        }
        let text = r#"{"stream":true,"model":"m"}"#;
        assert_eq!(parse(text).for_destination(None, false), text);
    }

    #[test]
    fn refuses_what_is_no_object() {
        for text in [
            "",
            "[\"m\"]",
            "null",
            "{\"model\":\"m\"",
            "{\"model\":7}",
            "{} {}",
            r#"{"model":"a","model":"b"}"#,
            r#"{"model":"a","mod\u0065l":"b"}"#,
            r#"{"stream":true,"stream":false}"#,
        ] {
            assert!(ModelRequest::parse(Bytes::from(text)).is_err(), "{text}");
        }
        assert_eq!(parse("{}").model(), "");
    }
}
