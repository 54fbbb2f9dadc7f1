use super::{UpstreamCall, body_reader::Reader, call::OpenCall};
use crate::{labels::ErrorClass, meter::Facts};

/// What the beginning of a response says of it, as far as it has passed.
///
/// For gateways that hold a response back until they know whether to pass it on, or to ask somebody else: providers
/// report that they are overloaded under a status of 200, too, in the first event of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opening {
    /// Nothing yet: neither an event nor the body is whole.
    Pending,
    /// A first event that is no error, or a whole body that is none. So are bodies that nothing can be known of: those
    /// of media, in encodings that are not read, or in no form that is known.
    Sound,
    /// An error: in an event, or as a JSON document; or a body that broke off or ended before its first event was whole,
    /// where it owes any; or a status that is no success.
    Failed,
}

impl UpstreamCall {
    /// What the bytes that passed so far say of the response.
    pub(crate) fn opening(&self) -> Opening {
        match self.open_ref() {
            Some(call) => call.opening(),
            None => self.ended(),
        }
    }
}

impl OpenCall {
    fn opening(&self) -> Opening {
        match &self.reader {
            Some(Reader::Meter(meter)) => Opening::of(meter.facts()),
            Some(Reader::ByHand(by_hand)) => Opening::of(by_hand.facts()),
            Some(Reader::Unread(_)) => Opening::Pending,
            None if self.status.is_none() => Opening::Pending,
            None => Opening::Failed,
        }
    }
}

impl Opening {
    /// Of a response that ended with this class.
    pub(super) fn at_end(class: ErrorClass, facts: &Facts) -> Self {
        let began = !facts.error && facts.events > 0;
        if began || class == ErrorClass::None {
            Self::Sound
        } else {
            Self::Failed
        }
    }

    /// Of a response that goes on.
    fn of(facts: &Facts) -> Self {
        if facts.error {
            Self::Failed
        } else if facts.events > 0 || facts.tells_nothing() {
            Self::Sound
        } else {
            Self::Pending
        }
    }
}
