//! Strings that are kept: keys, tags, names. Escapes are decoded across any split.

/// The longest string that is kept whole, in bytes. The longest key of interest has 32, a model name may
/// have 128.
pub(crate) const MAX_TEXT: usize = 128;

/// A short string in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    bytes: [u8; MAX_TEXT],
    len: u8,
    over: bool,
}

impl Text {
    pub(crate) const EMPTY: Self = Self {
        bytes: [0; MAX_TEXT],
        len: 0,
        over: false,
    };

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.over = false;
    }

    pub(crate) fn extend(&mut self, more: &[u8]) {
        let start = usize::from(self.len);
        match self.bytes.get_mut(start..start + more.len()) {
            // The end is at most MAX_TEXT, which fits.
            #[allow(clippy::cast_possible_truncation)]
            Some(room) => {
                room.copy_from_slice(more);
                self.len = (start + more.len()) as u8;
            }
            None => self.over = true,
        }
    }

    /// The string cannot be told.
    pub(crate) fn spoil(&mut self) {
        self.over = true;
    }

    /// The string; `None` if it was too long to keep, or an escape in it is none.
    pub(crate) fn get(&self) -> Option<&[u8]> {
        (!self.over).then_some(&self.bytes[..usize::from(self.len)])
    }
}

/// An escape sequence (RFC 8259, section 7) in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escape {
    state: State,
    code: u16,
    /// The first half of a surrogate pair.
    high: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    None,
    Backslash,
    Hex(u8),
}

/// What a byte of an escape sequence comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Escaped {
    More,
    Char(char),
    Invalid,
}

impl Escape {
    pub(crate) const NONE: Self = Self {
        state: State::None,
        code: 0,
        high: None,
    };

    /// A backslash was met.
    pub(crate) fn start(&mut self) {
        self.state = State::Backslash;
    }

    /// Whether the next byte belongs to an escape sequence.
    pub(crate) fn is_open(&self) -> bool {
        self.state != State::None
    }

    pub(crate) fn take(&mut self, byte: u8) -> Escaped {
        match self.state {
            State::Hex(left) => self.hex(byte, left),
            _ if byte == b'u' => {
                self.state = State::Hex(4);
                self.code = 0;
                Escaped::More
            }
            _ => {
                *self = Self::NONE;
                match byte {
                    b'"' | b'\\' | b'/' => Escaped::Char(char::from(byte)),
                    b'b' => Escaped::Char('\u{8}'),
                    b'f' => Escaped::Char('\u{c}'),
                    b'n' => Escaped::Char('\n'),
                    b'r' => Escaped::Char('\r'),
                    b't' => Escaped::Char('\t'),
                    _ => Escaped::Invalid,
                }
            }
        }
    }

    fn hex(&mut self, byte: u8, left: u8) -> Escaped {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => {
                *self = Self::NONE;
                return Escaped::Invalid;
            }
        };
        self.code = (self.code << 4) | u16::from(digit);
        if left > 1 {
            self.state = State::Hex(left - 1);
            return Escaped::More;
        }
        self.state = State::None;
        let high = self.high.take();
        match (high, self.code) {
            (None, 0xD800..=0xDBFF) => {
                self.high = Some(self.code);
                Escaped::More
            }
            (high, code) => {
                let units = high.into_iter().chain([code]);
                match char::decode_utf16(units).next() {
                    Some(Ok(char)) => Escaped::Char(char),
                    _ => Escaped::Invalid,
                }
            }
        }
    }
}

/// Hands on a string unescaped, up to its closing quote. `Some(true)`: it ended; `Some(false)`: an escape
/// is none, and the string goes on behind it. It ends where it would if nobody looked at its escapes.
pub(super) fn unescape<'a>(
    mut bytes: &'a [u8],
    escape: &mut Escape,
    mut take: impl FnMut(&[u8]),
) -> (&'a [u8], Option<bool>) {
    while let Some((&byte, behind)) = bytes.split_first() {
        if escape.is_open() {
            match escape.take(byte) {
                Escaped::More => {}
                Escaped::Char(char) => take(char.encode_utf8(&mut [0; 4]).as_bytes()),
                // Neither of these is a hex digit, nor invalid behind a backslash.
                Escaped::Invalid if matches!(byte, b'"' | b'\\') => return (bytes, Some(false)),
                Escaped::Invalid => return (behind, Some(false)),
            }
            bytes = behind;
            continue;
        }
        let plain = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
        if plain > 0 {
            take(&bytes[..plain]);
        }
        match bytes.get(plain) {
            Some(b'"') => {
                *escape = Escape::NONE;
                return (&bytes[plain + 1..], Some(true));
            }
            Some(_) => {
                escape.start();
                bytes = &bytes[plain + 1..];
            }
            None => return (&[], None),
        }
    }
    (&[], None)
}
