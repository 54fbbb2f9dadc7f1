//! How far a body has come, by HTTP's own rules.

/// Whether a body came to its end, whatever the stream inside it says.
///
/// A server drops a body without polling it to its end once the declared length is written, and
/// never polls that of an answer to HEAD. So a drop alone is no sign of a client that went away.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    declared: Option<u64>,
    seen: u64,
    complete: bool,
    inside: bool,
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
    /// 6.3): an answer to HEAD, 1xx, 204, 304, or a body that is at its end from the start.
    pub(crate) fn head(&mut self, declared: Option<u64>, bodiless: bool) {
        self.declared = declared;
        self.complete = bodiless || declared == Some(0);
    }

    pub(crate) fn bytes(&mut self, count: usize) {
        self.seen = self.seen.saturating_add(count as u64);
        if self.declared.is_some_and(|declared| self.seen >= declared) {
            self.complete = true;
        }
    }

    pub(crate) fn complete(&self) -> bool {
        self.complete
    }

    /// Marks that the code which makes the answer runs now. If it panics, the mark is still there
    /// when the guard is dropped, whoever caught the panic in between.
    pub(crate) fn enter(&mut self) {
        self.inside = true;
    }

    pub(crate) fn leave(&mut self) {
        self.inside = false;
    }

    /// What a drop at this moment means.
    pub(crate) fn dropped(&self) -> Ending {
        if self.inside || std::thread::panicking() {
            Ending::Panicked
        } else if self.complete {
            Ending::Complete
        } else {
            Ending::Dropped
        }
    }
}

/// Whether an answer has no body, whatever its headers declare.
pub(crate) fn bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}
