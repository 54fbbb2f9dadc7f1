use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use brightstaff_metrics_core::{EndListener, EndedCall, EndedRequest, labels::ErrorClass};

use super::{
    Format, QUEUE,
    fields::{Fields, bounded},
};

/// The longest path and the longest name of a model, in bytes: what is cut off ends in `...`.
const MAX_TEXT_BYTES: usize = 256;

/// The longest id of an upstream, in bytes. A longer one is none.
const MAX_ID_BYTES: usize = 128;

/// Where upstreams tell what they call a request: the first that is there counts.
const UPSTREAM_IDS: [&str; 5] = [
    // Anthropic's.
    "request-id",
    "x-request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "mistral-correlation-id",
];

/// The line of one request, which hears of its end and of those of its calls.
#[derive(Debug)]
pub(crate) struct Line {
    format: Format,
    /// Its id and its path; a request whose head cannot be read has none.
    asked: Option<(Box<str>, Box<str>)>,
    known: Mutex<Known>,
}

/// What comes to be known on the way.
#[derive(Debug, Default)]
struct Known {
    requested_model: Option<Box<str>>,
    attempts: u32,
    last: Option<Call>,
    upstream_id: Option<Box<str>>,
    refusal: Option<&'static str>,
}

/// The last call that ended.
#[derive(Debug)]
struct Call {
    provider: Box<str>,
    model: Box<str>,
    error_class: ErrorClass,
    time_to_first_byte: Option<Duration>,
    time_to_first_token: Option<Duration>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

impl Line {
    /// Of the path, and nothing of the query, where some APIs take keys.
    pub(super) fn new(format: Format, asked: Option<(&str, &str)>) -> Self {
        Self {
            format,
            asked: asked.map(|(id, path)| (id.into(), bounded(path, MAX_TEXT_BYTES).into())),
            known: Mutex::default(),
        }
    }

    /// The model as the client calls it, an alias perhaps.
    pub(crate) fn asks_for(&self, model: &str) {
        let model = (!model.is_empty()).then(|| bounded(model, MAX_TEXT_BYTES).into());
        self.known().requested_model = model;
    }

    /// An upstream's response has these headers.
    pub(crate) fn answered<'a>(&self, header: impl Fn(&str) -> Option<&'a [u8]>) {
        let fits = |id: &&[u8]| {
            (1..=MAX_ID_BYTES).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
        };
        let mut ids = UPSTREAM_IDS.into_iter().filter_map(header);
        let id = ids.find(fits).and_then(|id| str::from_utf8(id).ok());
        self.known().upstream_id = id.map(Into::into);
    }

    /// The gateway answers itself, for this reason.
    pub(crate) fn refused(&self, code: &'static str) {
        self.known().refusal = Some(code);
    }

    /// Nothing is done under the lock that could leave half of it behind.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, request: &EndedRequest<'_>) -> String {
        let known = self.known();
        let call = known.last.as_ref();
        let (id, path) = self
            .asked
            .as_ref()
            .map(|(id, path)| (&**id, &**path))
            .unzip();
        let mut fields = Fields::new(self.format);
        fields.now("ts");
        fields.text("request_id", id);
        fields.text("method", Some(request.method.as_str()));
        fields.text("path", path);
        fields.text("handler", Some(request.handler));
        fields.text("provider", call.map(|call| &*call.provider));
        fields.text("model", call.map(|call| &*call.model));
        fields.text("requested_model", known.requested_model.as_deref());
        fields.number("status", request.status.map(u64::from));
        fields.text("end", Some(request.end.as_str()));
        fields.text("refusal", known.refusal);
        fields.text("error_class", call.map(|call| call.error_class.as_str()));
        fields.number("attempts", Some(known.attempts.into()));
        fields.milliseconds("duration_ms", Some(request.duration));
        fields.milliseconds("headers_ms", request.time_to_headers);
        fields.milliseconds("ttfb_ms", call.and_then(|call| call.time_to_first_byte));
        fields.milliseconds("ttft_ms", call.and_then(|call| call.time_to_first_token));
        fields.number("prompt_tokens", call.and_then(|call| call.prompt_tokens));
        fields.number(
            "completion_tokens",
            call.and_then(|call| call.completion_tokens),
        );
        fields.number("bytes", Some(request.bytes));
        fields.text("upstream_request_id", known.upstream_id.as_deref());
        fields.end()
    }
}

impl EndListener for Line {
    fn call_ended(&self, call: &EndedCall<'_>) {
        let usage = call.facts.map(|facts| facts.usage);
        let mut known = self.known();
        known.attempts = known.attempts.saturating_add(1);
        known.last = Some(Call {
            provider: call.provider.into(),
            model: call.model.into(),
            error_class: call.error_class,
            time_to_first_byte: call.time_to_first_byte,
            time_to_first_token: call.time_to_first_token,
            prompt_tokens: usage.and_then(|usage| usage.prompt),
            completion_tokens: usage.and_then(|usage| usage.completion),
        });
    }

    fn request_ended(&self, request: &EndedRequest<'_>) {
        QUEUE.push(self.write(request).into_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(headers: &[(&str, &'static [u8])]) -> Option<String> {
        let line = Line::new(Format::Json, None);
        line.answered(|name| {
            let mut headers = headers.iter();
            headers.find(|(known, _)| *known == name).map(|(_, id)| *id)
        });
        line.known().upstream_id.as_deref().map(str::to_owned)
    }

    #[test]
    fn an_upstream_s_id_is_one_that_can_be_written() {
        assert_eq!(id(&[]), None);
        assert_eq!(id(&[("x-request-id", b"req_1")]).unwrap(), "req_1");
        let both = [
            ("x-request-id", &b"echoed"[..]),
            ("request-id", &b"req_2"[..]),
        ];
        assert_eq!(id(&both).unwrap(), "req_2");
        let hostile = [("request-id", &b"a\tb"[..]), ("x-amzn-requestid", b"c")];
        assert_eq!(id(&hostile).unwrap(), "c");
        assert_eq!(id(&[("x-request-id", &[b'x'; 129])]), None);
        assert_eq!(id(&[("x-request-id", &[b'x'; 128])]).unwrap().len(), 128);
        assert_eq!(id(&[("x-request-id", b"\xff")]), None);
        assert_eq!(id(&[("x-request-id", b"")]), None);
    }
}
