//! Paths as their clients mean them.

use std::borrow::Cow;

/// How often something may be escaped within itself and still be looked through.
const MOST_ESCAPES: usize = 4;

/// A path without doubled slashes, which bases that end in one leave behind; `None` where it goes up (`..`), however that is
/// written: nobody but who joins paths by mistake or on purpose writes that, and it would lead out of what a provider's
/// base or `allow` say.
pub(super) fn plain(path: &str) -> Option<Cow<'_, str>> {
    if !path.starts_with('/') || goes_up(path) {
        return None;
    }
    if !path.contains("//") {
        return Some(Cow::Borrowed(path));
    }
    let mut plain = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !plain.ends_with('/') {
            plain.push(c);
        }
    }
    Some(Cow::Owned(plain))
}

/// Some servers take a backslash for a slash, and what is escaped for what it stands for.
fn goes_up(path: &str) -> bool {
    let has_dots = |path: &str| {
        let mut segments = path.split(['/', '\\']);
        segments.any(|segment| matches!(segment, "." | ".."))
    };
    if has_dots(path) || !path.contains('%') {
        return has_dots(path);
    }
    let mut path = path.as_bytes().to_vec();
    for _ in 0..MOST_ESCAPES {
        let unescaped = unescaped(&path);
        if unescaped == path {
            return false;
        }
        if has_dots(&String::from_utf8_lossy(&unescaped)) {
            return true;
        }
        path = unescaped;
    }
    true
}

/// What a segment stands for, if that is text.
pub(in super::super) fn decoded(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let bytes = unescaped(segment.as_bytes());
    String::from_utf8(bytes).map_or(Cow::Borrowed(segment), Cow::Owned)
}

/// RFC 3986, section 2.1.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(16 * high + low).unwrap_or(byte));
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_slashes_are_one() {
        for (path, expected) in [
            ("/v1/chat", "/v1/chat"),
            ("//v1///chat//", "/v1/chat/"),
            ("/", "/"),
            ("/v1/models/a%2Fb", "/v1/models/a%2Fb"),
            ("/v1/models/a..b", "/v1/models/a..b"),
            ("/v1/models/50%25", "/v1/models/50%25"),
        ] {
            assert_eq!(plain(path).as_deref(), Some(expected));
        }
    }

    #[test]
    fn no_path_goes_up() {
        for path in [
            "/v1/../admin",
            "/..",
            "/v1/./x",
            "/v1/%2e%2e/x",
            "/v1/.%2E/x",
            "/v1/models/..%2ffiles",
            "/v1/models/..%5cfiles",
            "/v1/models/x\\..\\files",
            "/v1/models/%252e%252e%252ffiles",
            "/v1/models/%2525252525252e",
            "v1",
            "*",
            "",
        ] {
            assert_eq!(plain(path), None, "{path}");
        }
    }

    #[test]
    fn segments_are_decoded() {
        assert_eq!(decoded("a%3A0"), "a:0");
        assert_eq!(decoded("a%zz%4"), "a%zz%4");
        assert_eq!(decoded("%ff"), "%ff");
    }
}
