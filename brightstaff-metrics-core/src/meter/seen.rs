//! What an event may hold that means the same, whoever speaks.

/// A set of things seen in an event that mean the same in every API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u32);

impl Seen {
    pub(crate) const NONE: Self = Self(0);
    /// A usage object, or a count, whatever is in it.
    pub(crate) const USAGE: Self = Self(1);
    /// An error that is not empty.
    pub(crate) const ERROR: Self = Self(1 << 1);
    /// A code that is not success.
    pub(crate) const CODE: Self = Self(1 << 2);
    pub(crate) const ERROR_CODE: Self = Self(1 << 3);
    /// An HTTP status of an error.
    pub(crate) const STATUS_BAD: Self = Self(1 << 4);
    /// `failed` or `error` as a status.
    pub(crate) const STATUS_FAILED: Self = Self(1 << 5);
    pub(crate) const MESSAGE: Self = Self(1 << 6);
    pub(crate) const DETAIL: Self = Self(1 << 7);
    /// `"success": false`.
    pub(crate) const NO_SUCCESS: Self = Self(1 << 8);
    /// Anything of the kind that errors are made of, well or not: the next event may tell another tale.
    pub(crate) const ODD: Self = Self(1 << 9);
    /// Gemini's mark that a part is thought.
    pub(crate) const THOUGHT: Self = Self(1 << 10);
    pub(crate) const GUARDRAIL: Self = Self(1 << 11);
    pub(crate) const SECONDS: Self = Self(1 << 12);
    /// A list of choices, whatever is in it.
    pub(crate) const CHOICES: Self = Self(1 << 13);
    /// What no event may hold that says nothing new.
    pub(crate) const NEWS: Self = Self(Self::USAGE.0 | Self::ERROR.0 | Self::ODD.0);

    pub(crate) const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.0 |= more.0;
    }
}
