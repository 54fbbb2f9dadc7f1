//! An event in the ears of one API.

use super::apis::Api;
use super::event::Event;
use super::paths::ApiSet;
use super::seen::Seen;

/// An event in the ears of an API: what its places mean there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) event: &'a Event,
    pub(crate) api: Option<Api>,
}

impl Said<'_> {
    fn is_in(&self, set: ApiSet) -> bool {
        self.api.is_some_and(|api| set.has(api))
    }

    /// The places of tool calls in it.
    pub(crate) fn calls(&self) -> u32 {
        self.event.calls.places
    }

    pub(crate) fn kind(&self) -> &[u8] {
        self.event.kind()
    }

    pub(crate) fn seen(&self, of: Seen) -> bool {
        self.event.seen(of)
    }

    /// It has a member of the API's own.
    pub(crate) fn is_own(&self) -> bool {
        self.is_in(self.event.marks.own)
    }

    pub(crate) fn output(&self) -> bool {
        self.is_in(self.event.marks.output)
    }

    pub(crate) fn reasoning(&self) -> bool {
        self.is_in(self.event.marks.reasoning)
    }

    /// A finish reason that ends the response, or one of several.
    pub(crate) fn finish(&self) -> bool {
        self.is_in(self.event.marks.finish)
    }

    pub(crate) fn failed(&self) -> bool {
        self.is_in(self.event.marks.failed)
    }

    /// The text or the member that only the last event has.
    pub(crate) fn last(&self) -> bool {
        self.is_in(self.event.marks.last) || self.is_in(self.event.marks.end)
    }

    pub(crate) fn done(&self) -> bool {
        self.is_in(self.event.marks.done)
    }

    pub(crate) fn not_done(&self) -> bool {
        self.is_in(self.event.marks.not_done)
    }
}
