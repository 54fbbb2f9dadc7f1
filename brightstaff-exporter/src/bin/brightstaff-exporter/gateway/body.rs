//! The JSON of a request: what decides where it goes, and the few bytes that change on the way.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    budget::{Budget, Buffer},
    error::Refusal,
    fields::Fields,
};

/// The longest name of a model, in bytes: it is copied, which the budget of the bodies does not know.
const MAX_MODEL: usize = 4096;

/// A request body, read to its end.
#[derive(Clone, Debug)]
pub(super) struct ModelRequest {
    /// What its copies are taken from.
    budget: Arc<Budget>,
    /// The text, or what passes in its place.
    bytes: Bytes,
    /// The body as it came, where that is not the text: what passes where nothing of the text changes.
    encoded: Option<Bytes>,
    /// Absent or `null` is empty.
    model: String,
    /// Where the value of `model` stands.
    model_span: Option<Range<usize>>,
    /// The edit that asks for usage, where the client left that open on a stream.
    ask_usage: Option<Edit>,
    pub(super) usage: UsageChoice,
}

/// What the client chose of the usage of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UsageChoice {
    /// Nothing: it wants no stream.
    NoStream,
    Open,
    Wanted,
    Declined,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Edit {
    span: Range<usize>,
    text: String,
}

