//! Lists as `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_RESOURCE_ATTRIBUTES` hold them: `key=value,key=value`, where what
//! would be misread is percent-encoded (the W3C's Baggage, without its metadata).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The pairs of a list, each with its number, from 1 on; `None` in place of one that is none.
pub(super) fn pairs(list: &str) -> impl Iterator<Item = (usize, Option<(String, String)>)> {
    let entries = list.split(',').map(str::trim).zip(1..);
    // A comma at the end is no entry.
    let entries = entries.filter(|(entry, _)| !entry.is_empty());
    entries.map(|(entry, n)| (n, pair(entry)))
}

fn pair(entry: &str) -> Option<(String, String)> {
    let (key, value) = entry.split_once('=')?;
    let (key, value) = (decoded(key)?, decoded(value)?);
    (!key.is_empty()).then_some((key, value))
}

/// A `%` that starts no code, or bytes that are no text, are an error to be told, and not to be sent as they are.
fn decoded(text: &str) -> Option<String> {
    let text = text.trim();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let code = rest.get(at + 1..at + 3)?;
        if !code.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        rest = &rest[at + 3..];
    }
    let decoded = percent_decode_str(text).decode_utf8().ok();
    decoded.map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let list = " a=b , c%20d = e%2Cf%3D ,g=,,h=i=j,";
        let read: Vec<_> = pairs(list).map(|(_, pair)| pair.unwrap()).collect();
        let expected = [("a", "b"), ("c d", "e,f="), ("g", ""), ("h", "i=j")];
        let read: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(read, expected);
        assert_eq!(pairs("").count(), 0);
    }

    #[test]
    fn what_is_no_pair_has_its_number() {
        for entry in ["b", "=c", "a=%", "a=%2", "a=%zz", "a=%ff", "%=a"] {
            let list = format!("x=y,{entry}");
            let wrong: Vec<_> = pairs(&list).filter(|(_, pair)| pair.is_none()).collect();
            assert_eq!(wrong, [(2, None)], "{entry}");
        }
    }
}
