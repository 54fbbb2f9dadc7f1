//! Headers of the operator's.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING},
};

use super::{super::pairs::pairs, Otlp};

/// What the exporter says by itself.
const OURS: [HeaderName; 6] = [
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    HOST,
    TRANSFER_ENCODING,
];

impl Otlp {
    /// Every header of a list that can be used; the others are told by their numbers.
    pub(super) fn insert_all(&mut self, list: &str, mut wrong: impl FnMut(usize, &str)) {
        for (n, pair) in pairs(list) {
            let inserted = match pair {
                Some((name, value)) => insert(&mut self.headers, &name, &value),
                None => Err("is no key=value"),
            };
            if let Err(fault) = inserted {
                wrong(n, fault);
            }
        }
    }
}

/// A header that the operator may set, in place of one of this name.
pub(super) fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "names no header")?;
    if OURS.contains(&name) {
        return Err("is a header that the exporter writes by itself: remove it");
    }
    let value = HeaderValue::from_str(value);
    let mut value = value.map_err(|_| "has a value that no header may have")?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
