//! What is pressed, in the bytes that a terminal sends for it.

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Suspend,
    Redraw,
    NextColumn,
    PreviousColumn,
    Reverse,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

/// Where in a sequence of bytes the next one stands.
#[derive(Debug, Default)]
pub(super) enum Keys {
    #[default]
    Ground,
    /// Behind an escape.
    Escape,
    /// Behind an escape and its bracket: the last digit, as in `ESC [ 5 ~`.
    Sequence(u8),
}

impl Keys {
    /// The key that this byte ends.
    pub(super) fn next(&mut self, byte: u8) -> Option<Key> {
        let before = std::mem::take(self);
        match (before, byte) {
            (_, 0x1b) => *self = Self::Escape,
            (Self::Escape, b'[' | b'O') => *self = Self::Sequence(0),
            (Self::Sequence(_), b'0'..=b'9' | b';') => *self = Self::Sequence(byte),
            (Self::Sequence(digit), _) => return sequence(digit, byte),
            // With Alt held down.
            (Self::Escape, _) => {}
            (Self::Ground, _) => return plain(byte),
        }
        None
    }
}

fn plain(byte: u8) -> Option<Key> {
    Some(match byte {
        b'q' | b'Q' | 0x03 | 0x04 => Key::Quit,
        0x1a => Key::Suspend,
        0x0c => Key::Redraw,
        b's' | b'l' | b'>' => Key::NextColumn,
        b'S' | b'h' | b'<' => Key::PreviousColumn,
        b'r' | b'R' => Key::Reverse,
        b'k' => Key::Up,
        b'j' => Key::Down,
        b'b' => Key::PageUp,
        b' ' | b'f' => Key::PageDown,
        b'g' => Key::First,
        b'G' => Key::Last,
        _ => return None,
    })
}

fn sequence(digit: u8, end: u8) -> Option<Key> {
    Some(match (end, digit) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::NextColumn,
        (b'D', _) => Key::PreviousColumn,
        (b'H', _) | (b'~', b'1' | b'7') => Key::First,
        (b'F', _) | (b'~', b'4' | b'8') => Key::Last,
        (b'~', b'5') => Key::PageUp,
        (b'~', b'6') => Key::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_bytes() {
        let bytes = b"qx\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[1~\x1b[1;5C\x1bqs\x1b\x1b[D\x03";
        let mut keys = Keys::default();
        let found: Vec<_> = bytes.iter().filter_map(|byte| keys.next(*byte)).collect();
        let expected = [
            Key::Quit,
            Key::Up,
            Key::Down,
            Key::PageUp,
            Key::PageDown,
            Key::First,
            Key::NextColumn,
            Key::NextColumn,
            Key::PreviousColumn,
            Key::Quit,
        ];
        assert_eq!(found, expected);
    }
}
