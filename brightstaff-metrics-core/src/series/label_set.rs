use std::borrow::Cow;

use crate::catalogue::Family;

/// The labels of a child, rendered once, when it is made, as they stand between the braces of a sample:
/// `handler="llm_chat",method="POST"`. Sorted by name; values escaped as the text formats want it.
#[derive(Debug)]
pub(crate) struct LabelSet(Box<str>);

impl LabelSet {
    /// The labels of a child of this family, by their values in the order of the catalogue.
    pub(crate) fn new(family: &Family, values: &[&str]) -> Self {
        debug_assert_eq!(family.labels.len(), values.len(), "{}", family.name);
        let mut pairs: Vec<_> = family.labels.iter().zip(values).collect();
        pairs.sort_unstable_by_key(|(label, _)| label.name);
        let mut rendered = String::new();
        for (label, value) in pairs {
            if !rendered.is_empty() {
                rendered.push(',');
            }
            rendered.push_str(label.name);
            rendered.push_str("=\"");
            escape(value, &mut rendered);
            rendered.push('"');
        }
        Self(rendered.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Names and values, the latter as they were given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (name, quoted) = rest.split_once("=\"")?;
            let end = closing_quote(quoted);
            rest = quoted[end + 1..].trim_start_matches(',');
            Some((name, unescape(&quoted[..end])))
        })
    }
}

/// Both text formats escape the same three characters in a label's value.
fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
}

fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut characters = value.chars();
    let mut plain = String::with_capacity(value.len());
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some(escaped) => escaped,
                None => '\\',
            },
            _ => character,
        });
    }
    Cow::Owned(plain)
}

/// Where the first quote stands that no backslash escapes.
fn closing_quote(quoted: &str) -> usize {
    let mut escaped = false;
    let end = quoted.bytes().position(|byte| {
        let found = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    });
    end.unwrap_or(quoted.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue as c;

    #[test]
    fn labels_are_sorted_and_escaped_and_read_back() {
        let values = ["a\"b\\", "n\\", "2xx", "none"];
        let labels = LabelSet::new(&c::UPSTREAM_REQUESTS, &values);
        assert_eq!(
            labels.as_str(),
            r#"error_class="none",model="n\\",provider="a\"b\\",status_class="2xx""#
        );
        let pairs: Vec<_> = labels.iter().collect();
        assert_eq!(
            pairs,
            [
                ("error_class", "none".into()),
                ("model", "n\\".into()),
                ("provider", "a\"b\\".into()),
                ("status_class", "2xx".into()),
            ]
        );
        let newline = LabelSet::new(&c::HTTP_IN_FLIGHT, &["a\nb"]);
        assert_eq!(newline.as_str(), r#"handler="a\nb""#);
        assert_eq!(newline.iter().next(), Some(("handler", "a\nb".into())));
        assert_eq!(LabelSet::new(&c::PROCESS_CPU, &[]).iter().count(), 0);
    }
}
