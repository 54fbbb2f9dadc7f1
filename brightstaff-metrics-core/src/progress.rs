//! How far a body has come, by HTTP's own rules.

use std::num::NonZeroU64;

/// Whether a body came to its end, whatever the stream inside it says.
///
/// A server drops a body without polling it to its end once the declared length is written, and
/// never polls that of a response to HEAD. So a drop alone does not mean that the client went away.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// What is still to come of the declared length, where there is one. One word: a guard is moved
    /// from hand to hand.
    left: Option<NonZeroU64>,
    complete: bool,
    polled: bool,
    panicked: bool,
}

/// How a body, or the wait for it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// At its end, by HTTP's rules.
    Complete,
    /// With an error of its own.
    Failed,
    /// Dropped before.
    Dropped,
    /// Dropped because the code that makes it panicked.
    Panicked,
}

impl Progress {
    /// The head is known. `bodiless`: by construction there are no bytes to come (RFC 9112, section
    /// 6.3): a response to HEAD, 1xx, 204, 304, or a body that is at its end from the start.
    pub(crate) fn head(&mut self, declared: Option<u64>, bodiless: bool) {
        self.complete = bodiless || declared == Some(0);
        self.left = declared.filter(|_| !bodiless).and_then(NonZeroU64::new);
    }

    /// Somebody asks for the body.
    #[inline]
    pub(crate) fn polled(&mut self) {
        self.polled = true;
    }

    /// Whether anybody ever asked for the body: where nobody did, another body most likely took its place. A server
    /// asks at once over HTTP/1; over HTTP/2 only once the client's window lets it send, so that a client that resets
    /// its stream before that is not told from such a layer.
    pub(crate) fn was_polled(&self) -> bool {
        self.polled
    }

    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) {
        if let Some(left) = self.left {
            self.left = NonZeroU64::new(left.get().saturating_sub(count as u64));
            self.complete |= self.left.is_none();
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether fewer bytes passed than were declared.
    pub(crate) fn is_short(&self) -> bool {
        self.left.is_some()
    }

    /// The code that makes the response panicked. The mark is there when the guard is dropped, whoever
    /// caught the panic in between.
    pub(crate) fn panicked(&mut self) {
        self.panicked = true;
    }

    /// What a drop at this moment means.
    pub(crate) fn dropped(&self) -> Ending {
        if self.panicked || std::thread::panicking() {
            Ending::Panicked
        } else if self.complete {
            Ending::Complete
        } else {
            Ending::Dropped
        }
    }
}

/// Whether a response has no body, whatever its headers declare.
pub(crate) fn is_bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}
