//! How the fields of a line are written, so that no value of a client's can end it, or pass for another field.

use std::{fmt::Write as _, time::Duration};

use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime as _, SystemTime},
};

use super::Format;

/// A line that is being written.
#[derive(Debug)]
pub(super) struct Fields {
    json: bool,
    line: String,
}

/// About the length of a line.
const USUAL_BYTES: usize = 640;

impl Fields {
    pub(super) fn new(format: Format) -> Self {
        let json = format == Format::Json;
        let mut line = String::with_capacity(USUAL_BYTES);
        if json {
            line.push('{');
        }
        Self { json, line }
    }

    /// The instant, as the log's lines have it: RFC 3339 in UTC, to the microsecond.
    pub(super) fn now(&mut self, name: &str) {
        let mut instant = String::new();
        let written = SystemTime.format_time(&mut Writer::new(&mut instant));
        self.text(name, written.is_ok().then_some(&instant));
    }

    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        if !self.name(name, value.is_some()) {
            return;
        }
        let Some(value) = value else { return };
        if !self.json && is_plain(value) {
            self.line.push_str(value);
            return;
        }
        self.line.push('"');
        for c in value.chars() {
            match c {
                '"' => self.line.push_str("\\\""),
                '\\' => self.line.push_str("\\\\"),
                c if is_hostile(c) => {
                    let _ = write!(self.line, "\\u{:04x}", u32::from(c));
                }
                c => self.line.push(c),
            }
        }
        self.line.push('"');
    }

    pub(super) fn number(&mut self, name: &str, value: Option<u64>) {
        if self.name(name, value.is_some())
            && let Some(value) = value
        {
            let _ = write!(self.line, "{value}");
        }
    }

    /// To the microsecond.
    pub(super) fn milliseconds(&mut self, name: &str, value: Option<Duration>) {
        if self.name(name, value.is_some())
            && let Some(value) = value
        {
            let micros = value.as_micros();
            let _ = write!(self.line, "{}.{:03}", micros / 1000, micros % 1000);
        }
    }

    /// The name of a field: `null` stands in JSON where it has no value, and nothing in text. Whether a value has to
    /// follow.
    fn name(&mut self, name: &str, has_value: bool) -> bool {
        if !self.json && !has_value {
            return false;
        }
        if self.line.len() > usize::from(self.json) {
            self.line.push(if self.json { ',' } else { ' ' });
        }
        let _ = if self.json {
            write!(self.line, "\"{name}\":")
        } else {
            write!(self.line, "{name}=")
        };
        if !has_value {
            self.line.push_str("null");
        }
        has_value
    }

    pub(super) fn end(mut self) -> String {
        self.line.push_str(if self.json { "}\n" } else { "\n" });
        self.line
    }
}

/// Says that so many lines are missing here.
pub(super) fn missing(format: Format, count: u64) -> String {
    let mut fields = Fields::new(format);
    fields.now("ts");
    fields.number("dropped_lines", Some(count));
    fields.end()
}

/// Whether a value of the text stands as it is, without quotes.
fn is_plain(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'=');
    !value.is_empty() && value.bytes().all(plain)
}

/// What ends a line, moves a terminal's cursor, or turns what is read around.
fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// At most so many bytes: what is cut off ends in `...`.
pub(super) fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let fits = |at: &usize| text.is_char_boundary(*at);
    let kept = (0..=most - "...".len()).rev().find(fits).unwrap_or(0);
    format!("{}...", &text[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\"b\\c\nd\r\te\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}\u{f6} x=y";

    fn line(format: Format) -> String {
        let mut fields = Fields::new(format);
        fields.text("plain", Some("/v1/chat"));
        fields.text("hostile", Some(HOSTILE));
        fields.text("empty", Some(""));
        fields.text("none", None);
        fields.number("number", Some(7));
        fields.number("none", None);
        fields.milliseconds("took", Some(Duration::from_nanos(1_002_003_999)));
        fields.milliseconds("none", None);
        fields.end()
    }

    #[test]
    fn json_says_what_it_was_given() {
        let line = line(Format::Json);
        assert_eq!(line.lines().count(), 1);
        assert!(!line.trim_end().chars().any(is_hostile), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["hostile"], HOSTILE);
        assert_eq!(read["plain"], "/v1/chat");
        assert_eq!(read["empty"], "");
        assert!(read["none"].is_null());
        assert_eq!(read["number"], 7);
        assert_eq!(read["took"], 1002.003);
    }

    #[test]
    fn text_quotes_what_could_pass_for_more() {
        assert_eq!(
            line(Format::Text),
            "plain=/v1/chat hostile=\"a\\\"b\\\\c\\u000ad\\u000d\\u0009e\\u001b[31m\\u007f\\u0085\
             \\u2028\\u202e\u{f6} x=y\" empty=\"\" number=7 took=1002.003\n"
        );
    }

    #[test]
    fn what_is_long_is_cut_between_letters() {
        assert_eq!(bounded("abc", 3), "abc");
        assert_eq!(bounded("abcd", 4), "abcd");
        assert_eq!(bounded("abcde", 4), "a...");
        assert_eq!(bounded("\u{f6}\u{f6}\u{f6}", 4), "...");
    }

    #[test]
    fn missing_lines_are_told_in_the_same_form() {
        let json: serde_json::Value = serde_json::from_str(&missing(Format::Json, 3)).unwrap();
        assert_eq!(json["dropped_lines"], 3);
        let text = missing(Format::Text, 3);
        assert!(
            text.starts_with("ts=2") && text.ends_with("Z dropped_lines=3\n"),
            "{text}"
        );
    }
}