impl ModelRequest {
    pub(super) fn parse(bytes: Bytes, budget: &Arc<Budget>) -> Result<Self, Refusal> {
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
            Some(raw) if raw.len() > MAX_MODEL => {
                let fault = format!("the name of the model is longer than {MAX_MODEL} bytes");
                return Err(Refusal::model(fault));
            }
            Some(raw) => serde_json::from_str(raw).map_err(|_| {
                Refusal::request("invalid_type", "`model` must be a string").with_param("model")
            })?,
        };
        let streamed = fields.stream.is_some_and(|raw| raw.get() == "true");
        let (usage, ask_usage) = if streamed {
            ask_usage(open, fields.stream_options, place)
        } else {
            (UsageChoice::NoStream, None)
        };
        Ok(Self {
            budget: Arc::clone(budget),
            bytes,
            encoded: None,
            model,
            model_span,
            ask_usage,
            usage,
        })
    }

    /// One whose text came in this.
    pub(super) fn with_encoded(self, encoded: Option<Bytes>) -> Self {
        Self { encoded, ..self }
    }

    /// The model that the client named; empty where it named none.
    pub(super) fn model(&self) -> &str {
        &self.model
    }

    /// The body for a destination: with this model in place of the client's, and with usage asked
    /// for. Every other byte stays as it is.
    pub(super) fn for_destination(
        &self,
        model: Option<&str>,
        ask_usage: bool,
    ) -> Result<Bytes, Refusal> {
        let rename = self.rename(model).map(|(model, span)| Edit {
            span,
            text: serde_json::Value::from(model).to_string(),
        });
        let ask_usage = self.ask_usage.clone().filter(|_| ask_usage);
        let mut edits: Vec<Edit> = rename.into_iter().chain(ask_usage).collect();
        if edits.is_empty() {
            return Ok(self.bytes.clone());
        }
        edits.sort_by_key(|edit| edit.span.start);
        let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
        let removed: usize = edits.iter().map(|edit| edit.span.len()).sum();
        let len = self.bytes.len() + added - removed;
        let mut out = Buffer::new(&self.budget);
        out.grow(len)?;
        let mut done = 0;
        for edit in edits {
            out.push(&self.bytes[done..edit.span.start], len)?;
            out.push(edit.text.as_bytes(), len)?;
            done = edit.span.end;
        }
        out.push(&self.bytes[done..], len)?;
        Ok(out.freeze())
    }

    fn rename<'a>(&self, model: Option<&'a str>) -> Option<(&'a str, Range<usize>)> {
        let renamed = model.filter(|model| *model != self.model);
        renamed.zip(self.model_span.clone())
    }

    /// Whether the text changes on its way to this destination.
    pub(super) fn changes(&self, model: Option<&str>, ask_usage: bool) -> bool {
        self.rename(model).is_some() || ask_usage && self.ask_usage.is_some()
    }

    /// Whether the text is held beside the body as it came.
    pub(super) fn is_encoded(&self) -> bool {
        self.encoded.is_some()
    }

    /// Lets go of the body as it came.
    pub(super) fn keep_text(&mut self) {
        self.encoded = None;
    }

    /// Becomes the body as it came, of which nothing changes any more.
    pub(super) fn keep_encoded(&mut self) {
        if let Some(encoded) = self.encoded.take() {
            self.bytes = encoded;
            (self.model_span, self.ask_usage) = (None, None);
        }
    }

    /// Becomes what this destination gets, where no other will be asked: the client's bytes need not be
    /// held beside it then.
    pub(super) fn settle(&mut self, model: Option<&str>, ask_usage: bool) -> Result<(), Refusal> {
        self.bytes = self.for_destination(model, ask_usage)?;
        if let Some(model) = model {
            model.clone_into(&mut self.model);
        }
        (self.model_span, self.ask_usage) = (None, None);
        Ok(())
    }
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
) -> (UsageChoice, Option<Edit>) {
    let edit = |span, text: &str| {
        let text = text.to_owned();
        (UsageChoice::Open, Some(Edit { span, text }))
    };
    let Some(options) = options else {
        let text = r#""stream_options":{"include_usage":true},"#;
        return edit(open + 1..open + 1, text);
    };
    let span = place(options);
    if options.get() == "null" {
        return edit(span, r#"{"include_usage":true}"#);
    }
    let object = object_start(options.get().as_bytes());
    let chosen = object.and_then(|_| serde_json::from_str(options.get()).ok());
    match chosen.map(|StreamOptions { include_usage }| include_usage.map(RawValue::get)) {
        Some(None) => {
            let empty = options.get()[1..].trim_start().starts_with('}');
            let comma = if empty { "" } else { "," };
            let text = format!(r#""include_usage":true{comma}"#);
            edit(span.start + 1..span.start + 1, &text)
        }
        Some(Some("true")) => (UsageChoice::Wanted, None),
        // What is no object is the provider's to refuse.
        Some(Some(_)) | None => (UsageChoice::Declined, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> ModelRequest {
        let bytes = Bytes::from_static(text.as_bytes());
        ModelRequest::parse(bytes, &Budget::new(1000)).unwrap()
    }

    #[track_caller]
    fn edited(text: &'static str, model: Option<&str>, expected: &str) {
        let mut request = parse(text);
        let body = request.for_destination(model, true).unwrap();
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
        serde_json::from_slice::<serde_json::Value>(&body).unwrap();
        request.settle(model, true).unwrap();
        assert_eq!(request.for_destination(model, true).unwrap(), expected);
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
        let body = parse(text).for_destination(None, false).unwrap();
        assert_eq!(body, text);
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
            let parsed = ModelRequest::parse(Bytes::from(text), &Budget::new(0));
            assert!(parsed.is_err(), "{text}");
        }
        assert_eq!(parse("{}").model(), "");
    }

    #[test]
    fn copies_are_of_the_budget() {
        let text = r#"{"model":"p/m"}"#;
        let parse = |budget: &Arc<Budget>| ModelRequest::parse(text.into(), budget).unwrap();
        let mut request = parse(&Budget::new(text.len() - 3));
        assert!(request.for_destination(Some("m"), true).is_err());
        assert!(request.settle(Some("m"), true).is_err());
        assert_eq!(request.for_destination(None, true).unwrap(), text);
        let budget = Budget::new(text.len() - 2);
        parse(&budget).settle(Some("m"), true).unwrap();
        let mut request = parse(&budget);
        request.settle(Some("m"), true).unwrap();
        assert!(!budget.has_room(1));
    }

    #[test]
    fn the_name_of_a_model_is_bounded() {
        let named = |count: usize| {
            let text = format!("{{\"model\":\"{}\"}}", "x".repeat(count));
            ModelRequest::parse(text.into(), &Budget::new(0))
        };
        assert!(named(MAX_MODEL - 2).is_ok());
        assert!(named(MAX_MODEL - 1).unwrap_err().is_unknown_model());
    }
}
