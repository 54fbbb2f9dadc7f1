//! The end marker of OpenAI's streams.

const DONE: &[u8] = b"[DONE]";

/// Whether the event's data is the end marker: in any case, and in quotes or between spaces as well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// How many of its bytes have come.
    matched: u8,
    quoted: bool,
    no: bool,
}

impl Done {
    pub(super) const NEW: Self = Self {
        matched: 0,
        quoted: false,
        no: false,
    };

    /// Matches on.
    #[inline]
    pub(super) fn take(&mut self, value: &[u8]) {
        // Most data are objects.
        if self.no || value.first() == Some(&b'{') {
            self.no = true;
        } else {
            self.no = !value.iter().all(|&byte| self.next(byte));
        }
    }

    fn next(&mut self, byte: u8) -> bool {
        let next = DONE.get(usize::from(self.matched));
        if next.is_some_and(|next| next.eq_ignore_ascii_case(&byte)) {
            self.matched += 1;
        } else if byte == b'"' {
            // Before it the first, behind it the last.
            let first = self.matched == 0 && !self.quoted;
            if !first && (next.is_some() || !self.quoted) {
                return false;
            }
            self.quoted = first;
        } else if !matches!(byte, b' ' | b'\t' | b'\n') || (self.matched > 0 && next.is_some()) {
            return false;
        }
        true
    }

    pub(super) fn is_whole(self) -> bool {
        !self.no && !self.quoted && usize::from(self.matched) == DONE.len()
    }
}
