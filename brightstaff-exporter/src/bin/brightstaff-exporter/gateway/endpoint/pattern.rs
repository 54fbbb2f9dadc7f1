//! Patterns of paths, as the table of endpoints writes them.

/// Versions that an API has several of, where the pattern says `{v}`.
const VERSIONS: [&str; 4] = ["v1", "v1beta", "v1alpha", "v1beta1"];

/// Matches a path against a pattern, and gives what stands in the place of `{model}`; empty where the pattern has no
/// such place.
///
/// A pattern is segments with slashes before them: words as they are, `{}` for any, `{v}` for a version, `{model}` for the
/// name of a model, which may have a verb behind it (`{model}:generateContent`). `**` at its end is any number of
/// segments, none among them.
pub(super) fn model<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    // Most patterns are words, and most paths are among the first.
    if pattern == path && !path.contains(['{', '*']) {
        return Some("");
    }
    let mut model = "";
    let mut left = path.strip_prefix('/')?.split('/');
    for wanted in pattern.strip_prefix('/')?.split('/') {
        if wanted == "**" {
            return Some(model);
        }
        let segment = left.next()?;
        let fits = match wanted {
            "{}" => !segment.is_empty(),
            "{v}" => VERSIONS.contains(&segment),
            _ => match wanted.strip_prefix("{model}") {
                Some(verb) => {
                    model = before(segment, verb)?;
                    !model.is_empty() && (verb.is_empty() || !model.contains(':'))
                }
                None => wanted == segment,
            },
        };
        if !fits {
            return None;
        }
    }
    left.next().is_none().then_some(model)
}

/// The name before a verb, whose colon some clients escape.
fn before<'p>(segment: &'p str, verb: &str) -> Option<&'p str> {
    let Some(word) = verb.strip_prefix(':') else {
        return segment.strip_suffix(verb);
    };
    let name = segment.strip_suffix(word)?;
    [":", "%3A", "%3a"]
        .iter()
        .find_map(|colon| name.strip_suffix(colon))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("/v1/files", "/v1/files", Some("")),
            ("/v1/files", "/v1/files/a", None),
            ("/v1/files", "/v1", None),
            ("/v1/files/**", "/v1/files", Some("")),
            ("/v1/files/**", "/v1/files/a/content", Some("")),
            ("/v1/files/**", "/v1/filesystem", None),
            (
                "/v1/responses/{}/cancel",
                "/v1/responses/r/cancel",
                Some(""),
            ),
            ("/v1/responses/{}/cancel", "/v1/responses//cancel", None),
            (
                "/model/{model}/converse",
                "/model/a:0/converse",
                Some("a:0"),
            ),
            (
                "/{v}/models/{model}:generateContent",
                "/v1beta/models/gemini-2.5-pro:generateContent",
                Some("gemini-2.5-pro"),
            ),
            (
                "/{v}/models/{model}:generateContent",
                "/v1/models/gemini-2.5-pro%3AgenerateContent",
                Some("gemini-2.5-pro"),
            ),
            (
                "/{v}/models/{model}:generateContent",
                "/v1/models/:generateContent",
                None,
            ),
            (
                "/{v}/models/{model}:generateContent",
                "/v9/models/m:generateContent",
                None,
            ),
            (
                "/{v}/models/{model}:generateContent",
                "/v1/models/m:countTokens",
                None,
            ),
            ("/v1/files", "v1/files", None),
        ] {
            assert_eq!(model(pattern, path), expected, "{pattern} {path}");
        }
    }
}
