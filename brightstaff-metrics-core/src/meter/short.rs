//! Short strings, kept in place.

use std::fmt;

/// A string that is of no interest if it is longer than `N` bytes.
#[derive(Clone, Copy)]
pub(crate) struct Short<const N: usize> {
    bytes: [u8; N],
    /// More than `N` where it is too long.
    len: u8,
}

impl<const N: usize> Short<N> {
    pub(crate) const EMPTY: Self = {
        assert!(N < u8::MAX as usize, "a length has to fit into a byte");
        Self {
            bytes: [0; N],
            len: 0,
        }
    };

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn extend(&mut self, more: &[u8]) {
        let len = usize::from(self.len);
        let end = len.saturating_add(more.len());
        if let Some(room) = self.bytes.get_mut(len..end) {
            room.copy_from_slice(more);
        }
        // Past the end from here on: too long to be of interest.
        self.len = u8::try_from(end).unwrap_or(u8::MAX);
    }

    /// Replaces it; `None` stands for a string that was too long to keep.
    pub(crate) fn set(&mut self, text: Option<&[u8]>) {
        self.len = 0;
        match text {
            Some(text) => self.extend(text),
            None => self.len = u8::MAX,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `None` if it was too long to keep.
    pub(crate) fn get(&self) -> Option<&[u8]> {
        self.bytes.get(..usize::from(self.len))
    }

    /// The string; one that was too long reads as `?`, which is nobody's name.
    pub(crate) fn or_unknown(&self) -> &[u8] {
        self.get().unwrap_or(b"?")
    }
}

impl<const N: usize> PartialEq for Short<N> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && (self.len == 0 || self.get() == other.get())
    }
}

impl<const N: usize> fmt::Debug for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.or_unknown()).unwrap_or("?"))
    }
}

impl<const N: usize> Eq for Short<N> {}
