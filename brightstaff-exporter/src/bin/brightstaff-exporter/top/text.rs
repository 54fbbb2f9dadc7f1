//! Text of strangers: what a label says reaches the terminal as letters, and as nothing else.

use unicode_width::UnicodeWidthChar;

/// How much of one text is looked at, in characters: names are 128 bytes at most, but who answers may be anybody.
const MAX_CHARS: usize = 512;

/// The text as it is shown: whatever would move the cursor, colour what follows, hide or turn itself around is
/// written out, such as `\u{1b}`.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_CHARS));
    for c in text.chars().take(MAX_CHARS) {
        if is_plain(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    shown
}

/// Whether a character is a letter on a terminal: it has a width, and does nothing else.
pub(super) fn is_plain(c: char) -> bool {
    // A soft hyphen and the separators of lines are said to have a width, and do other things.
    let acts = c.is_control() || matches!(c, '\u{ad}' | '\u{2028}' | '\u{2029}');
    !acts && c.width().is_some_and(|width| width > 0)
}

/// How many columns it takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// The text in this many columns at most, with a sign where it was cut.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut kept = String::new();
    for c in text.chars() {
        let takes = c.width().unwrap_or_default();
        if takes > left {
            break;
        }
        left -= takes;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_written_out() {
        for (text, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("模型 é µ", "模型 é µ"),
            ("\x1b[2J\x07", r"\u{1b}[2J\u{7}"),
            ("a\nb\tc\r", r"a\nb\tc\r"),
            ("\u{9b}31m\u{7f}", r"\u{9b}31m\u{7f}"),
            ("\u{202e}txt\u{2066}", r"\u{202e}txt\u{2066}"),
            (
                "e\u{301}\u{200b}\u{ad}\u{2028}",
                r"e\u{301}\u{200b}\u{ad}\u{2028}",
            ),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"x".repeat(1 << 20)).len(), MAX_CHARS);
    }

    #[test]
    fn columns_are_counted_and_kept() {
        assert_eq!((width("模型"), width("µs")), (4, 2));
        for (text, columns, expected) in [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 4, "abc…"),
            ("模型模型", 6, "模型…"),
            ("模型模型", 4, "模…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(cut(text, columns), expected);
        }
    }
}
