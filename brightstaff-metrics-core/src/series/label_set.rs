use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::Duration,
};

#[cfg(feature = "otlp")]
use super::otlp::Rendered;
use crate::{catalogue::Family, clock::WallTime};

/// The labels of a child, rendered once, when it is made, as they stand between the braces of a sample:
/// `handler="llm_chat",method="POST"`. Sorted by name; values escaped as the text formats want it.
///
/// Children that are made together have theirs on one sheet.
#[derive(Debug)]
pub(crate) struct LabelSet {
    sheet: Arc<Sheet>,
    start: u32,
    end: u32,
}

/// The labels of some children, and when these began.
#[derive(Debug)]
struct Sheet {
    created: WallTime,
    /// There once all are rendered.
    text: OnceLock<Box<str>>,
    /// The same as attributes, once somebody pushes them.
    #[cfg(feature = "otlp")]
    attributes: OnceLock<Box<Rendered>>,
}

/// Renders the labels of children that are made together. They can be read once it is dropped.
#[derive(Debug)]
pub(crate) struct Labels {
    sheet: Arc<Sheet>,
    text: String,
    /// Those that are being rendered.
    next: String,
}

impl Labels {
    pub(crate) fn new(created: WallTime) -> Self {
        Self {
            sheet: Arc::new(Sheet {
                created,
                text: OnceLock::new(),
                #[cfg(feature = "otlp")]
                attributes: OnceLock::new(),
            }),
            text: String::new(),
            next: String::new(),
        }
    }

    /// The labels of a child of this family, by their values in the order of the catalogue.
    pub(crate) fn of(&mut self, family: &Family, values: &[&str]) -> LabelSet {
        render(family, values, &mut self.next);
        // Often they stand there already, by themselves or with others around them.
        let start = place(&self.text, &self.next).unwrap_or_else(|| {
            self.text.push_str(&self.next);
            self.text.len() - self.next.len()
        });
        let at = |at| u32::try_from(at).expect("labels are bounded");
        LabelSet {
            sheet: Arc::clone(&self.sheet),
            start: at(start),
            end: at(start + self.next.len()),
        }
    }
}

impl Drop for Labels {
    fn drop(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.sheet.text.get_or_init(|| text.into());
    }
}

impl LabelSet {
    /// The labels of a child that is made by itself.
    pub(crate) fn new(family: &Family, values: &[&str], created: WallTime) -> Self {
        Labels::new(created).of(family, values)
    }

    pub(crate) fn as_str(&self) -> &str {
        let text = self.sheet.text.get().map_or("", AsRef::as_ref);
        &text[self.start as usize..self.end as usize]
    }

    /// When the child began, since the Unix epoch.
    pub(crate) fn created(&self) -> Duration {
        self.sheet.created.since_epoch()
    }

    /// The same in nanoseconds.
    #[cfg(feature = "otlp")]
    pub(crate) fn began(&self) -> u64 {
        self.sheet.created.as_nanos()
    }

    /// As the attributes of a point that is a number. They are rendered when they are first asked for, with all others on
    /// the sheet, and kept.
    #[cfg(feature = "otlp")]
    pub(crate) fn attributes(&self) -> &[u8] {
        let text = || self.sheet.text.get().map_or("", AsRef::as_ref);
        let rendered = self
            .sheet
            .attributes
            .get_or_init(|| Box::new(Rendered::of(text())));
        rendered.between(self.start, self.end)
    }

    /// Names and values, the latter as they were given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        pairs(self.as_str()).map(|(_, name, value)| (name, value))
    }
}

/// The labels in a text, each with where it stands.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (usize, &str, Cow<'_, str>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = text.len() - rest.len();
        let (name, quoted) = rest.split_once("=\"")?;
        let end = closing_quote(quoted);
        rest = quoted[end + 1..].trim_start_matches(',');
        Some((at, name, unescape(&quoted[..end])))
    })
}

/// Where these labels stand in a text of others: not behind the end of a longer name.
fn place(text: &str, labels: &str) -> Option<usize> {
    let mut places = text.match_indices(labels).map(|(at, _)| at);
    places.find(|&at| at == 0 || matches!(text.as_bytes()[at - 1], b',' | b'"'))
}

fn render(family: &Family, values: &[&str], out: &mut String) {
    debug_assert_eq!(family.labels.len(), values.len(), "{}", family.name);
    let mut pairs: Vec<_> = family.labels.iter().zip(values).collect();
    pairs.sort_unstable_by_key(|(label, _)| label.name);
    out.clear();
    for (label, value) in pairs {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(label.name);
        out.push_str("=\"");
        escape(value, out);
        out.push('"');
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
        let labels = LabelSet::new(&c::UPSTREAM_REQUESTS, &values, WallTime::default());
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
        let new = |family, values| LabelSet::new(family, values, WallTime::default());
        let newline = new(&c::HTTP_IN_FLIGHT, &["a\nb"]);
        assert_eq!(newline.as_str(), r#"handler="a\nb""#);
        assert_eq!(newline.iter().next(), Some(("handler", "a\nb".into())));
        assert_eq!(new(&c::PROCESS_CPU, &[]).iter().count(), 0);
    }

    /// A name may end in another.
    #[test]
    fn labels_are_not_found_within_a_name() {
        let mut labels = Labels::new(WallTime::default());
        let _ = labels.of(&c::ROUTER_CANDIDATE_SKIPS, &["a", "retry_after"]);
        assert!(labels.text.ends_with(r#"selected_model="a""#));
        assert_eq!(place(&labels.text, r#"model="a""#), None);
        assert_eq!(place(&labels.text, r#"reason="retry_after""#), Some(0));
    }

    #[test]
    fn what_stands_on_the_sheet_is_not_written_again() {
        let created = WallTime::from_nanos(7);
        let mut labels = Labels::new(created);
        let requests = labels.of(&c::UPSTREAM_REQUESTS, &["a", "b", "2xx", "none"]);
        let bare = labels.of(&c::TIME_TO_FIRST_BYTE, &["a", "b"]);
        let tokens = labels.of(&c::TOKENS, &["a", "b", "prompt"]);
        drop(labels);
        let all = r#"error_class="none",model="b",provider="a",status_class="2xx""#;
        assert_eq!(requests.as_str(), all);
        assert_eq!(bare.as_str(), r#"model="b",provider="a""#);
        assert_eq!(tokens.as_str(), r#"kind="prompt",model="b",provider="a""#);
        let sheet = bare.sheet.text.get().unwrap();
        assert_eq!(sheet.len(), all.len() + tokens.as_str().len());
        assert_eq!(bare.created(), Duration::from_nanos(7));
    }
}
