//! The member `"usage": null`, which providers put into every chunk of a stream that was asked for its usage.

use std::{ops::Range, sync::LazyLock};

use memchr::{
    memchr2,
    memmem::{FindIter, Finder},
    memrchr2,
};

use super::lines::data_lines;

const KEY: &[u8] = br#""usage""#;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KEY));

/// The member, without the value of which nothing is known: of which object it is one, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NullUsage {
    /// Where the comma or the brace stands that is before it.
    pub(super) start: usize,
    /// Behind `null`.
    pub(super) end: usize,
}

/// What a text says of the member at a place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// The text ends too early to tell.
    Beginning,
    Whole {
        end: usize,
    },
}

/// Where the key stands in a text. In a string its quotes would be escaped, so that it is found only where it is one.
pub(super) fn keys(text: &[u8]) -> FindIter<'_, 'static> {
    FINDER.find_iter(text)
}

impl NullUsage {
    /// The member whose key stands at `key`, if it is whole.
    pub(super) fn at(text: &[u8], key: usize) -> Option<Self> {
        let blanks = text[..key].iter().rev().take_while(|b| is_blank(**b));
        let start = key.checked_sub(blanks.count() + 1)?;
        match read(text, start) {
            Found::Whole { end } => Some(Self { start, end }),
            Found::Nothing | Found::Beginning => None,
        }
    }

    /// Where one may begin whose end is still to come.
    pub(super) fn begun(text: &[u8]) -> Option<usize> {
        // Most texts end with a line, and it ends within one.
        if text.ends_with(b"\n") {
            return None;
        }
        // There is neither inside of it.
        let start = memrchr2(b',', b'{', text)?;
        (read(text, start) == Found::Beginning).then_some(start)
    }

    /// Whether it is a member of the event's own object, which ends with the event: `tail` is what follows of that.
    pub(super) fn is_of_event(tail: &[u8]) -> bool {
        let mut lines = data_lines(tail, true);
        let mut depth = 0_usize;
        while let Some(mut line) = lines.next() {
            while let Some(at) = line.iter().position(|b| b"\"{}[]".contains(b)) {
                let byte = line[at];
                line = &line[at + 1..];
                match byte {
                    b'"' => match string_end(line) {
                        Some(end) => line = &line[end..],
                        None => return false,
                    },
                    b'{' | b'[' => depth += 1,
                    b'}' if depth == 0 => {
                        let blank = |line: &[u8]| line.iter().all(|byte| is_blank(*byte));
                        return blank(line) && lines.all(blank);
                    }
                    _ if depth == 0 => return false,
                    _ => depth -= 1,
                }
            }
        }
        false
    }

    /// What of the text is gone with it: one of the commas beside it, too.
    pub(super) fn cut(self, text: &[u8]) -> Range<usize> {
        if text[self.start] == b',' {
            return self.start..self.end;
        }
        let start = self.start + 1;
        let start = start + blanks(&text[start..]);
        let behind = self.end + blanks(&text[self.end..]);
        if text.get(behind) != Some(&b',') {
            return start..self.end;
        }
        start..behind + 1 + blanks(&text[behind + 1..])
    }
}

/// Reads the member behind the comma or the brace that stands at `start`.
fn read(text: &[u8], start: usize) -> Found {
    if !matches!(text[start], b',' | b'{') {
        return Found::Nothing;
    }
    let mut at = start + 1;
    for word in [KEY, b":", b"null"] {
        at += blanks(&text[at..]);
        let rest = &text[at..];
        if rest.len() < word.len() && word.starts_with(rest) {
            return Found::Beginning;
        }
        if !rest.starts_with(word) {
            return Found::Nothing;
        }
        at += word.len();
    }
    Found::Whole { end: at }
}

/// Behind the quote that ends the string in whose middle the text begins.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_blank(**byte)).count()
}

/// White space of JSON within a line.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Vec<NullUsage> {
        let text = text.as_bytes();
        let found = keys(text).filter_map(|key| NullUsage::at(text, key));
        found.collect()
    }

    #[test]
    fn goes_with_one_comma() {
        for (text, without) in [
            (r#"{"a":1,"usage":null}"#, r#"{"a":1}"#),
            (r#"{"a": 1, "usage": null, "b": 2}"#, r#"{"a": 1, "b": 2}"#),
            (r#"{"usage":null,"a":1}"#, r#"{"a":1}"#),
            (r#"{ "usage" : null , "a" : 1 }"#, r#"{ "a" : 1 }"#),
            (r#"{"usage":null}"#, "{}"),
            (r#"{ "usage": null }"#, "{  }"),
        ] {
            let [member] = whole(text).try_into().unwrap();
            let cut = member.cut(text.as_bytes());
            assert_eq!([&text[..cut.start], &text[cut.end..]].concat(), without);
        }
    }

    #[test]
    fn is_told_from_what_is_like_it() {
        for text in [
            r#"{"a":1,"usage":{}}"#,
            r#"{"a":",\"usage\":null"}"#,
            r#"["a","usage",null]"#,
            r#"{"usage":nul"#,
            r#"{"usages":null}"#,
            r#""usage":null"#,
        ] {
            assert_eq!(whole(text), [], "{text}");
        }
    }

    #[test]
    fn may_begin_at_the_end_of_a_text() {
        let member = r#"{"a":1 , "usage" : null"#;
        for end in 1..member.len() {
            let begun = NullUsage::begun(&member.as_bytes()[..end]);
            let start = match end {
                1 | 2 => Some(0),
                3..8 => None,
                _ => Some(7),
            };
            assert_eq!(begun, start, "{}", &member[..end]);
        }
        assert_eq!(NullUsage::begun(member.as_bytes()), None);
        assert_eq!(NullUsage::begun(br#",{"content":"#), None);
    }

    #[test]
    fn is_of_the_event_where_its_object_ends_with_that() {
        for (tail, of_event) in [
            ("}\n\n", true),
            ("}", true),
            (" } \r\n\r\n", true),
            (r#","a":"}\"}\\","b":[{"c":{}}]}"#, true),
            (",\"a\":1\ndata: }\n\n", true),
            ("}\nid: 1}\n\n", true),
            ("}}\n\n", false),
            ("}]}", false),
            ("}\ndata: }\n\n", false),
            ("]", false),
            (r#","a":"}"#, false),
            ("", false),
        ] {
            assert_eq!(NullUsage::is_of_event(tail.as_bytes()), of_event, "{tail}");
        }
    }
}
