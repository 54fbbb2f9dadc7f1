//! Finding the finish reason of a choice in a stream that passes.
//!
//! Where it stands in the JSON is not asked: in a string its quotes would be escaped. One too many only means that events
//! are looked at that need not be.

use std::sync::LazyLock;

use memchr::{memmem::Finder, memrchr};

const KEY: &[u8] = br#""finish_reason""#;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KEY));

/// How much of `"finish_reason": "` the last bytes were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FinishReason(usize);

const AFTER_KEY: usize = KEY.len();
const AFTER_COLON: usize = AFTER_KEY + 1;
const FOUND: usize = AFTER_COLON + 1;

impl FinishReason {
    /// Behind the first one that ends in these bytes, which come next.
    pub(super) fn find(self, bytes: &[u8]) -> Option<usize> {
        if self != Self::default()
            && let Some(end) = self.finish(bytes)
        {
            return Some(end);
        }
        FINDER.find_iter(bytes).find_map(|at| {
            let behind = at + KEY.len();
            let end = Self(AFTER_KEY).finish(&bytes[behind..])?;
            Some(behind + end)
        })
    }

    /// Behind the one that was begun, if the bytes that come next are its end.
    fn finish(mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            self = self.step(*byte);
            match self.0 {
                0 => return None,
                FOUND => return Some(at + 1),
                _ => {}
            }
        }
        None
    }

    /// These bytes passed, in which none ends.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        // Most chunks end with a line, and it ends within one.
        if bytes.ends_with(b"\n") {
            *self = Self::default();
            return;
        }
        // What was begun begins with the last quote, or the last but one.
        let before = |end: usize| memrchr(b'"', &bytes[..end]);
        let begin = before(bytes.len()).and_then(before);
        if begin.is_some() {
            *self = Self::default();
        }
        for byte in &bytes[begin.unwrap_or(0)..] {
            *self = self.step(*byte);
        }
    }

    fn step(self, byte: u8) -> Self {
        Self(match (self.0, byte) {
            (at, byte) if KEY.get(at) == Some(&byte) => at + 1,
            (AFTER_KEY | AFTER_COLON, b' ' | b'\t') => self.0,
            (AFTER_KEY, b':') => AFTER_COLON,
            (AFTER_COLON, b'"') => FOUND,
            // A quote begins a string, or ends it.
            (_, b'"') => 1,
            _ => 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_found_at_any_split() {
        for (text, end) in [
            (r#"{"finish_reason":"stop"}"#, Some(18)),
            (r#"{"a":"b","finish_reason" : "stop"}"#, Some(28)),
            (
                r#"{"finish_reason":null},{"finish_reason":"stop"}"#,
                Some(41),
            ),
            (r#"["finish_reason","finish_reason"]"#, None),
            (r#"{"content":"\"finish_reason\":\"stop\""}"#, None),
            (r#"{"finish_reason":null}"#, None),
            (r#"{"native_finish_reason":"stop"}"#, None),
            (r#"{"finish_reasons":"stop"}"#, None),
        ] {
            let bytes = text.as_bytes();
            assert_eq!(FinishReason::default().find(bytes), end, "{text}");
            for split in 0..bytes.len() {
                let mut state = FinishReason::default();
                let (before, after) = bytes.split_at(split);
                let found = state.find(before).or_else(|| {
                    state.advance(before);
                    state.find(after).map(|at| split + at)
                });
                assert_eq!(found, end, "{text} at {split}");
            }
            let mut state = FinishReason::default();
            let one_by_one = (0..bytes.len()).find_map(|at| {
                let byte = &bytes[at..=at];
                let found = state.find(byte).map(|_| at + 1);
                state.advance(byte);
                found
            });
            assert_eq!(one_by_one, end, "{text} byte by byte");
        }
    }
}
