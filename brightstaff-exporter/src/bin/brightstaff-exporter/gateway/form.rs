//! Forms with files (`multipart/form-data`, RFC 7578), as far as their model.

use std::ops::Range;

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// How much of a form is read in search of its model: SDKs write the fields before the files.
pub(super) const HEAD_BYTES: usize = 256 << 10;

/// The longest name of a model.
const MAX_MODEL: usize = 4096;

/// What stands between the parts of a request's form, if it has one.
pub(super) fn boundary(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (form, parameters) = kind.split_once(';')?;
    if !form.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let boundary = boundary.trim().trim_matches('"');
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The field `model`, searched for while a form comes in.
#[derive(Debug)]
pub(super) struct Search {
    delimiter: Vec<u8>,
    /// No part that is not looked through yet begins before this.
    from: usize,
    found: Option<Range<usize>>,
}

impl Search {
    pub(super) fn new(boundary: &str) -> Self {
        Self {
            delimiter: format!("--{boundary}").into_bytes(),
            from: 0,
            found: None,
        }
    }

    /// Looks on, with so much of the form as there is by now; whether there is nothing more to look for.
    pub(super) fn is_over(&mut self, form: &[u8]) -> bool {
        while self.found.is_none() {
            let Some(at) = memmem::find(&form[self.from..], &self.delimiter) else {
                // It may have begun to come.
                let whole = form.len().saturating_sub(self.delimiter.len());
                self.from = self.from.max(whole);
                return false;
            };
            let start = self.from + at;
            let headers = start + self.delimiter.len();
            if form[headers..].starts_with(b"--") {
                return true;
            }
            let Some(length) = memmem::find(&form[headers..], b"\r\n\r\n") else {
                self.from = start;
                return false;
            };
            let value = headers + length + 4;
            if !is_model(&form[headers..value]) {
                self.from = value;
                continue;
            }
            let Some(length) = memmem::find(&form[value..], &self.delimiter) else {
                self.from = start;
                return form.len() - value > MAX_MODEL;
            };
            let end = value + length;
            let end = if form[..end].ends_with(b"\r\n") {
                end - 2
            } else {
                end
            };
            self.found = Some(value..end);
        }
        true
    }

    /// The model that the form names, and where.
    pub(super) fn model<'f>(&self, form: &'f [u8]) -> Option<(&'f str, Range<usize>)> {
        let place = self.found.clone()?;
        let model = std::str::from_utf8(form.get(place.clone())?).ok()?;
        (1..=MAX_MODEL)
            .contains(&model.len())
            .then_some((model, place))
    }
}

/// Whether these headers are those of the field.
fn is_model(headers: &[u8]) -> bool {
    let Ok(headers) = std::str::from_utf8(headers) else {
        return false;
    };
    headers.split("\r\n").any(|line| {
        let Some((name, value)) = line.split_once(':') else {
            return false;
        };
        let is_file = value.contains("filename");
        let mut parameters = value.split(';').map(str::trim);
        name.eq_ignore_ascii_case("content-disposition")
            && !is_file
            && parameters.any(|parameter| matches!(parameter, "name=\"model\"" | "name=model"))
    })
}

/// The form with another model's name.
pub(super) fn renamed(form: &Bytes, place: Range<usize>, model: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(form.len() + model.len());
    out.extend_from_slice(&form[..place.start]);
    out.extend_from_slice(model.as_bytes());
    out.extend_from_slice(&form[place.end..]);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] = b"--b\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nen\r\n\
        --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"model\"\r\n\r\n--b? name=\"model\"\r\n\
        --b\r\nContent-Disposition: form-data; name=\"model\"\r\nContent-Type: text/plain\r\n\r\nwhisper-1\r\n\
        --b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n";

    #[test]
    fn a_model_is_found_however_the_form_comes() {
        for step in 1..FORM.len() {
            let mut search = Search::new("b");
            let mut end = step;
            while !search.is_over(&FORM[..end]) {
                assert!(end < FORM.len());
                end = (end + step).min(FORM.len());
            }
            let (model, place) = search.model(&FORM[..end]).unwrap();
            assert_eq!(model, "whisper-1");
            let renamed = renamed(&Bytes::from_static(FORM), place, "w");
            assert_eq!(renamed.len(), FORM.len() - 8);
        }
    }

    #[test]
    fn a_form_without_a_model_ends_the_search() {
        let mut search = Search::new("b");
        let form = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
        assert!(search.is_over(form));
        assert_eq!(search.model(form), None);
        let mut search = Search::new("b");
        assert!(!search.is_over(b"--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nx"));
        assert_eq!(search.model(b""), None);
    }

    #[test]
    fn boundaries_are_read() {
        for (kind, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=abc", None),
            ("application/json; boundary=abc", None),
            ("multipart/form-data; boundary=", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(boundary(&headers), expected, "{kind}");
        }
    }
}
