//! Content encodings (RFC 9110, section 8.4), undone beside the bytes that pass.

#[cfg(feature = "compression")]
mod brotli;
#[cfg(feature = "compression")]
mod gzip;
#[cfg(feature = "compression")]
mod inflate;
#[cfg(feature = "compression")]
mod stage;
#[cfg(feature = "compression")]
mod zstd;

#[cfg(feature = "compression")]
pub(crate) use stage::{Fault, Stages};

/// How a body is encoded.
#[derive(Debug)]
pub(crate) enum Encoding {
    /// Not at all.
    Identity,
    /// In ways that are undone here.
    #[cfg(feature = "compression")]
    Known(Stages),
    /// In a way that is not undone here, or no longer.
    Unread,
}

impl Encoding {
    /// Names are case-insensitive, `x-gzip` is `gzip`, and several were applied in the order of the list.
    pub(crate) fn of(content_encoding: Option<&str>) -> Self {
        let names = content_encoding
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        let mut names =
            names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
        if names.clone().next().is_none() {
            return Self::Identity;
        }
        Self::undo(&mut names)
    }

    /// Whether what comes out comes with the bytes that it is made of.
    pub(crate) fn is_timely(&self) -> bool {
        match self {
            #[cfg(feature = "compression")]
            Self::Known(stages) => !stages.holds_back(),
            Self::Identity | Self::Unread => true,
        }
    }

    #[cfg(feature = "compression")]
    fn undo(names: &mut dyn Iterator<Item = &str>) -> Self {
        Stages::of(names).map_or(Self::Unread, Self::Known)
    }

    #[cfg(not(feature = "compression"))]
    fn undo(_: &mut dyn Iterator<Item = &str>) -> Self {
        Self::Unread
    }
}
