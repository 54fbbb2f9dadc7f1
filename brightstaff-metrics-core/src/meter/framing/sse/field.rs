//! The fields of a server-sent event.

use crate::meter::short::Short;

/// The longest field name of interest, and then some.
pub(super) const MAX_NAME: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Data,
    Event,
    /// Not of the standard, but seen.
    Error,
    Other,
}

impl Field {
    pub(super) fn named(name: &Short<MAX_NAME>) -> Self {
        match name.get() {
            Some(b"data") => Self::Data,
            Some(b"event") => Self::Event,
            Some(b"error") => Self::Error,
            _ => Self::Other,
        }
    }
}
