//! A request, as a simulated API sees it.

use axum::http::{HeaderMap, Method, Uri, header};
use serde_json::{Map, Value};

/// A request below the base of the API's URLs.
#[derive(Debug)]
pub(in crate::sim) struct Ask {
    method: Method,
    path: String,
    query: Option<String>,
    host: String,
    /// The JSON of the body, or the short texts of a form.
    pub(super) body: Value,
}

/// A file of a form is longer than what is read of one as a text.
const LONGEST_FIELD: usize = 256;

impl Ask {
    /// `path` is what is left of the request's, percent-encoded.
    pub(in crate::sim) fn new(
        method: &Method,
        path: &str,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let boundary = text(header::CONTENT_TYPE)
            .filter(|kind| kind.starts_with("multipart/"))
            .and_then(|kind| kind.split_once("boundary="))
            .map(|(_, boundary)| boundary.trim_matches('"'));
        let body = match boundary {
            Some(boundary) => fields(body, boundary),
            None => serde_json::from_slice(body).unwrap_or_default(),
        };
        Self {
            method: method.clone(),
            path: path.to_owned(),
            query: uri.query().map(str::to_owned),
            host: text(header::HOST).unwrap_or_default().to_owned(),
            body,
        }
    }

    /// The same with another body.
    pub(super) fn with_body(&self, body: Value) -> Self {
        Self {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            host: self.host.clone(),
            body,
        }
    }

    pub(in crate::sim) fn body(&self) -> &Value {
        &self.body
    }

    /// The method; a `HEAD` is a `GET` whose body nobody gets.
    pub(super) fn method(&self) -> &str {
        match &self.method {
            method if *method == Method::HEAD => "GET",
            method => method.as_str(),
        }
    }

    /// The segments of the path, decoded.
    pub(super) fn segments(&self) -> Vec<String> {
        let segments = self.path.split('/').filter(|segment| !segment.is_empty());
        segments.map(decoded).collect()
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, value) = pairs.find(|(key, _)| key == name)?;
        Some(value.into_owned())
    }

    /// The authority that the request names.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the body asks for a stream; a form says so in words.
    pub(super) fn streamed(&self) -> bool {
        self.body["stream"] == true || self.body["stream"] == "true"
    }

    /// The model of the body.
    pub(super) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("unknown")
    }
}

/// A segment without its percent-encoding, in which a plus is a plus.
fn decoded(segment: &str) -> String {
    let segment = segment.replace('+', "%2B");
    let mut pairs = form_urlencoded::parse(segment.as_bytes());
    // One with an equals sign is taken for a pair.
    pairs.next().map_or_else(String::new, |(key, value)| {
        if value.is_empty() {
            key.into_owned()
        } else {
            format!("{key}={value}")
        }
    })
}

/// The short fields of a form that are texts.
fn fields(body: &[u8], boundary: &str) -> Value {
    let mut fields = Map::new();
    for part in split(body, format!("--{boundary}").as_bytes()) {
        let Some(blank) = find(part, b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&part[..blank]);
        let value = part[blank + 4..].strip_suffix(b"\r\n").unwrap_or_default();
        let name = head
            .split_once("name=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        if let (Some((name, _)), true) = (name, value.len() <= LONGEST_FIELD)
            && let Ok(text) = std::str::from_utf8(value)
        {
            fields.insert(name.to_owned(), Value::from(text));
        }
    }
    Value::Object(fields)
}

fn split<'a>(mut bytes: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = find(bytes, by) {
        parts.push(&bytes[..at]);
        bytes = &bytes[at + by.len()..];
    }
    parts
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: &str, kind: &'static str, body: &str) -> Ask {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        let uri = path.parse().unwrap();
        Ask::new(&Method::POST, path, &uri, &headers, body.as_bytes())
    }

    #[test]
    fn segments_are_decoded() {
        let ask = ask("//model/a.b%3A0/a+b%2Fc=d/", "application/json", "{}");
        assert_eq!(ask.segments(), ["model", "a.b:0", "a+b/c=d"]);
    }

    #[test]
    fn forms_are_read() {
        let form = "--X\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
            --X\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\0\r\n\r\n\r\n\
            --X\r\ncontent-disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--X--\r\n";
        let ask = ask("/", "multipart/form-data; boundary=\"X\"", form);
        assert_eq!((ask.model(), ask.streamed()), ("whisper-1", true));
    }
}
