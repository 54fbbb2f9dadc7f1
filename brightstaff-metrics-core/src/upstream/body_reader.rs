//! Who reads the body of a response.

use super::by_hand::ByHand;
use crate::{
    head::Head,
    meter::{Facts, Meter, Promise},
};

/// Who knows what the body of a 2xx says.
#[derive(Debug)]
pub(super) enum Reader {
    /// Nobody yet: not a byte came.
    Unread(Promise),
    Meter(Box<Meter>),
    ByHand(Box<ByHand>),
}

impl Reader {
    pub(super) fn of(head: &Head<'_>) -> Self {
        match head.content_encoding {
            None => Self::Unread(Promise::of(head.content_type)),
            encoding => Self::Meter(Box::new(Meter::new(head.content_type, encoding))),
        }
    }

    // Inlined, its frame would be that of every chunk.
    #[inline(never)]
    pub(super) fn meter(promise: Promise) -> Self {
        Self::Meter(Box::new(Meter::plain(promise)))
    }

    pub(super) fn facts(&self) -> &Facts {
        match self {
            Self::Unread(promise) => promise.unread(),
            Self::Meter(meter) => meter.facts(),
            Self::ByHand(by_hand) => by_hand.facts(),
        }
    }
}
